"""Labels are what quotes earned, by hand on small tapes; nothing behind a hole in the data is taken for known."""

from pathlib import Path

import numpy as np
import pytest

from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.core.units import NANOS_PER_SECOND as S
from mmd.errors import TrainingError
from mmd.tape.bar_samples import BarSamples
from mmd.tape.format import AGGRESSOR_KNOWN, ROW
from models.spread_labels import LabelSettings, best_half_spreads, earned, fill_times, spread_grid
from tests.tapes import row, write_tape

SETTINGS = LabelSettings(
    every=1, life_ns=5 * S, markout_ns=2 * S, latency_ns=0, smoothing=1, queue="front"
)
GRID = np.array([1.0, 2.0, 4.0])


def bars(mid: list[float], restart_at: int = 10**9) -> BarSamples:
    """Bars of a second from 1 s on."""
    n = len(mid)
    number = np.where(np.arange(n) < restart_at, np.arange(n) + 1, np.arange(n) - restart_at + 1)
    mids = np.array(mid)
    touch = np.stack([mids - 1, mids + 1], axis=1).astype(np.int64)
    return BarSamples(np.arange(1, n + 1) * S, number, mids, touch, np.zeros((n, 1), np.float32))


def test_fills_come_from_the_tape_at_the_time_of_the_print(tmp_path: Path) -> None:
    """A print at 9,998 fills bids at 9,999 and 9,998 of the sample before it; the sample after it gets nothing."""

    def at(second: float) -> dict[str, int]:
        return {"ts_recv_ns": round(second * S), "ts_event_ns": round(second * S)}

    rows = [
        row(SNAPSHOT, end=False, **at(0.5), side=0, price_ticks=9_990, qty_lots=5, last=1),
        row(SNAPSHOT, **at(0.5), side=1, price_ticks=10_011, qty_lots=5, last=1),
        row(TRADE, **at(2.25), side=1, price_ticks=9_998, qty_lots=3, first=1, flags=AGGRESSOR_KNOWN),
        row(DIFF, **at(4.0), side=1, price_ticks=10_012, qty_lots=1, first=2, last=2, prev=1),
        row(TRADE, **at(9.0), side=1, price_ticks=9_000, qty_lots=9, first=2, flags=AGGRESSOR_KNOWN),
    ]  # fmt: skip
    tape = write_tape(tmp_path / "x.tape.parquet", np.array(rows, ROW))
    decided, mids = np.array([1, 3]) * S, np.array([10_000.5, 10_000.5])
    fills = fill_times(tape, decided, mids, GRID, SETTINGS)
    assert fills[0].tolist() == [[2.25 * S, 2.25 * S, 0], [0, 0, 0]]
    assert fills[1].sum() == 0, "the print at 9 s comes after their five seconds"


def test_a_fill_earns_its_distance_at_the_markout_less_the_fee() -> None:
    """Bid 9,999 filled in bar 2, mid 10,003.5 two seconds later: 4.5 ticks of 10,000.5, half of it a quote, less fee."""
    fills = np.zeros((1, 2, 3), np.int64)
    fills[0, 0, 0] = round(2.25 * S)
    path = bars([10_000.5] * 4 + [10_003.5] * 8)
    fee = LabelSettings(
        **{n: getattr(SETTINGS, n) for n in SETTINGS.__struct_fields__} | {"maker_fee_bps": 0.5}
    )
    edge = earned(fills, np.array([S]), np.array([10_000.5]), GRID, path, fee)
    assert edge[0].tolist() == pytest.approx([(4.5 / 10_000.5 * 1e4 - 0.5) / 2, 0.0, 0.0])


@pytest.mark.parametrize(
    ("restart_at", "known"), [(10**9, [True, True, False]), (9, [True, False, False])]
)
def test_holes_and_ends_are_unknown(restart_at: int, known: list[bool]) -> None:
    """Seven seconds ahead must be there without a restart of the clock."""
    path = bars([10_000.0] * 12, restart_at)
    decided = np.array([1, 4, 8]) * S
    edge = earned(np.zeros((3, 2, 3), np.int64), decided, np.full(3, 1e4), GRID, path, SETTINGS)
    assert (~np.isnan(edge[:, 0])).tolist() == known


def test_the_best_is_the_wider_of_equals_and_the_widest_where_nothing_earns() -> None:
    """Averages go forward in time only, and are unknown where a sample of theirs is."""
    edge = np.array(
        [[1.0, 1.0, 0.0], [3.0, 1.0, 0.0], [-1.0, -2.0, -3.0], [-9.0, -9.0, -9.0], [np.nan] * 3]
    )
    average, label = best_half_spreads(edge, GRID, 1)
    assert label.tolist()[:4] == [2.0, 1.0, 4.0, 4.0]
    average, label = best_half_spreads(edge, GRID, 2)
    assert average[0].tolist() == [2.0, 1.0, 0.0]
    assert label[0] == 1.0
    assert np.isnan(label[3:]).all()


def test_the_grid_covers_what_the_price_reaches() -> None:
    """From 1 bps to the price's own moves, never beyond 100 bps."""
    rng = np.random.default_rng(1)
    calm = spread_grid(bars((1e4 + np.cumsum(rng.normal(size=4_000))).tolist()), S, 5 * S)
    wild = spread_grid(
        bars((1e4 * np.exp(0.01 * rng.normal(size=4_000).cumsum())).tolist()), S, 5 * S
    )
    assert calm[0] == 1.0
    assert 5.0 < calm[-1] < 12.0, "2.8 sd of 2.2 ticks and a tick"
    assert wild[-1] == 100.0
    assert (np.diff(calm) > 0).all()


def test_more_quotes_at_a_time_than_there_is_room_for_are_refused(tmp_path: Path) -> None:
    """A line that says what to change."""
    tape = write_tape(
        tmp_path / "x.tape.parquet", np.array([row(SNAPSHOT, price_ticks=1, qty_lots=1)], ROW)
    )
    decided = np.arange(1, 200) * (S // 20)
    with pytest.raises(TrainingError, match="sample every more bars"):
        fill_times(tape, decided, np.full(199, 1e4), GRID, SETTINGS)
