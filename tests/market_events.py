"""Market-data records made by hand, for tests."""

from collections.abc import Sequence

from mmd.core.market.record import DIFF, MARKET, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.jit.kernel import Rec, new

Levels = Sequence[tuple[int, int]]


def fill(market: Rec, kind: int, bids: Levels = (), asks: Levels = (), **head: int) -> Rec:
    """Overwrite a MARKET record; levels are (ticks, lots), fields not named are 0."""
    row = market[0]
    for name in ("instrument", "ts_event_ns", "ts_recv_ns", "first", "last", "prev", "side"):
        row[name] = head.pop(name, 0)
    assert not head, f"no such fields: {head}"
    row["kind"] = kind
    for side, rows in enumerate((bids, asks)):
        row["n"][side] = len(rows)
        for k, (ticks, lots) in enumerate(rows):
            row["px"][side, k], row["sz"][side, k] = ticks, lots
    return market


def snapshot(last: int, bids: Levels, asks: Levels, **head: int) -> Rec:
    """A new SNAPSHOT record."""
    return fill(new(MARKET), SNAPSHOT, bids, asks, last=last, **head)


def diff(prev: int, last: int, bids: Levels = (), asks: Levels = (), **head: int) -> Rec:
    """A new DIFF record."""
    return fill(new(MARKET), DIFF, bids, asks, prev=prev, first=prev + 1, last=last, **head)


def top(last: int, bid: tuple[int, int], ask: tuple[int, int], **head: int) -> Rec:
    """A new TOP record."""
    return fill(new(MARKET), TOP, [bid], [ask], last=last, **head)


def partial(last: int, bids: Levels, asks: Levels) -> Rec:
    """A new PARTIAL record."""
    return fill(new(MARKET), PARTIAL, bids, asks, last=last)


def trade(price_ticks: int, qty_lots: int, side: int, ts_recv_ns: int) -> Rec:
    """A new TRADE record; side is the aggressor's."""
    return fill(new(MARKET), TRADE, [(price_ticks, qty_lots)], side=side, ts_recv_ns=ts_recv_ns)
