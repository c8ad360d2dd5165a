"""One instrument's market as the engine sees it: book, features, volatility, and how the feed has fared."""

from functools import partial

from mmd.core.learned.bar_clock import BarClock
from mmd.core.market import book as books
from mmd.core.market import trade_flow, volatility
from mmd.core.market.features import FEATURES
from mmd.core.market.microprice import TOUCH, forget
from mmd.core.market.others_book import OWN_LEVELS
from mmd.core.market.record import MARKET
from mmd.core.view_record import SOUND, VIEW, see
from mmd.jit.kernel import Rec, bind, new, sample
from mmd.jit.places import places
from mmd.jit.record_field import Field, words

_NEVER = 2**63 - 1


class MarketView:
    """Applies market records to one instrument's book and keeps what is derived from it.

    Attributes:
        record: VIEW record; most attributes are its fields.
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

    is_up = Field(VIEW, "is_up", bool)
    is_crossed = Field(VIEW, "is_crossed", bool)
    wants_resync = Field(VIEW, "wants_resync", bool)
    is_dirty = Field(VIEW, "is_dirty", bool)
    bid_ticks = Field(VIEW, "bid_ticks", int)
    ask_ticks = Field(VIEW, "ask_ticks", int)
    mid_half_ticks = Field(VIEW, "mid_half_ticks", int)
    last_trade_ticks = Field(VIEW, "last_trade_ticks", int)
    changed_ns = Field(VIEW, "changed_ns", int)
    messages = Field(VIEW, "messages", int)
    gaps = Field(VIEW, "gaps", int)
    resyncs = Field(VIEW, "resyncs", int)
    crossed = Field(VIEW, "crossed", int)
    checks = Field(VIEW, "checks", int)
    mismatches = Field(VIEW, "mismatches", int)
    _lag_ns = Field(VIEW, "lag_ns", int)
    _has_lag = Field(VIEW, "has_lag", bool)

    def __init__(self, own: Rec | None = None) -> None:
        """Own is an OWN_LEVELS record, where the venue's book shows our own orders."""
        self.record: Rec = new(VIEW)
        self.words = words(self.record)
        self.book: Rec = new(books.BOOK)
        self.own: Rec = new(OWN_LEVELS) if own is None else own
        self.features: Rec = new(FEATURES)
        self.flow: Rec = new(trade_flow.TRADE_FLOW)
        self.vol: Rec = new(volatility.VOLATILITY)
        self.touch: Rec = new(TOUCH)
        self.bar_end_ns = _NEVER
        """When the predictor's bar ends; never where nothing is predicted."""
        self._primed: memoryview[int] = memoryview(self.features["primed"])
        self._predictor: BarClock | None = None
        volatility.configure(self.vol, sigma_prior=0.0)
        self._reset = partial(bind(books.reset, self.book), self.book)
        self._forget_touch = partial(bind(forget, self.touch), self.touch)
        seen = places(
            state=self.record,
            features=self.features,
            book=self.book,
            flow=self.flow,
            vol=self.vol,
            touch=self.touch,
            own=self.own,
        )
        self._see = partial(bind(see, seen, sample(MARKET), 0), seen)
        self._reset()

    @property
    def is_synced(self) -> bool:
        """Whether the book is the venue's, as far as sequence numbers tell."""
        return self.is_up and not self.wants_resync and self.mid_half_ticks > 0

    @property
    def lag_ns(self) -> int | None:
        """See the class."""
        return self._lag_ns if self._has_lag else None

    @lag_ns.setter
    def lag_ns(self, lag_ns: int | None) -> None:
        self._has_lag = lag_ns is not None
        self._lag_ns = 0 if lag_ns is None else lag_ns

    def apply(self, market: Rec, now_ns: int) -> None:
        """Apply one market record of any kind."""
        if now_ns > self.bar_end_ns:
            self.close_bars(now_ns)
        if self._see(market, now_ns) != SOUND:
            self._break_bars(now_ns)

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
        """The feed is gone: nothing in the book can be relied on until the next snapshot, nor measured across the hole."""
        self._primed[0] = 0
        self._break_bars(now_ns)
        self.is_up = False
        self.lag_ns = None
        self._forget_touch()
        self._reset()
