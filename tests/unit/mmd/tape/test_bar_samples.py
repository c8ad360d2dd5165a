"""Bars of a tape in one compiled loop are those that the live view gives, whenever anybody looks."""

import numpy as np
import pytest

from mmd.core.learned import samples as bars
from mmd.core.learned.samples import CLOSED, GAP_BARS_MAX, NOT_YET, RESTARTED, SAMPLES
from mmd.core.learned.schema import NAMES, N, schema_hash
from mmd.core.market_view import MarketView
from mmd.jit.kernel import bind, new
from mmd.tape.bar_samples import bar_samples
from mmd.tape.frames import Frames
from mmd.tape.reader import Tape
from tests.bench.tape import synthetic_rows
from tests.tapes import write_tape

BAR_NS = 20_000_000


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Diffs after a snapshot, with a silence too long for the clock in the middle."""
    rows = synthetic_rows(800)
    rows["ts_recv_ns"][len(rows) // 2 :] += (GAP_BARS_MAX + 50) * BAR_NS
    return write_tape(tmp_path_factory.mktemp("tape") / "x.tape.parquet", rows)


def live(tape: Tape, looks: np.random.Generator | None) -> np.ndarray:
    """(bars, x...) of every bar as the daemon sees them: before each frame, and at any time in between."""
    view, samples = MarketView(), new(SAMPLES)
    bars.start(samples, unix_less_engine_ns=0, bar_ns=BAR_NS)
    close = bind(bars.close, samples, view.features, view.flow, 0)
    found: list[np.ndarray] = []

    def look(now_ns: int) -> None:
        while (status := close(samples, view.features, view.flow, now_ns)) != NOT_YET:
            if status == CLOSED:
                found.append(np.append(samples["bars"][0], samples["x"][0]))

    before_ns = 0
    for market in Frames(tape):
        now_ns = int(market["ts_recv_ns"][0])
        if looks is not None and before_ns > 0 and now_ns - before_ns < 10 * BAR_NS:
            for at_ns in np.sort(looks.integers(before_ns, now_ns + 1, 3)):
                look(int(at_ns))
        look(now_ns)
        view.apply(market, now_ns)
        before_ns = now_ns
    return np.array(found)


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_live_and_batch_give_the_same_samples(tape: Tape, seed: int | None) -> None:
    """To 1e-6 (single precision) at any pattern of timers; the clock restarts after the long silence."""
    batch = bar_samples(tape, bar_ns=BAR_NS)
    streamed = live(tape, None if seed is None else np.random.default_rng(seed))
    assert streamed[:, 0].tolist() == batch.bars.tolist()
    assert np.allclose(streamed[:, 1:], batch.x, rtol=1e-6, atol=1e-6)
    assert (batch.bars == 1).sum() == 2
    assert np.isfinite(batch.x).all()
    assert (np.diff(batch.end_ns)[np.diff(batch.bars) == 1] == BAR_NS).all()


def test_bars_say_what_their_names_say(tape: Tape) -> None:
    """Returns are differences of mids, averages and volatilities those of the last 10, 20, 50 bars, by numpy."""
    batch = bar_samples(tape, bar_ns=BAR_NS)
    column = {name: batch.x[:, i] for i, (name, _) in enumerate(NAMES)}
    run = np.flatnonzero(batch.bars == 1)[1]
    mid = batch.mid[:run]
    assert len(mid) > 60
    at = len(mid) - 1
    changes = np.diff(mid)
    assert column["return"][at] == pytest.approx(changes[-1], abs=1e-6)
    assert column["price_less_average_10"][at] == pytest.approx(
        mid[at] - mid[-10:].mean(), abs=1e-3
    )
    assert column["price_less_average_50"][at] == pytest.approx(
        mid[at] - mid[-50:].mean(), abs=1e-3
    )
    for n in (10, 20, 50):
        wanted = np.sqrt(np.mean(np.square(changes[-(n - 1) :])))
        assert column[f"volatility_{n}"][at] == pytest.approx(wanted, rel=1e-5)
    assert np.hypot(column["day_sine"], column["day_cosine"]) == pytest.approx(1.0)


def test_a_clock_without_a_book_waits() -> None:
    """Nothing is sampled before the first two-sided book, and a restart is told once."""
    samples, view = new(SAMPLES), MarketView()
    bars.start(samples, unix_less_engine_ns=0)

    def close(now_ns: int) -> int:
        return bars.close(samples, view.features, view.flow, now_ns)

    assert [close(ns) for ns in (1, 1, 200_000_001, 400_000_001)] == [RESTARTED, 0, 0, 0]
    assert samples["bars"][0] == 0


def test_the_schema_hash_changes_with_any_of_it() -> None:
    """Names, units and their order are all part of it."""
    assert len(NAMES) == N == len({name for name, _ in NAMES})
    swapped = (NAMES[1], NAMES[0], *NAMES[2:])
    renamed = (("x", NAMES[0][1]), *NAMES[1:])
    other_unit = ((NAMES[0][0], "x"), *NAMES[1:])
    assert len({schema_hash(n) for n in (NAMES, swapped, renamed, other_unit)}) == 4
