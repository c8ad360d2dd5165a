"""The packed form of a market event gives back the event, and nothing else is taken for one."""

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.market.record import (
    DIFF,
    INSTRUMENT,
    KIND,
    MARKET,
    PRICE,
    TRADE,
    TS_RECV_NS,
    MarketViews,
    pack,
    packed_view,
    unpack,
)
from mmd.jit.kernel import bind, new
from tests.market_events import fill

MARKET_REC = new(MARKET)
pack_bound, unpack_bound = bind(pack, MARKET_REC), bind(unpack, MARKET_REC, 0)
HEAD = ("kind", "instrument", "ts_event_ns", "ts_recv_ns", "first", "last", "prev", "side")
LEVELS = st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), max_size=30)


@given(bids=LEVELS, asks=LEVELS, last=st.integers(0, 2**62), side=st.integers(0, 1))
def test_unpack_returns_what_was_packed(bids, asks, last, side) -> None:
    """Head and levels survive the round trip through bytes."""
    fill(
        MARKET_REC,
        DIFF,
        bids,
        asks,
        last=last,
        first=3,
        prev=2,
        side=side,
        instrument=9,
        ts_recv_ns=4,
    )
    head = [int(MARKET_REC[name][0]) for name in HEAD]
    size = pack_bound(MARKET_REC)
    packed = bytes(packed_view(MARKET_REC)[:size])
    fill(MARKET_REC, 0)
    packed_view(MARKET_REC)[:size] = packed
    assert unpack_bound(MARKET_REC, size) == 0
    assert [int(MARKET_REC[name][0]) for name in HEAD] == head
    for row, levels in enumerate((bids, asks)):
        n = int(MARKET_REC["n"][0, row])
        px, sz = MARKET_REC["px"][0, row, :n].tolist(), MARKET_REC["sz"][0, row, :n].tolist()
        assert list(zip(px, sz, strict=True)) == levels


def test_unpack_refuses_a_size_that_its_head_contradicts() -> None:
    """Cut short, too long, not a multiple of 8, or a count out of range."""
    fill(MARKET_REC, DIFF, [(1, 2)], [(3, 4)])
    size = pack_bound(MARKET_REC)
    assert [unpack_bound(MARKET_REC, n) for n in (size - 8, size + 8, size - 1, 0)] == [1] * 4
    MARKET_REC["packed"][0, 6] = -1
    assert unpack_bound(MARKET_REC, size) == 1


def test_views_follow_the_record_and_are_made_once() -> None:
    """A head reads what numpy reads, after the record was overwritten too."""
    views = MarketViews()
    first = views.of(MARKET_REC)
    fill(MARKET_REC, TRADE, [(7, 8)], instrument=9, ts_recv_ns=4)
    assert views.of(MARKET_REC) is first
    assert views.of(new(MARKET)) is not first
    head = first.head
    assert (head[KIND], head[INSTRUMENT], head[TS_RECV_NS], head[PRICE]) == (TRADE, 9, 4, 7)
    assert (
        first.packed[: pack_bound(MARKET_REC)] == packed_view(MARKET_REC)[: pack_bound(MARKET_REC)]
    )
