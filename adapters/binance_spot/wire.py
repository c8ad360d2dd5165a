"""Binance spot's JSON messages as typed structs: WebSocket API frames, user data, and REST bodies.

Only fields that are used are named, unknown fields are ignored. Names follow
the documents (rest-api.md, web-socket-api.md, user-data-stream.md); one-letter names are spelt out here.
"""

import functools
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Raw, Struct, field

from mmd.core.units import Side
from mmd.errors import CodecError

T = TypeVar("T")


class RateLimit(Struct, rename="camel", frozen=True):
    """One budget; `count` is what is used of it, absent where only the limit is stated."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int = 0


class OrderReport(Struct, rename="camel", frozen=True, kw_only=True):
    """An order as placements, cancels, queries and lists report it; a failed leg has only code and msg."""

    code: int = 0
    msg: str = ""
    symbol: str = ""
    order_id: int = 0
    client_order_id: str = ""
    orig_client_order_id: str = ""
    transact_time: int = 0
    price: str = "0"
    orig_qty: str = "0"
    executed_qty: str = "0"
    status: str = ""
    side: str = ""
    order_reports: tuple["OrderReport", ...] = ()
    """Of an order list cancelled as a whole."""


class AmendedOrder(Struct, rename="camel", frozen=True, kw_only=True):
    """The order inside an amend's answer."""

    order_id: int
    price: str
    qty: str
    executed_qty: str
    status: str
    side: str


class AmendResult(Struct, rename="camel", frozen=True):
    """Answer to order.amend.keepPriority."""

    transact_time: int
    amended_order: AmendedOrder


class CancelReplaceResult(Struct, rename="camel", frozen=True):
    """Answer to order.cancelReplace, successful or (as error data) in part."""

    cancel_result: str = ""
    new_order_result: str = ""
    cancel_response: OrderReport | None = None
    new_order_response: OrderReport | None = None


class ErrorData(CancelReplaceResult, rename="camel", frozen=True):
    """What errors may add: the legs of a cancelReplace, or when to come back (Unix ms)."""

    server_time: int = 0
    retry_after: int = 0


class ApiError(Struct, frozen=True):
    """Why a request failed."""

    code: int
    msg: str
    data: ErrorData | None = None


class ExecutionReport(Struct, tag_field="e", tag="executionReport", frozen=True, kw_only=True):
    """Something happened to an order of the account."""

    event_ms: int = field(name="E")
    symbol: str = field(name="s")
    client_order_id: str = field(name="c")
    side: str = field(name="S")
    qty: str = field(name="q")
    price: str = field(name="p")
    orig_client_order_id: str = field(name="C")
    execution_type: str = field(name="x")
    status: str = field(name="X")
    reject_reason: str = field(name="r")
    order_id: int = field(name="i")
    last_qty: str = field(name="l")
    filled_qty: str = field(name="z")
    last_price: str = field(name="L")
    commission: str = field(name="n")
    commission_asset: str | None = field(name="N")
    transact_ms: int = field(name="T")
    trade_id: int = field(name="t")
    is_maker: bool = field(name="m")


class PositionBalance(Struct, frozen=True):
    """One asset of an OutboundAccountPosition."""

    asset: str = field(name="a")
    free: str = field(name="f")
    locked: str = field(name="l")


class OutboundAccountPosition(Struct, tag_field="e", tag="outboundAccountPosition", frozen=True):
    """Balances that may have changed, as they are now."""

    updated_ms: int = field(name="u")
    balances: tuple[PositionBalance, ...] = field(name="B")


class BalanceUpdate(Struct, tag_field="e", tag="balanceUpdate", frozen=True):
    """A deposit, withdrawal or transfer, as a difference."""

    asset: str = field(name="a")
    delta: str = field(name="d")


class ExternalLockUpdate(Struct, tag_field="e", tag="externalLockUpdate", frozen=True):
    """Another system of the venue locked or freed holdings, as a difference."""

    asset: str = field(name="a")
    delta: str = field(name="d")


class ListStatus(Struct, tag_field="e", tag="listStatus", frozen=True):
    """State of an order list; its orders report themselves too. We place none."""

    symbol: str = field(name="s")


class EventStreamTerminated(Struct, tag_field="e", tag="eventStreamTerminated", frozen=True):
    """The user-data subscription is over."""

    event_ms: int = field(name="E")


class ServerShutdown(Struct, tag_field="e", tag="serverShutdown", frozen=True):
    """The server will close this connection soon."""

    event_ms: int = field(name="E")


UserEvent = (
    ExecutionReport
    | OutboundAccountPosition
    | BalanceUpdate
    | ExternalLockUpdate
    | ListStatus
    | EventStreamTerminated
    | ServerShutdown
)


_KNOWN_EVENTS = frozenset(kind.__struct_config__.tag for kind in get_args(UserEvent))


class ApiFrame(Struct, rename="camel", frozen=True):
    """Any frame of the WebSocket API: an answer (id, status) or an event."""

    id: int | str | None = None
    status: int = 0
    result: Raw = msgspec.field(default_factory=Raw)
    error: ApiError | None = None
    rate_limits: tuple[RateLimit, ...] = ()
    subscription_id: int | None = None
    event: UserEvent | None = None


class NamedEvent(Struct, frozen=True):
    """An event of which nothing but its kind is known."""

    name: str = field(name="e", default="")


class NamedFrame(Struct, frozen=True):
    """A frame of the WebSocket API, if it carries an event."""

    event: NamedEvent | None = None


class StreamControl(Struct, frozen=True):
    """A frame of a market-data connection that carries no market data."""

    id: int | str | None = None
    code: int | None = None
    msg: str = ""
    error: ApiError | None = None
    stream: str = ""
    event: str = field(name="e", default="")


class ServerTime(Struct, rename="camel", frozen=True):
    """GET /api/v3/time."""

    server_time: int


class SymbolFilter(Struct, rename="camel", frozen=True, kw_only=True):
    """One trading rule; which fields are present depends on filter_type. Source: filters.md."""

    filter_type: str
    min_price: str = "0"
    max_price: str = "0"
    tick_size: str = "0"
    min_qty: str = "0"
    max_qty: str = "0"
    step_size: str = "0"
    min_notional: str = "0"
    max_notional: str = "0"
    multiplier_up: str = "0"
    multiplier_down: str = "0"
    bid_multiplier_up: str = "0"
    bid_multiplier_down: str = "0"
    ask_multiplier_up: str = "0"
    ask_multiplier_down: str = "0"
    max_num_orders: int = 0
    max_num_order_amends: int = 0


class SymbolInfo(Struct, rename="camel", frozen=True, kw_only=True):
    """A symbol of exchangeInfo."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: tuple[SymbolFilter, ...]
    order_types: tuple[str, ...] = ()
    amend_allowed: bool = False


class ExchangeInfo(Struct, rename="camel", frozen=True):
    """GET /api/v3/exchangeInfo."""

    symbols: tuple[SymbolInfo, ...]
    rate_limits: tuple[RateLimit, ...] = ()


class CommissionRates(Struct, frozen=True):
    """Fractions of the traded amount, as decimals."""

    maker: str = "0"
    taker: str = "0"


class AccountBalance(Struct, frozen=True):
    """One asset of an account."""

    asset: str
    free: str
    locked: str


class AccountInfo(Struct, rename="camel", frozen=True, kw_only=True):
    """GET /api/v3/account and account.status."""

    balances: tuple[AccountBalance, ...]
    update_time: int = 0
    can_trade: bool = True
    commission_rates: CommissionRates = CommissionRates()


class MyTrade(Struct, rename="camel", frozen=True, kw_only=True):
    """One of the account's trades."""

    id: int
    order_id: int
    price: str
    qty: str
    commission: str
    commission_asset: str
    time: int
    is_buyer: bool
    is_maker: bool


class RestError(Struct, frozen=True):
    """Body of a refused REST call."""

    code: int
    msg: str


def unknown_event(frame: bytes) -> str:
    """The kind of event that a frame of the WebSocket API carries, if the documents do not have it; else empty."""
    try:
        event = decode(frame, NamedFrame, "WebSocket API").event
    except CodecError:
        return ""
    return "" if event is None or event.name in _KNOWN_EVENTS else event.name


_SIDES = {side.name: side for side in Side}


def side_of(text: str, what: str) -> Side:
    """BUY or SELL. Raises: CodecError for anything else."""
    side = _SIDES.get(text)
    if side is None:
        raise CodecError(f"{what}: expected a side of BUY or SELL, found {text[:40]!r}")
    return side


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """A type's decoder; made once, because unions and tuples are costly to compile."""
    return msgspec.json.Decoder(kind)


def decode(body: bytes | Raw, kind: type[T], what: str) -> T:
    """Read JSON as `kind`. Raises: CodecError, which names `what` and the field or type at fault."""
    wanted: Any = kind
    try:
        decoded: T = _decoder(wanted).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CodecError(f"{what}: {error}") from error
    return decoded
