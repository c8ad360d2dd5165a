"""One instrument's market as the engine sees it: book, features, volatility, and how the feed has fared."""

import struct
from functools import partial

from mmd.core.learned.bar_clock import BarClock
from mmd.core.market import book as books
from mmd.core.market import trade_flow, volatility
from mmd.core.market.features import FEATURES
from mmd.core.market.microprice import TOUCH, forget
from mmd.core.market.others_book import OWN_LEVELS
from mmd.core.market.record import (
    DIFF,
    KIND,
    MARKET,
    PARTIAL,
    PRICE,
    SNAPSHOT,
    TOP,
    TRADE,
    TS_EVENT_NS,
    TS_RECV_NS,
    RecordViews,
)
from mmd.core.quoting.inputs import follow
from mmd.jit.kernel import Rec, bind, new

_TOUCH = struct.Struct("=3q")
_UPDATES = (DIFF, TOP)
_OK = books.OK
_CROSSED = books.CROSSED
_NEEDS_RESYNC = frozenset({books.GAP, books.CROSSED, books.TOO_MANY})
_IGNORED = frozenset({books.STALE, books.UNSYNCED, books.GAP, books.TOO_MANY})
"""What leaves the view as it was."""
_NEVER = 2**63 - 1


class MarketView:
    """Applies market records to one instrument's book and keeps what is derived from it.

    Attributes:
        book, features, flow, vol, touch: kernel records.
        own: OWN_LEVELS record of what is taken out of the view before anything is made of it.
        mid_half_ticks: best bid + best ask of the others, 0 before the first two-sided book.
        is_crossed: whether the last update left the book crossed, or one-sided but for our own orders.
        wants_resync: the book is not the venue's any more; cleared by the next snapshot.
        changed_ns: engine time of the last applied update.
        last_trade_ticks: 0 before the first trade.
        lag_ns: receive time less the venue's event time of the last event that stated one, by two clocks;
            None before.
    """

    def __init__(self, own: Rec | None = None) -> None:
        """Own is an OWN_LEVELS record, where the venue's book shows our own orders."""
        self.book: Rec = new(books.BOOK)
        self.own: Rec = new(OWN_LEVELS) if own is None else own
        self.features: Rec = new(FEATURES)
        self.flow: Rec = new(trade_flow.TRADE_FLOW)
        self.vol: Rec = new(volatility.VOLATILITY)
        self.touch: Rec = new(TOUCH)
        self.bar_end_ns = _NEVER
        """When the predictor's bar ends; never where nothing is predicted."""
        self._predictor: BarClock | None = None
        self.is_up = False
        self.is_crossed = False
        self.wants_resync = False
        self.is_dirty = False
        self.mid_half_ticks = 0
        self.bid_ticks = 0
        self.ask_ticks = 0
        self.last_trade_ticks = 0
        self.changed_ns = 0
        self.lag_ns: int | None = None
        self.messages = self.gaps = self.resyncs = self.crossed = self.checks = self.mismatches = 0
        volatility.configure(self.vol, sigma_prior=0.0)
        self._touch = partial(_TOUCH.unpack_from, memoryview(self.touch))
        """Best bid, best ask and their sum."""
        market = new(MARKET)
        self._check = partial(bind(books.check, self.book, market), self.book)
        self._reset = partial(bind(books.reset, self.book), self.book)
        self._forget_touch = partial(bind(forget, self.touch), self.touch)
        self._on_trade = partial(bind(trade_flow.on_trade, self.flow, market), self.flow)
        seen = (self.features, self.book, self.flow, self.vol, self.touch, self.own)
        self._follow = partial(bind(follow, *seen, market, 0), *seen)
        self._reset()

    @property
    def is_synced(self) -> bool:
        """Whether the book is the venue's, as far as sequence numbers tell."""
        return self.is_up and not self.wants_resync and self.mid_half_ticks > 0

    def apply(self, views: RecordViews, now_ns: int) -> None:
        """Apply one record of any kind."""
        if now_ns > self.bar_end_ns:
            self.close_bars(now_ns)
        self.messages += 1
        market, head = views.record, views.head
        kind, ts_event_ns = head[KIND], head[TS_EVENT_NS]
        if ts_event_ns > 0:
            self.lag_ns = head[TS_RECV_NS] - ts_event_ns
        if kind in _UPDATES:
            status = self._follow(market, now_ns)
            if status != _OK and kind == DIFF:
                self._count_trouble(status, now_ns)
            self._view_changed(status, now_ns)
        elif kind == TRADE:
            self._on_trade(market)
            self.last_trade_ticks = head[PRICE]
        elif kind == PARTIAL:
            self._compare(self._check(market))
        elif kind == SNAPSHOT:
            self.resyncs += self.changed_ns > 0
            self.wants_resync = False
            status = self._follow(market, now_ns)
            self._count_trouble(status, now_ns)
            self._view_changed(status, now_ns)

    def predict_by(self, predictor: BarClock) -> None:
        """Have bars closed from now on."""
        self._predictor, self.bar_end_ns = predictor, predictor.end_ns

    def close_bars(self, now_ns: int) -> None:
        """Close the bars that have ended before now; nothing where nothing is predicted."""
        if self._predictor is not None and now_ns > self.bar_end_ns:
            self.bar_end_ns = self._predictor.advance(now_ns)

    def _break_bars(self, now_ns: int) -> None:
        """Predict nothing from a past with a hole in it."""
        if self._predictor is not None:
            self._predictor.restart(now_ns)
            self.bar_end_ns = self._predictor.end_ns

    def lose(self, now_ns: int = 0) -> None:
        """The feed is gone: nothing in the book can be relied on until the next snapshot."""
        self._break_bars(now_ns)
        self.is_up = False
        self.lag_ns = None
        self._forget_touch()
        self._reset()

    def _count_trouble(self, status: int, now_ns: int) -> None:
        """Count a gap or a crossed book, and ask for a new snapshot."""
        if status in _NEEDS_RESYNC:
            self._break_bars(now_ns)
            self.wants_resync = True
            self.gaps += status != _CROSSED
            self.crossed += status == _CROSSED

    def _view_changed(self, status: int, now_ns: int) -> None:
        if status in _IGNORED:
            return
        self.changed_ns = now_ns
        self.is_dirty = True
        if status == _OK:
            self.is_crossed = False
            self.bid_ticks, self.ask_ticks, self.mid_half_ticks = self._touch()
        else:
            self.is_crossed = True

    def _compare(self, result: int) -> None:
        """Count a comparison with the venue's own picture; a difference is a reason to start again."""
        if result == books.NOT_COMPARABLE:
            return
        self.checks += 1
        if result == books.MISMATCH:
            self.mismatches += 1
            self.wants_resync = True
