"""Request parameters as texts, whichever transport they came by, with the venue's complaints."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from adapters.binance_spot.sandbox_errors import ApiError, mandatory
from mmd.core.units import Side
from mmd.exchange.orders import OrderTif, OrderType, SelfTrade

E = TypeVar("E", bound=Enum)

_UNSUPPORTED = {
    "STOP_LOSS": "Stop loss orders are not supported for this symbol.",
    "STOP_LOSS_LIMIT": "Stop loss limit orders are not supported for this symbol.",
    "TAKE_PROFIT": "Take profit orders are not supported for this symbol.",
    "TAKE_PROFIT_LIMIT": "Take profit limit orders are not supported for this symbol.",
}
_ID_MAX = 2**63


class Params:
    """Named texts; extra ones are ignored, as the venue's clients send some."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def text(self, name: str) -> str:
        """A parameter that must be there. Raises: ApiError -1102."""
        value = self.values.get(name)
        if not value:
            raise mandatory(name)
        return value

    def optional(self, name: str) -> str | None:
        """A parameter that may be absent; an empty one counts as absent."""
        return self.values.get(name) or None

    def is_true(self, name: str) -> bool:
        """Whether a flag was sent and is true."""
        return self.values.get(name, "").lower() == "true"

    def integer(self, name: str) -> int | None:
        """An optional whole number. Raises: ApiError -1100 if it is not one."""
        value = self.optional(name)
        if value is None:
            return None
        if not value.isdigit() or int(value) >= _ID_MAX:
            raise ApiError(
                -1100,
                f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.",
            )
        return int(value)

    def limit(self, default: int, most: int) -> int:
        """The parameter `limit`, at most `most`. Raises: ApiError -1130 if it is 0."""
        value = self.integer("limit")
        if value is None:
            return default
        if value == 0:
            raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(value, most)

    def covers(self, ts_ns: int) -> bool:
        """Whether a time is within startTime and endTime, both inclusive and in milliseconds."""
        start, end = self.integer("startTime"), self.integer("endTime")
        ms = ts_ns // 1_000_000
        return (start is None or ms >= start) and (end is None or ms <= end)

    def client_order_id(self, name: str) -> str | None:
        """An optional client order id. Raises: ApiError -1100 if it has characters that are not allowed."""
        value = self.optional(name)
        allowed = "-_.:/"
        if value is not None and not (
            len(value) <= 36 and all((c.isascii() and c.isalnum()) or c in allowed for c in value)
        ):
            raise ApiError(
                -1100,
                f"Illegal characters found in parameter '{name}'; "
                "legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
            )
        return value

    def side(self) -> Side:
        """BUY or SELL. Raises: ApiError -1102, -1117."""
        return _named(Side, self.text("side"), ApiError(-1117, "Invalid side."))

    def order_type(self) -> OrderType:
        """LIMIT, LIMIT_MAKER or MARKET. Raises: ApiError -1102, -1116, or -2010 for other known types."""
        text = self.text("type")
        if text in _UNSUPPORTED:
            raise ApiError(-2010, _UNSUPPORTED[text])
        return _named(OrderType, text, ApiError(-1116, "Invalid orderType."))

    def tif(self, order_type: OrderType) -> OrderTif:
        """timeInForce: needed for LIMIT, unwanted elsewhere. Raises: ApiError -1102, -1106, -1115."""
        if order_type != OrderType.LIMIT:
            if self.optional("timeInForce") is not None:
                raise ApiError(-1106, "Parameter 'timeInForce' sent when not required.")
            return OrderTif.GTC
        return _named(OrderTif, self.text("timeInForce"), ApiError(-1115, "Invalid timeInForce."))

    def self_trade(self) -> SelfTrade | None:
        """selfTradePreventionMode; None if not sent. Raises: ApiError -1130."""
        text = self.optional("selfTradePreventionMode")
        if text is None:
            return None
        return _named(
            SelfTrade,
            text,
            ApiError(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid."),
        )

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None) -> str:
        """One of the allowed words; default None makes it mandatory. Raises: ApiError -1102, -1130."""
        value = self.optional(name)
        if value is None:
            if default is None:
                raise mandatory(name)
            return default
        if value not in allowed:
            raise ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value


def _named(kind: type[E], text: str, error: ApiError) -> E:
    try:
        return kind[text]
    except KeyError:
        raise error from None
