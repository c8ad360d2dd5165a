"""The embedded exchange's refusals as Binance codes and texts. Source: Binance spot API, errors.md."""

from typing import Any

from mmd.exchange.refusals import Refusal


class ApiError(Exception):
    """An error answer: the venue's code and message, an HTTP status, and extra members if any."""

    def __init__(
        self, code: int, msg: str, status: int = 400, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.data = data
        self.retry_after_s = 0

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        body: dict[str, Any] = {"code": self.code, "msg": self.msg}
        if self.data is not None:
            body["data"] = self.data
        return body


_NEW_ORDER = -2010
_CANCEL = -2011
_AMEND = -2038
_FILTER = -1013

_TEXTS: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_ACCOUNT: (-2015, "Invalid API-key, IP, or permissions for action."),
    Refusal.UNKNOWN_INSTRUMENT: (-1121, "Invalid symbol."),
    Refusal.NOT_TRADING: (_FILTER, "Market is closed."),
    Refusal.PRICE_FILTER: (_FILTER, "Filter failure: PRICE_FILTER"),
    Refusal.PERCENT_PRICE: (_FILTER, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Refusal.LOT_SIZE: (_FILTER, "Filter failure: LOT_SIZE"),
    Refusal.MARKET_LOT_SIZE: (_FILTER, "Filter failure: MARKET_LOT_SIZE"),
    Refusal.MAX_POSITION: (_FILTER, "Filter failure: MAX_POSITION"),
    Refusal.SELF_TRADE_MODE: (
        _FILTER,
        "This symbol does not allow the specified self-trade prevention mode.",
    ),
    Refusal.NOTIONAL: (_FILTER, "Filter failure: NOTIONAL"),
    Refusal.MAX_NUM_ORDERS: (_FILTER, "Filter failure: MAX_NUM_ORDERS"),
    Refusal.MAX_NUM_ORDER_AMENDS: (_AMEND, "Filter failure: MAX_NUM_ORDER_AMENDS"),
    Refusal.INSUFFICIENT_BALANCE: (
        _NEW_ORDER,
        "Account has insufficient balance for requested action.",
    ),
    Refusal.WOULD_TAKE: (_NEW_ORDER, "Order would immediately match and take."),
    Refusal.DUPLICATE_ORDER: (_NEW_ORDER, "Duplicate order sent."),
    Refusal.UNKNOWN_ORDER: (_CANCEL, "Unknown order sent."),
    Refusal.NAME_MISMATCH: (-2039, "Client order ID is not correct for this order ID."),
    Refusal.CANCEL_RESTRICTED: (_CANCEL, "Order was not canceled due to cancel restrictions."),
    Refusal.AMEND_INCREASE: (_AMEND, "Order amend (quantity increase) is not supported."),
    Refusal.AMEND_NO_CHANGE: (
        _AMEND,
        "The requested action would change no state; rejecting.",
    ),
}

REJECT_REASONS = {
    Refusal.INSUFFICIENT_BALANCE: "INSUFFICIENT_BALANCES",
    Refusal.WOULD_TAKE: "WOULD_MATCH_IMMEDIATELY",
}
"""`r` of an execution report whose order was rejected; NONE for the others."""


def api_error(reason: Refusal) -> ApiError:
    """The answer to a refused order, cancel or query."""
    return ApiError(*_TEXTS[reason])


def amend_error(reason: Refusal) -> ApiError:
    """The answer to a refused amend: what the matching engine refuses has a code of its own."""
    code, msg = _TEXTS[reason]
    return ApiError(_AMEND if code in {_CANCEL, _NEW_ORDER} else code, msg)


def mandatory(name: str) -> ApiError:
    """A parameter is missing or not what it should be."""
    return ApiError(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def too_many_requests(limit: int) -> ApiError:
    """The request weight of the minute is used up."""
    return ApiError(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        429,
    )


def banned(until_ms: int) -> ApiError:
    """The address went on asking after it had been told to stop."""
    return ApiError(
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        418,
    )


def too_many_orders(limit: int, interval: str) -> ApiError:
    """The count of unfilled orders is used up."""
    return ApiError(
        -1015, f"Too many new orders; current limit is {limit} orders per {interval}.", 429
    )
