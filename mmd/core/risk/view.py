"""What the risk gate knows of one instrument, kept current by the engine and settled once a decision.

All of it stands in a RISK record, where the compiled checks read it; `mmd.core.risk.order_check` says what they do.
"""

import struct
from functools import partial

from mmd.core.instrument import TradingStatus
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.risk.limits import Bounds
from mmd.core.risk.order_check import RISK, UNLIMITED, judge_price, settle
from mmd.core.risk.reasons import RiskReason
from mmd.jit.kernel import Rec, bind, new
from mmd.jit.record_field import Field, word_of, words

UNLIMITED_LOTS = UNLIMITED
_ACTION = struct.Struct("=6q")
_FLOATS = ("price_ratio_down", "price_ratio_up", "collar_bps")
_INTEGERS = (
    "price_ticks_min",
    "price_ticks_max",
    "qty_lots_min",
    "qty_lots_max",
    "notional_min",
    "notional_max",
    "open_orders_max",
    "stale_book_ns",
)
_REASONS = tuple(RiskReason)


class RiskView:
    """One instrument as the gate sees it.

    Prices are ticks, 0 where there is none yet; holdings are atoms, what our orders lock included.

    Attributes:
        record: RISK record; most attributes are its fields.
        bounds: filters and limits of now, set by `limit`.
        position_atoms, base_atoms, quote_atoms: set by `hold`.
        room_lots: by side, what all orders together may come to without passing the position limit.
        exposure_lots: the same for the exposure limits that instruments share.
        reducible_lots: by side, up to what they only shrink the position and cannot turn it round.
        base_lots: what may be offered.
        quote_ticklots: what may be bid, in ticks * lots.
        hindrance: why nothing may be added to the position now (orders that reduce it may go), or OK.
        refusal: why nothing may be sent now; set by `settle`, as are the next.
        price_low, price_high: prices between them pass the filters and the collar.
        venue: whose budgets its commands are charged to, by the throttle's number.
        verdict: on the action judged last.
        rung, slot: level of the ladder that it is for, and where the order is that it is about.
    """

    now_ns = Field(RISK, "now_ns", int)
    bid_ticks = Field(RISK, "bid_ticks", int)
    ask_ticks = Field(RISK, "ask_ticks", int)
    last_ticks = Field(RISK, "last_ticks", int)
    book_ts_ns = Field(RISK, "book_ts_ns", int)
    is_synced = Field(RISK, "is_synced", bool)
    is_private_up = Field(RISK, "is_private_up", bool)
    status = Field(RISK, "status", TradingStatus)
    hindrance = Field(RISK, "hindrance", RiskReason)
    base_lots = Field(RISK, "base_lots", int)
    quote_ticklots = Field(RISK, "quote_ticklots", int)
    refusal = Field(RISK, "refusal", RiskReason)
    venue = Field(RISK, "venue", int)
    verdict = Field(RISK, "verdict", int)
    rung = Field(RISK, "rung", int)
    slot = Field(RISK, "slot", int)
    price_low = Field(RISK, "price_low", int)
    price_high = Field(RISK, "price_high", int)

    def __init__(self, bounds: Bounds, orders: WorkingOrders) -> None:
        """Nothing is known and so nothing passes until the engine has filled it in and settled it."""
        self.orders = orders
        self.record: Rec = new(RISK)
        self.words = words(self.record)
        at = 8 * word_of(RISK, "op")
        self.action = partial(_ACTION.unpack_from, memoryview(self.record), at)
        """The action judged last, see `mmd.core.order_plan`: what is to be done, id of the order that it is about, id of a
        new one, side, price, size."""
        self.status = TradingStatus.HALTED
        self.refusal = RiskReason.NOT_TRADING
        self.exposure_lots = (UNLIMITED_LOTS, UNLIMITED_LOTS)
        self.position_atoms = self.base_atoms = self.quote_atoms = 0
        pictures = (self.record, orders.working)
        self.settle = partial(bind(settle, *pictures), *pictures)
        """Work out what holds for every command of this decision."""
        self._judge_price = partial(bind(judge_price, self.record, 0), self.record)
        self.limit(bounds)

    def limit(self, bounds: Bounds) -> None:
        """Take over filters and limits."""
        self.bounds = bounds
        for name in _FLOATS:
            self.record[name] = getattr(bounds, name)
        for name in _INTEGERS:
            self.record[name] = _clamped(getattr(bounds, name))
        self.record["frees_leaves"] = bounds.replacement_frees_leaves
        self._derive()

    def set_book_age(self, stale_book_ns: int) -> None:
        """From here on the book is stale at another age, until the next `limit`."""
        self.bounds.stale_book_ns = stale_book_ns
        self.record["stale_book_ns"] = stale_book_ns

    def hold(self, position_atoms: int, base_atoms: int, quote_atoms: int) -> None:
        """Take over inventory and holdings; what follows from them is derived only where they changed."""
        if (
            position_atoms != self.position_atoms
            or base_atoms != self.base_atoms
            or quote_atoms != self.quote_atoms
        ):
            self.position_atoms = position_atoms
            self.base_atoms = base_atoms
            self.quote_atoms = quote_atoms
            self._derive()

    @property
    def room_lots(self) -> tuple[int, int]:
        """By side, see the class."""
        return self._pair("room_lots")

    @property
    def reducible_lots(self) -> tuple[int, int]:
        """By side, see the class."""
        return self._pair("reducible_lots")

    @property
    def exposure_lots(self) -> tuple[int, int]:
        """By side, see the class."""
        return self._pair("exposure_lots")

    @exposure_lots.setter
    def exposure_lots(self, lots: tuple[int, int]) -> None:
        self.record["exposure_lots"] = [_clamped(x) for x in lots]

    def price_reason(self, price_ticks: int) -> RiskReason:
        """What filters and collar say of a price."""
        return _REASONS[self._judge_price(_clamped(price_ticks))]

    def _pair(self, name: str) -> tuple[int, int]:
        bought, sold = self.record[name][0].tolist()
        return bought, sold

    def _derive(self) -> None:
        """Everything in lots, rounded down, so that an order is judged by comparisons alone."""
        bounds, held, r = self.bounds, self.position_atoms, self.record
        per_lot = bounds.atoms_per_lot
        room = (bounds.long_atoms_max - held) // per_lot, (bounds.short_atoms_max + held) // per_lot
        r["room_lots"] = [_clamped(x) for x in room]
        r["reducible_lots"] = [_clamped(-held // per_lot), _clamped(held // per_lot)]
        r["base_lots"] = _clamped(self.base_atoms // per_lot)
        r["quote_ticklots"] = _clamped(bounds.ticklots(self.quote_atoms))


def _clamped(value: int) -> int:
    """A limit as large as the checks can count: no order comes near it."""
    return max(min(value, UNLIMITED_LOTS), -UNLIMITED_LOTS)
