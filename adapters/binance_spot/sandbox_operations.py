"""The table of all operations: their weight, whether they are signed, and their names on both transports."""

from collections.abc import Callable
from typing import Any

import msgspec

from adapters.binance_spot.sandbox_account_queries import AccountQueries
from adapters.binance_spot.sandbox_auth import Credential
from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_listen_keys import ListenKeys
from adapters.binance_spot.sandbox_market_queries import MarketQueries
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_trading import Trading

Public = Callable[[Params], Any]
Query = Callable[[str, Params], Any]
Trade = Callable[[str, Params, int], Any]
Keyed = Callable[[Credential, Params], Any]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked; exactly one of public, query, trade, keyed is set.

    method is its name on the WebSocket API, verb and path its address on REST; either may be empty.
    weigh replaces weight where the parameters matter.
    """

    method: str = ""
    verb: str = ""
    path: str = ""
    weight: int = 1
    weigh: Callable[[Params], int] | None = None
    is_free_on_success: bool = False
    public: Public | None = None
    query: Query | None = None
    trade: Trade | None = None
    keyed: Keyed | None = None

    @property
    def is_signed(self) -> bool:
        """Whether it needs a key and a signature; `keyed` needs only the key."""
        return self.public is None and self.keyed is None


class Operations:
    """All operations, and the one way to run them: charge, do, refund what success makes free."""

    def __init__(
        self,
        trading: Trading,
        markets: MarketQueries,
        accounts: AccountQueries,
        limits: RateLimits,
        listen_keys: ListenKeys | None = None,
    ) -> None:
        self.all = [*_public(markets), *_account(accounts), *_orders(trading)]
        if listen_keys is not None:
            self.all += _listen_keys(listen_keys)
        self.by_method = {o.method: o for o in self.all if o.method}
        self._limits = limits

    def run(self, operation: Operation, account: str | None, params: Params, now_ns: int) -> Any:
        """Answer a request that is already authenticated. Raises: ApiError."""
        weight = operation.weight if operation.weigh is None else operation.weigh(params)
        self._limits.charge(weight, now_ns)
        if operation.public is not None:
            return operation.public(params)
        assert account is not None, "signed operations run for an account"
        if operation.query is not None:
            return operation.query(account, params)
        assert operation.trade is not None
        answer = operation.trade(account, params, now_ns)
        if operation.is_free_on_success:
            self._limits.refund(weight)
        return answer

    def run_keyed(
        self, operation: Operation, credential: Credential, params: Params, now_ns: int
    ) -> Any:
        """Answer a request that needs a key but no signature. Raises: ApiError."""
        assert operation.keyed is not None
        self._limits.charge(operation.weight, now_ns)
        return operation.keyed(credential, params)


_V3 = "/api/v3/"


def _public(q: MarketQueries) -> list[Operation]:
    rows: list[tuple[str, str, int, Public]] = [
        ("ping", "ping", 1, lambda _: {}),
        ("time", "time", 1, q.time),
        ("exchangeInfo", "exchangeInfo", 20, q.info),
        ("trades.recent", "trades", 25, q.trades),
        ("trades.historical", "historicalTrades", 25, q.historical_trades),
        ("trades.aggregate", "aggTrades", 4, q.aggregate_trades),
        ("klines", "klines", 2, q.klines),
        ("uiKlines", "uiKlines", 2, q.klines),
        ("avgPrice", "avgPrice", 2, q.average_price),
    ]
    weighed: list[tuple[str, str, Callable[[Params], int], Public]] = [
        ("depth", "depth", _depth_weight, q.depth),
        ("ticker.24hr", "ticker/24hr", _by_symbols(2, 80), q.day_ticker),
        ("ticker.tradingDay", "ticker/tradingDay", _by_symbols(4, 200), q.trading_day_ticker),
        ("ticker", "ticker", _by_symbols(4, 200), q.rolling_ticker),
        ("ticker.price", "ticker/price", _by_symbols(2, 4), q.price_ticker),
        ("ticker.book", "ticker/bookTicker", _by_symbols(2, 4), q.book_ticker),
    ]
    return [
        *(
            Operation(method=m, verb="GET", path=_V3 + p, weight=w, public=call)
            for m, p, w, call in rows
        ),
        *(
            Operation(method=m, verb="GET", path=_V3 + p, weigh=w, public=call)
            for m, p, w, call in weighed
        ),
    ]


def _account(q: AccountQueries) -> list[Operation]:
    rows: list[tuple[str, str, int, Query]] = [
        ("account.status", "account", 20, q.account),
        ("account.commission", "account/commission", 20, q.commission),
        ("account.rateLimits.orders", "rateLimit/order", 40, q.order_counts),
        ("myFilters", "myFilters", 40, q.filters),
        ("order.status", "order", 4, q.order),
        ("order.amendments", "order/amendments", 4, q.amendments),
        ("allOrders", "allOrders", 20, q.all_orders),
        ("myTrades", "myTrades", 20, q.my_trades),
        ("myPreventedMatches", "myPreventedMatches", 20, q.prevented_matches),
        ("myAllocations", "myAllocations", 20, q.no_lists),
        ("openOrderLists.status", "openOrderList", 6, q.no_lists),
        ("allOrderLists", "allOrderList", 20, q.no_lists),
    ]
    return [
        *(
            Operation(method=m, verb="GET", path=_V3 + p, weight=w, query=call)
            for m, p, w, call in rows
        ),
        Operation(
            method="openOrders.status",
            verb="GET",
            path=_V3 + "openOrders",
            weigh=_by_symbols(6, 80),
            query=q.open_orders,
        ),
        Operation(verb="GET", path="/sapi/v1/asset/tradeFee", query=q.trade_fees),
    ]


def _orders(t: Trading) -> list[Operation]:
    rows: list[tuple[str, str, str, Trade]] = [
        ("order.place", "POST", "order", t.place),
        ("order.cancel", "DELETE", "order", t.cancel),
        ("order.cancelReplace", "POST", "order/cancelReplace", t.cancel_replace),
        ("openOrders.cancelAll", "DELETE", "openOrders", t.cancel_all),
    ]
    return [
        *(
            Operation(method=m, verb=v, path=_V3 + p, trade=call, is_free_on_success=True)
            for m, v, p, call in rows
        ),
        Operation(
            method="order.test",
            verb="POST",
            path=_V3 + "order/test",
            weigh=_test_weight,
            trade=t.test,
        ),
        Operation(
            method="order.amend.keepPriority",
            verb="PUT",
            path=_V3 + "order/amend/keepPriority",
            weight=4,
            trade=t.amend,
        ),
    ]


def _listen_keys(keys: ListenKeys) -> list[Operation]:
    def keep(credential: Credential, params: Params) -> dict[str, Any]:
        keys.keep(credential, params.text("listenKey"))
        return {}

    def close(credential: Credential, params: Params) -> dict[str, Any]:
        keys.close(credential, params.text("listenKey"))
        return {}

    rows: list[tuple[str, str, Keyed]] = [
        ("userDataStream.start", "POST", lambda c, _: {"listenKey": keys.start(c)}),
        ("userDataStream.ping", "PUT", keep),
        ("userDataStream.stop", "DELETE", close),
    ]
    return [
        Operation(method=m, verb=v, path=_V3 + "userDataStream", weight=2, keyed=call)
        for m, v, call in rows
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


def _by_symbols(one: int, several: int) -> Callable[[Params], int]:
    """One weight for a named symbol, another for all or a list."""
    return lambda params: several if params.optional("symbol") is None else one


def _test_weight(params: Params) -> int:
    return 20 if params.is_true("computeCommissionRates") else 1
