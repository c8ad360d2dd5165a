"""The table of all operations: their weight, whether they are signed, and their names on both transports."""

from collections.abc import Callable
from typing import Any

import msgspec

from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_queries import Queries
from adapters.binance_spot.sandbox_trading import Trading

Public = Callable[[Params], Any]
Query = Callable[[str, Params], Any]
Trade = Callable[[str, Params, int], Any]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked; exactly one of public, query, trade is set.

    method is its name on the WebSocket API, verb and path its address on REST; either may be empty.
    """

    method: str = ""
    verb: str = ""
    path: str = ""
    weight: int = 1
    public: Public | None = None
    query: Query | None = None
    trade: Trade | None = None

    @property
    def is_signed(self) -> bool:
        """Whether it needs a key and a signature."""
        return self.public is None


class Operations:
    """All operations, and the one way to run them: charge, do, refund what success makes free."""

    def __init__(self, trading: Trading, queries: Queries, limits: RateLimits) -> None:
        self.all = [*_public(queries), *_account(queries), *_orders(trading)]
        self.by_method = {o.method: o for o in self.all if o.method}
        self._limits = limits

    def run(self, operation: Operation, account: str | None, params: Params, now_ns: int) -> Any:
        """Answer a request that is already authenticated. Raises: ApiError."""
        weight = _depth_weight(params) if operation.path == "/api/v3/depth" else operation.weight
        self._limits.charge(weight, now_ns)
        if operation.public is not None:
            return operation.public(params)
        assert account is not None, "signed operations run for an account"
        if operation.query is not None:
            return operation.query(account, params)
        assert operation.trade is not None
        answer = operation.trade(account, params, now_ns)
        if operation.weight == 1:
            self._limits.refund(weight)
        return answer


def _public(q: Queries) -> list[Operation]:
    v3 = "/api/v3/"
    rows: list[tuple[str, str, int, Public]] = [
        ("ping", "ping", 1, lambda _: {}),
        ("time", "time", 1, q.time),
        ("exchangeInfo", "exchangeInfo", 20, q.info),
        ("depth", "depth", 5, q.depth),
        ("trades.recent", "trades", 25, q.trades),
        ("avgPrice", "avgPrice", 2, q.average_price),
        ("ticker.24hr", "ticker/24hr", 2, q.day_ticker),
        ("ticker.price", "ticker/price", 2, q.price_ticker),
        ("ticker.book", "ticker/bookTicker", 2, q.book_ticker),
    ]
    return [
        Operation(method=m, verb="GET", path=v3 + p, weight=w, public=call)
        for m, p, w, call in rows
    ]


def _account(q: Queries) -> list[Operation]:
    v3 = "/api/v3/"
    rows: list[tuple[str, str, int, Query]] = [
        ("account.status", "account", 20, q.account),
        ("account.rateLimits.orders", "rateLimit/order", 40, q.order_counts),
        ("order.status", "order", 4, q.order),
        ("openOrders.status", "openOrders", 6, q.open_orders),
        ("allOrders", "allOrders", 20, q.all_orders),
        ("myTrades", "myTrades", 20, q.my_trades),
    ]
    return [
        Operation(method=m, verb="GET", path=v3 + p, weight=w, query=call) for m, p, w, call in rows
    ]


def _orders(t: Trading) -> list[Operation]:
    v3 = "/api/v3/"
    rows: list[tuple[str, str, str, int, Trade]] = [
        ("order.place", "POST", "order", 1, t.place),
        ("order.test", "POST", "order/test", 1, t.test),
        ("order.cancel", "DELETE", "order", 1, t.cancel),
        ("order.cancelReplace", "POST", "order/cancelReplace", 1, t.cancel_replace),
        ("order.amend.keepPriority", "PUT", "order/amend/keepPriority", 4, t.amend),
        ("openOrders.cancelAll", "DELETE", "openOrders", 1, t.cancel_all),
    ]
    return [
        Operation(method=m, verb=v, path=v3 + p, weight=w, trade=call) for m, v, p, w, call in rows
    ]


def _depth_weight(params: Params) -> int:
    try:
        limit = params.integer("limit") or 100
    except ApiError:
        return 5
    for most, weight in ((100, 5), (500, 25), (1000, 50)):
        if limit <= most:
            return weight
    return 250
