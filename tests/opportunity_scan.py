"""An offline search for arbitrage in a session's journal, written apart from the engine's to check it.

Books are plain dicts, profits are looked for at every quantity at which either book goes to its next level, and an
opportunity is an interval of decisions: from one at which enough is to be had to the first at which nothing is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmd.core.events import Decision
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT, packed_view, unpack
from mmd.core.spec import SessionSpec
from mmd.jit.kernel import new
from mmd.journal.format import Kind, event_decoder, spec_decoder
from mmd.journal.reader import records

LEVELS_SEEN = 20
Book = tuple[dict[int, int], dict[int, int]]


class Found(NamedTuple):
    """An opportunity from its first decision to the first without it; None while it lasts."""

    buy: int
    sell: int
    opened_ns: int
    closed_ns: int | None
    lots: int
    """When it was opened, as is the next."""
    net: float


class _Seen(NamedTuple):
    """What there is to know at a decision."""

    now_ns: int
    books: list[Book]
    changed_ns: list[int]


def scan(folder: Path) -> list[Found]:
    """Every opportunity of a session of instruments with one lot size and one quote currency."""
    stream = records(folder)
    spec = spec_decoder.decode(next(stream).body)
    assert spec.arbitrage is not None
    assert spec.arbitrage.slippage_share == 0.0, (
        "slippage depends on what only the engine estimates"
    )
    count = len(spec.instruments)
    found: list[Found] = []
    open_: dict[tuple[int, int], Found] = {}
    for seen in _decisions(folder, count):
        for buy in range(count):
            for sell in range(count):
                if buy != sell:
                    _follow(spec, seen, buy, sell, open_, found)
    return sorted([*found, *open_.values()], key=lambda f: (f.opened_ns, f.buy))


def _follow(
    spec: SessionSpec,
    seen: _Seen,
    buy: int,
    sell: int,
    open_: dict[tuple[int, int], Found],
    found: list[Found],
) -> None:
    lots, net = _best(spec, seen, buy, sell)
    assert spec.arbitrage is not None
    if (buy, sell) in open_:
        if lots == 0:
            found.append(open_.pop((buy, sell))._replace(closed_ns=seen.now_ns))
    elif net >= float(spec.arbitrage.profit_min):
        open_[buy, sell] = Found(buy, sell, seen.now_ns, None, lots, net)


def _best(spec: SessionSpec, seen: _Seen, buy: int, sell: int) -> tuple[int, float]:
    """The most profitable quantity and its profit; 0 where even the smallest order does not pay."""
    assert spec.arbitrage is not None
    limit_ns = spec.arbitrage.age_ns_max
    if any(seen.now_ns - seen.changed_ns[at] > limit_ns for at in (buy, sell)):
        return 0, 0.0
    asks = sorted(seen.books[buy][1].items())[:LEVELS_SEEN]
    bids = sorted(seen.books[sell][0].items(), reverse=True)[:LEVELS_SEEN]
    if not asks or not bids:
        return 0, 0.0
    quantities = {
        sum(size for _, size in rows[: k + 1]) for rows in (asks, bids) for k in range(len(rows))
    }
    most = min(sum(size for _, size in rows) for rows in (asks, bids))
    best = max(
        ((_profit(spec, asks, bids, buy, sell, q), q) for q in quantities if q <= most),
        default=(0.0, 0),
    )
    smallest = max(
        -(-spec.instruments[at].notional_min // (spec.instruments[at].notional_per_ticklot * ticks))
        for at, ticks in ((buy, asks[0][0]), (sell, bids[0][0]))
    )
    return (best[1], best[0]) if best[0] > 0.0 and best[1] >= smallest else (0, 0.0)


def _profit(
    spec: SessionSpec,
    asks: list[tuple[int, int]],
    bids: list[tuple[int, int]],
    buy: int,
    sell: int,
    lots: int,
) -> float:
    """What a quantity brings after commissions, in quote currency."""
    cost = _sum(asks, lots) * (1.0 + spec.instruments[buy].taker_fee_bps * 1e-4)
    income = _sum(bids, lots) * (1.0 - spec.instruments[sell].taker_fee_bps * 1e-4)
    return (income - cost) * float(spec.instruments[buy].notional_per_ticklot)


def _sum(levels: list[tuple[int, int]], lots: int) -> int:
    total = 0
    for ticks, size in levels:
        part = min(size, lots)
        total, lots = total + part * ticks, lots - part
    return total


def _decisions(folder: Path, count: int) -> Iterator[_Seen]:
    """The books as they stood at each decision of the journal."""
    books: list[Book] = [({}, {}) for _ in range(count)]
    changed_ns = [0] * count
    market = new(MARKET)
    body_of = packed_view(market)
    for record in records(folder):
        if record.kind is Kind.MARKET:
            body_of[: len(record.body)] = record.body
            assert unpack(market, len(record.body)) == 0
            row = market[0]
            at = int(row["instrument"])
            assert row["kind"] in (SNAPSHOT, DIFF)
            if row["kind"] == SNAPSHOT:
                books[at] = ({}, {})
            for side in range(2):
                for k in range(int(row["n"][side])):
                    price, size = int(row["px"][side, k]), int(row["sz"][side, k])
                    books[at][side].pop(price, None)
                    if size > 0:
                        books[at][side][price] = size
            changed_ns[at] = int(row["ts_recv_ns"])
        elif record.kind is Kind.EVENT:
            event = event_decoder.decode(record.body)
            if isinstance(event, Decision):
                yield _Seen(event.ts_recv_ns, books, changed_ns)
