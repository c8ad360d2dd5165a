"""What is known of a market besides its book: touch, times, troubles; and how a market record changes it, compiled."""

from typing import Final

from mmd.core.market import book as books
from mmd.core.market.book import BOOK
from mmd.core.market.features import FEATURES
from mmd.core.market.microprice import TOUCH
from mmd.core.market.others_book import OWN_LEVELS
from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.core.market.trade_flow import TRADE_FLOW, on_trade
from mmd.core.market.volatility import VOLATILITY
from mmd.core.quoting.inputs import follow
from mmd.jit.kernel import Rec, kernel, layout, leaf
from mmd.jit.places import record_at

SOUND: Final = 0
BROKEN: Final = 1
"""What `see` returns: whether the past has a hole in it from here on."""

VIEW = layout(
    ("is_up", "i8"),
    ("wants_resync", "i8"),
    ("is_crossed", "i8"),
    ("is_dirty", "i8"),
    ("bid_ticks", "i8"),
    ("ask_ticks", "i8"),
    ("mid_half_ticks", "i8"),
    ("last_trade_ticks", "i8"),
    ("changed_ns", "i8"),
    ("lag_ns", "i8"),
    ("has_lag", "i8"),  # 0 = no event has stated a time yet
    ("messages", "i8"),
    ("gaps", "i8"),
    ("resyncs", "i8"),
    ("crossed", "i8"),
    ("checks", "i8"),
    ("mismatches", "i8"),
)
"""The attributes of `mmd.core.market_view.MarketView`, described there."""


@leaf
def _count_trouble(v: Rec, status: int) -> int:
    """Count a gap or a crossed book, and ask for a new snapshot; returns SOUND or BROKEN."""
    if status not in (books.GAP, books.CROSSED, books.TOO_MANY):
        return SOUND
    v.wants_resync = 1
    v.gaps += status != books.CROSSED
    v.crossed += status == books.CROSSED
    return BROKEN


@leaf
def _note_change(v: Rec, t: Rec, status: int, now_ns: int) -> None:
    """Take over the touch where the view has changed."""
    if status not in (books.OK, books.CROSSED, books.ONE_SIDED):
        return
    v.changed_ns = now_ns
    v.is_dirty = 1
    v.is_crossed = int(status != books.OK)
    if status == books.OK:
        v.bid_ticks, v.ask_ticks, v.mid_half_ticks = t.bid, t.ask, t.mid_half_ticks


@leaf
def _compare(v: Rec, result: int) -> None:
    """Count a comparison with the venue's own picture; a difference is a reason to start again."""
    v.checks += result != books.NOT_COMPARABLE
    if result == books.MISMATCH:
        v.mismatches += 1
        v.wants_resync = 1


@kernel
def see(places: Rec, market: Rec, now_ns: int) -> int:
    """Apply a market record of any kind at engine time now_ns; returns SOUND or BROKEN.

    `places` are those of state (VIEW), features, book, flow, vol, touch and own.
    """
    p = places[0]
    view, book, flow = (
        record_at(p.state, VIEW),
        record_at(p.book, BOOK),
        record_at(p.flow, TRADE_FLOW),
    )
    touch = record_at(p.touch, TOUCH)
    v, m, outcome = view[0], market[0], SOUND
    v.messages += 1
    if m.ts_event_ns > 0:
        v.lag_ns, v.has_lag = m.ts_recv_ns - m.ts_event_ns, 1
    if m.kind == SNAPSHOT:
        v.resyncs += v.changed_ns > 0
        v.wants_resync = 0
    if m.kind in (DIFF, TOP, SNAPSHOT):
        features, vol = record_at(p.features, FEATURES), record_at(p.vol, VOLATILITY)
        own = record_at(p.own, OWN_LEVELS)
        status = follow(features, book, flow, vol, touch, own, market, now_ns)
        if m.kind != TOP:
            outcome = _count_trouble(v, status)
        _note_change(v, touch[0], status, now_ns)
    elif m.kind == TRADE:
        on_trade(flow, market)
        v.last_trade_ticks = m.px[0, 0]
    elif m.kind == PARTIAL:
        _compare(v, books.check(book, market))
    return outcome
