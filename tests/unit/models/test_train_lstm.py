"""Training learns what can be learned, repeats itself from a seed, and goes on from a checkpoint."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]'")

from mmd.core.learned.schema import N  # noqa: E402
from mmd.errors import TrainingError  # noqa: E402
from mmd.tape.bar_samples import BarSamples  # noqa: E402
from models.labels import future_changes, future_volatility  # noqa: E402
from models.price_data import BARS_MIN, PriceData, _check, split_in_time  # noqa: E402
from models.train_lstm import Epoch, LstmSettings, forecast, train_lstm  # noqa: E402

BAR_NS = 100_000_000
SETTINGS = LstmSettings(
    hidden=8, dense=8, batch=16, chunk=25, epochs_max=12, learning_rate=2e-2, dropout=0.0
)


def market(n: int = 12_000, restart_at: int = 7_000) -> PriceData:
    """A walk whose next change has the sign of input 3 three times out of four, with one restart of the clock."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, N)).astype(np.float32)
    follows = rng.random(n) < 0.75
    changes = np.where(follows, np.sign(x[:, 3]), -np.sign(x[:, 3]))
    mid = 1000.0 + np.concatenate([[0.0], np.cumsum(changes[:-1])])
    bars = np.concatenate([np.arange(1, restart_at + 1), np.arange(1, n - restart_at + 1)])
    end_ns = np.arange(1, n + 1) * BAR_NS
    touch = np.stack([mid - 1, mid + 1], axis=1).astype(np.int64)
    samples = BarSamples(end_ns, bars, mid, touch, x)
    horizons = (1, 2)
    change = future_changes(mid, bars, horizons)
    return PriceData(samples, change, future_volatility(mid, bars, horizons), horizons, BAR_NS)


def test_it_finds_the_signal() -> None:
    """Out of sample: R2 near the 0.25 that is there, probabilities of a rise on the right side, losses that fall."""
    split = split_in_time(market())
    trained = train_lstm(split, SETTINGS)
    out = forecast(trained.network, trained.scales, split.test)
    wanted = split.test.change[:, 0]
    known = np.isfinite(wanted) & np.isfinite(out[:, 0, 0])
    errors = np.square(wanted - out[:, 0, 0])[known].sum()
    assert 0.12 < 1.0 - errors / np.square(wanted[known]).sum() < 0.3
    up = split.test.bars.x[:, 3] > 0
    assert np.nanmean(out[up, 0, 2]) > 0.6
    assert np.nanmean(out[~up, 0, 2]) < 0.4
    assert trained.epochs[-1].selection < trained.epochs[0].selection


def test_a_seed_gives_the_same_network_and_a_checkpoint_goes_on(tmp_path: Path) -> None:
    """Stopped after any epoch and begun again, training ends with the weights that it would have had."""
    split = split_in_time(market())
    settings = msgspec.structs.replace(SETTINGS, epochs_max=3, dropout=0.2)
    whole = train_lstm(split, settings)
    checkpoint = tmp_path / "lstm.checkpoint"

    class Stopped(Exception):  # noqa: N818 - not an error
        pass

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise Stopped

    with pytest.raises(Stopped):
        train_lstm(split, settings, checkpoint=checkpoint, on_epoch=stop)
    fewer = msgspec.structs.replace(settings, epochs_max=2)  # how long may be said anew
    assert train_lstm(split, fewer, checkpoint=checkpoint).epochs == whole.epochs[:2]
    resumed = train_lstm(split, settings, checkpoint=checkpoint)
    assert resumed.epochs == whole.epochs
    ours, theirs = whole.network.weights(), resumed.network.weights()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    other = LstmSettings(hidden=4)
    with pytest.raises(TrainingError, match="is of other settings"):
        train_lstm(split, other, checkpoint=checkpoint)


def test_parts_do_not_see_each_other() -> None:
    """In time order, with an embargo of the longest horizon between them."""
    data = market()
    split = split_in_time(data)
    ends = [part.bars.end_ns for part in split]
    assert ends[0][-1] + 2 * BAR_NS < ends[1][0]
    assert ends[1][-1] + 2 * BAR_NS < ends[2][0]
    assert ends[2][-1] == data.bars.end_ns[-1]


def test_days_are_kept_whole_where_there_are_many() -> None:
    """Of twenty days the last four are for the test, and no day is cut."""
    data = market()
    day_ns = 86_400_000_000_000
    end_ns = np.arange(len(data.bars.mid)) * (20 * day_ns // len(data.bars.mid)) + 1
    split = split_in_time(data._replace(bars=data.bars._replace(end_ns=end_ns)))
    assert np.unique(split.test.bars.end_ns // day_ns).tolist() == [16, 17, 18, 19]
    assert np.unique(split.selection.bars.end_ns // day_ns).tolist() == [13, 14, 15]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in the daemon; more are slower on networks this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda b: b._replace(mid=b.mid[:10]), "at least 20,000 bars"),
        (lambda b: b._replace(end_ns=b.end_ns[::-1]), "expected time to go on, but bar 1"),
        (lambda b: b._replace(x=np.where(b.x > 3.0, np.nan, b.x)), "is not finite"),
    ],
)
def test_bad_data_is_refused(spoil, message) -> None:
    """One line that names what is wrong."""
    bars = market(BARS_MIN).bars
    _check(bars, [Path("a.tape.parquet")])
    with pytest.raises(TrainingError, match=message):
        _check(spoil(bars), [Path("a.tape.parquet")])
