"""What the exchange tells about: executions of accounts' orders, public trades, changed balances."""

from enum import IntEnum

import msgspec

from mmd.core.units import Side
from mmd.exchange.orders import Order, OrderState


class ExecutionKind(IntEnum):
    """What happened to an order."""

    NEW = 0
    CANCELED = 1
    REPLACED = 2
    """Amended in place."""
    REJECTED = 3
    TRADE = 4
    EXPIRED = 5
    TRADE_PREVENTION = 6


class ExpiryReason(IntEnum):
    """Why an order expired."""

    NONE = 0
    IOC_REST = 1
    FOK_UNFILLABLE = 2
    NO_LIQUIDITY = 3
    SELF_TRADE = 4


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an order's life, with the order's numbers as they were right after it.

    last_* are zero but for trades and preventions. fee_atoms are of fee_asset, taken from what was
    received. request_id is the client's own name for a cancel or the order's former name for an amend.
    """

    order: Order
    kind: ExecutionKind
    execution_id: int
    state: OrderState
    client_order_id: str
    qty_lots: int
    filled_lots: int
    quote_atoms: int
    ts_ns: int
    last_qty_lots: int = 0
    last_price_ticks: int = 0
    last_quote_atoms: int = 0
    trade_id: int = -1
    is_maker: bool = False
    fee_atoms: int = 0
    fee_asset: str = ""
    request_id: str = ""
    expiry: ExpiryReason = ExpiryReason.NONE
    counter_order_id: int = 0
    is_working: bool = False


class PublicTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade as everybody sees it."""

    instrument: int
    trade_id: int
    price_ticks: int
    qty_lots: int
    aggressor: Side
    ts_ns: int


class BalanceChange(msgspec.Struct, frozen=True, kw_only=True):
    """Balances of an account after a change: (asset, free atoms, locked atoms)."""

    account: str
    balances: tuple[tuple[str, int, int], ...]
    ts_ns: int


ExchangeEvent = Execution | PublicTrade | BalanceChange
