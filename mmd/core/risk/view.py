"""What the risk gate knows of one instrument, kept current by the engine and settled once a decision.

Everything that no command changes is worked out in `settle`, so that each command is judged by comparisons.
"""

from mmd.core.instrument import TradingStatus
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.risk.limits import Bounds
from mmd.core.risk.reasons import RiskReason

_BPS = 10_000
_SLACK = 1_000
UNLIMITED_LOTS = 2**62
# Members of an Enum are looked up through its metaclass (0.1 us each): the hot ones are bound here.
_OK = RiskReason.OK
_TRADING = TradingStatus.TRADING


class RiskView:
    """One instrument as the gate sees it.

    Prices are ticks, 0 where there is none yet; holdings are atoms, what our orders lock included.

    Attributes:
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
    """

    __slots__ = (
        "_last_high",
        "_last_low",
        "_mid_high",
        "_mid_low",
        "ask_ticks",
        "base_atoms",
        "base_lots",
        "bid_ticks",
        "book_ts_ns",
        "bounds",
        "exposure_lots",
        "hindrance",
        "is_private_up",
        "is_synced",
        "last_ticks",
        "now_ns",
        "orders",
        "position_atoms",
        "price_high",
        "price_low",
        "quote_atoms",
        "quote_ticklots",
        "reducible_lots",
        "refusal",
        "room_lots",
        "status",
    )

    def __init__(self, bounds: Bounds, orders: WorkingOrders) -> None:
        """Nothing is known and so nothing passes until the engine has filled it in and settled it."""
        self.orders = orders
        self.bid_ticks = 0
        self.ask_ticks = 0
        self.last_ticks = 0
        self.book_ts_ns = 0
        self.now_ns = 0
        self.is_synced = False
        self.is_private_up = False
        self.status = TradingStatus.HALTED
        self.hindrance = RiskReason.OK
        self.refusal = RiskReason.NOT_TRADING
        self.exposure_lots = (UNLIMITED_LOTS, UNLIMITED_LOTS)
        self.bounds = bounds
        self.position_atoms = self.base_atoms = self.quote_atoms = 0
        self.price_low = self.price_high = 0
        self._forget_prices()
        self._derive()

    def limit(self, bounds: Bounds) -> None:
        """Take over filters and limits."""
        self.bounds = bounds
        self._forget_prices()
        self._derive()

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

    def settle(self) -> None:
        """Work out what holds for every command of this decision."""
        bid_ticks, ask_ticks, last_ticks = self.bid_ticks, self.ask_ticks, self.last_ticks
        if self.status is not _TRADING:
            self.refusal = RiskReason.NOT_TRADING
        elif not self.is_private_up:
            self.refusal = RiskReason.PRIVATE_DOWN
        elif self.orders.unknown_count > 0:
            self.refusal = RiskReason.UNKNOWN_ORDERS
        elif not self.is_synced or bid_ticks <= 0 or ask_ticks <= 0:
            self.refusal = RiskReason.NOT_SYNCED
        elif bid_ticks >= ask_ticks:
            self.refusal = RiskReason.CROSSED_BOOK
        elif self.now_ns - self.book_ts_ns > self.bounds.stale_book_ns:
            self.refusal = RiskReason.STALE_BOOK
        else:
            self.refusal = _OK
        mid_twice = bid_ticks + ask_ticks
        if (
            not self._mid_low <= mid_twice <= self._mid_high
            or not self._last_low <= last_ticks <= self._last_high
        ):
            self._bound_prices(mid_twice, last_ticks)

    def price_reason(self, price_ticks: int) -> RiskReason:
        """Filters and collar; twice the mid is a whole number, so both sides are doubled."""
        bounds = self.bounds
        mid_twice, last = self.bid_ticks + self.ask_ticks, self.last_ticks
        if not bounds.price_ticks_min <= price_ticks <= bounds.price_ticks_max:
            return RiskReason.PRICE_FILTER
        low, high = bounds.price_ratio_down * mid_twice, bounds.price_ratio_up * mid_twice
        if not low <= 2 * price_ticks <= high:
            return RiskReason.PRICE_FILTER
        collar_bps = bounds.collar_bps
        if abs(2 * price_ticks - mid_twice) * _BPS > collar_bps * mid_twice:
            return RiskReason.COLLAR
        if last > 0 and abs(price_ticks - last) * _BPS > collar_bps * last:
            return RiskReason.COLLAR
        return _OK

    def _forget_prices(self) -> None:
        """Nothing is known to pass."""
        self._mid_low = self._last_low = 1
        self._mid_high = self._last_high = 0

    def _bound_prices(self, mid_twice: int, last_ticks: int) -> None:
        """The range that surely passes `price_reason`, also when mid and last trade have moved by 10 bps.

        A tick inside it where floats might round. So it is found anew once in many moves of the market.
        """
        bounds = self.bounds
        mid_slack, last_slack = mid_twice // _SLACK, last_ticks // _SLACK
        self._mid_low, self._mid_high = mid_twice - mid_slack, mid_twice + mid_slack
        self._last_low, self._last_high = last_ticks - last_slack, last_ticks + last_slack
        down, up = 1.0 - bounds.collar_bps / _BPS, 1.0 + bounds.collar_bps / _BPS
        low = max(bounds.price_ratio_down, down) * self._mid_high / 2
        high = min(bounds.price_ratio_up, up) * self._mid_low / 2
        if last_ticks > 0:
            low, high = max(low, down * self._last_high), min(high, up * self._last_low)
        self.price_low = max(int(low) + 2, bounds.price_ticks_min)
        self.price_high = min(int(high) - 1, bounds.price_ticks_max)

    def _derive(self) -> None:
        """Everything in lots, rounded down, so that an order is judged by comparisons alone."""
        bounds, held = self.bounds, self.position_atoms
        self.room_lots = (
            (bounds.long_atoms_max - held) // bounds.atoms_per_lot,
            (bounds.short_atoms_max + held) // bounds.atoms_per_lot,
        )
        self.reducible_lots = -held // bounds.atoms_per_lot, held // bounds.atoms_per_lot
        self.base_lots = self.base_atoms // bounds.atoms_per_lot
        self.quote_ticklots = bounds.ticklots(self.quote_atoms)
