"""What the exchange tells about: executions of accounts' orders, public trades, changed balances."""

from enum import IntEnum

import msgspec

from mmd.core.units import Side
from mmd.exchange.orders import Order, OrderState, SelfTrade


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


class PreventedMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A self-trade that was prevented: what it would have been, and what each order lost by it."""

    match_id: int
    instrument: int
    taker: Order
    maker: Order
    mode: SelfTrade
    price_ticks: int
    qty_lots: int
    taker_lots: int
    maker_lots: int
    ts_ns: int


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an order's life, with the order's numbers as they were right after it.

    last_* are zero but for trades and preventions. fee_atoms are of fee_asset. request_id is the client's
    own name for a cancel or the order's former name for an amend; former_qty_lots goes with the latter.
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
    prevented: PreventedMatch | None = None
    former_qty_lots: int = 0
    is_working: bool = False


class PublicTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade as everybody sees it."""

    instrument: int
    trade_id: int
    price_ticks: int
    qty_lots: int
    aggressor: Side
    ts_ns: int


class AggregateTrade(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring trades of one aggressor at one price and time, as one."""

    instrument: int
    aggregate_id: int
    first_id: int
    last_id: int
    price_ticks: int
    qty_lots: int
    aggressor: Side
    ts_ns: int


class BalanceChange(msgspec.Struct, frozen=True, kw_only=True):
    """Balances of an account after a change: (asset, free atoms, locked atoms)."""

    account: str
    balances: tuple[tuple[str, int, int], ...]
    ts_ns: int


ExchangeEvent = Execution | PublicTrade | AggregateTrade | BalanceChange
