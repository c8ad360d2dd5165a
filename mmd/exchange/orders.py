"""An account's order at the simulated exchange, and the enums of its life."""

from enum import IntEnum

import msgspec

from mmd.core.units import Side


class OrderType(IntEnum):
    """What an order may do on arrival."""

    LIMIT = 0
    LIMIT_MAKER = 1
    MARKET = 2


class OrderTif(IntEnum):
    """How long what is not matched at once may stay."""

    GTC = 0
    IOC = 1
    FOK = 2


class SelfTrade(IntEnum):
    """What happens where an account's order would meet another of its own; the arriving order decides."""

    NONE = 0
    EXPIRE_MAKER = 1
    EXPIRE_TAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4
    """Both orders shrink by what would have traded."""
    TRANSFER = 5
    """Like DECREMENT; between accounts of one trade group what would have traded changes hands too."""


class OrderState(IntEnum):
    """Where an order stands."""

    NEW = 0
    PARTIALLY_FILLED = 1
    FILLED = 2
    CANCELED = 3
    EXPIRED = 4
    EXPIRED_IN_MATCH = 5
    """Ended by self-trade prevention."""
    REJECTED = 6


class Order(msgspec.Struct, eq=False):
    """One order, changed in place by the book and the exchange; identity is `order_id`.

    The book counts matched_lots while it matches; settlement follows trade by trade with filled_lots and
    quote_atoms (what the fills were worth), so that each execution carries the totals of its moment.
    locked_atoms is what remains set aside (quote for a buy, base for a sell). Self-trade prevention takes
    lots off in the same two steps: withheld_lots in the book, prevented_lots as it is told.
    quote_asked_atoms is not 0 for a market order over an amount of quote.
    """

    order_id: int
    account: str
    instrument: int
    client_order_id: str
    side: Side
    type: OrderType
    tif: OrderTif
    price_ticks: int
    qty_lots: int
    ts_created_ns: int
    ts_updated_ns: int
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    state: OrderState = OrderState.NEW
    matched_lots: int = 0
    filled_lots: int = 0
    quote_atoms: int = 0
    locked_atoms: int = 0
    withheld_lots: int = 0
    prevented_lots: int = 0
    prevented_id: int = -1
    quote_asked_atoms: int = 0
    trade_group: int = -1
    amends: int = 0

    @property
    def leaves_lots(self) -> int:
        """What may still be matched."""
        return self.qty_lots - self.matched_lots - self.withheld_lots

    @property
    def open_lots(self) -> int:
        """What is neither filled nor prevented, as told so far."""
        return self.qty_lots - self.filled_lots - self.prevented_lots

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.state <= OrderState.PARTIALLY_FILLED
