"""What an observer makes of rows: quotes, market orders, pauses; and that the generator is told truly."""

import numpy as np
import pytest

from mmd.calibration.generated_rows import generate_rows, preset_instrument
from mmd.calibration.observed_market import (
    PAUSE_NS,
    Observed,
    ObservedBook,
    Quotes,
    frames,
    observe,
)
from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import PublicTrade
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.tape.format import AGGRESSOR_KNOWN, LAST_IN_FRAME, ROW, Rows
from tests.generated_markets import table_preset


def _trades(*rows: tuple[int, int, int, int]) -> Rows:
    """(ms, side, price, lots); side 2 is unknown."""
    found = np.zeros(len(rows), ROW)
    for row, (ms, side, price, lots) in zip(found, rows, strict=True):
        row["ts_recv_ns"] = row["ts_event_ns"] = ms * 1_000_000
        row["kind"], row["price_ticks"], row["qty_lots"] = TRADE, price, lots
        row["flags"] = LAST_IN_FRAME | (0 if side == 2 else AGGRESSOR_KNOWN)
        row["side"] = 0 if side == 2 else side
    return found


def test_prints_of_one_sweep_are_one_market_order() -> None:
    """Same millisecond and side; another side or a later millisecond is another order."""
    rows = _trades((5, 0, 100, 10), (5, 0, 101, 20), (5, 1, 99, 5), (6, 0, 101, 7))
    orders = observe([rows]).orders
    assert orders.side.tolist() == [1, -1, 1]
    assert orders.lots.tolist() == [30, 5, 7]


def test_unknown_sides_follow_the_tick_rule() -> None:
    """Up is a buy, down a sell, unchanged as before."""
    rows = _trades((1, 2, 100, 1), (2, 2, 101, 1), (3, 2, 101, 1), (4, 2, 99, 1))
    assert [f.levels[0][0] for f in frames([rows])][1:] == [0, 0, 1]


def test_a_pause_is_no_time() -> None:
    """A silence above a minute counts for nothing, neither does the last quote."""
    ts = np.array([0, NANOS_PER_SECOND, NANOS_PER_SECOND + PAUSE_NS + 1, 10**12], np.int64)
    quotes = Quotes(ts, *np.ones((4, 4), np.int64))
    assert quotes.held_s.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert quotes.at(np.array([0, 1, NANOS_PER_SECOND])).tolist() == [-1, 0, 0]


@pytest.fixture(scope="module")
def rows() -> list[Rows]:
    """A generated market of 20 s, told after 5 s."""
    return list(generate_rows(table_preset(), 8, 20.0, warm_up_s=5.0))


def test_the_told_book_is_the_generated_book(rows: list[Rows]) -> None:
    """Snapshot and diffs lead to the same levels as the generator has at the end."""
    told = ObservedBook()
    for frame in frames(rows):
        if frame.kind in (SNAPSHOT, DIFF):
            told.apply(frame)
    preset = table_preset()
    exchange = Exchange([preset_instrument(preset)], {})
    flow = InteractiveFlow(preset, 8, exchange, exchange.markets[0], -5 * NANOS_PER_SECOND)
    trades = [e for e in flow.advance(20 * NANOS_PER_SECOND) if isinstance(e, PublicTrade)]
    for mine, theirs in zip(told.sides, exchange.markets[0].book.sides, strict=True):
        assert mine.depth(50) == theirs.depth(50)
    seen = observe(rows)
    late = [t for t in trades if t.ts_ns > 0]
    assert seen.prints.lots.tolist() == [t.qty_lots for t in late]
    assert seen.prints.side.tolist() == [t.aggressor.sign for t in late]


def test_quotes_come_from_best_price_messages_or_else_from_the_book(rows: list[Rows]) -> None:
    """Both say the same about the time-weighted spread."""
    told = observe(rows)
    bare = observe(generate_rows(table_preset(), 8, 20.0, warm_up_s=5.0, has_tops=False))
    assert told.has_tops
    assert not bare.has_tops
    assert len(told.quotes.ts_ns) > len(bare.quotes.ts_ns)
    assert _spread(told) == pytest.approx(_spread(bare), rel=0.1)


def _spread(seen: Observed) -> float:
    q = seen.quotes
    return float(((q.ask - q.bid) * q.held_s).sum() / q.held_s.sum())
