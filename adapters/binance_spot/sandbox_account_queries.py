"""What an account may ask about itself: balances, rates, orders, fills, prevented trades, amendments.

Source: Binance spot API, rest-api.md, "Account Endpoints".
"""

from itertools import islice
from typing import Any

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_errors import ApiError, api_error, mandatory
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_lookup import Lookup
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_reports import Json, balances
from adapters.binance_spot.sandbox_rules import commission_rates, discount, filters_of
from mmd.exchange.executions import Execution
from mmd.exchange.orders import Order
from mmd.exchange.refusals import Refusal, Refused


class AccountQueries:
    """Answers as JSON values. Raises: ApiError, as the venue would answer."""

    def __init__(self, lookup: Lookup, limits: RateLimits, clock: ExchangeClock) -> None:
        self._lookup = lookup
        self._exchange = lookup.exchange
        self._reports = lookup.reports
        self._limits = limits
        self._clock = clock

    def account(self, account: str, params: Params) -> Json:
        """Balances and commission rates."""
        held = self._exchange.accounts[account]
        fees = self._exchange.markets[0].fee_schedule
        assets = sorted(set(held.free) | set(held.locked))
        if params.is_true("omitZeroBalances"):
            assets = [a for a in assets if held.total(a) != 0]
        answer: Json = {
            "makerCommission": fees.maker_rate // 10_000,
            "takerCommission": fees.taker_rate // 10_000,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": commission_rates(fees),
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": False,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": held.ts_updated_ns // 1_000_000,
            "accountType": "SPOT",
            "balances": balances(held, assets),
            "permissions": ["SPOT"],
            "uid": 1 + list(self._exchange.accounts).index(account),
        }
        return answer | ({} if held.trade_group == -1 else {"tradeGroupId": held.trade_group})

    def commission(self, _account: str, params: Params) -> Json:
        """Commission rates of a symbol."""
        market = self._lookup.market(params)
        none = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
        return {
            "symbol": market.instrument.symbol,
            "standardCommission": commission_rates(market.fee_schedule),
            "specialCommission": none,
            "taxCommission": none,
            "discount": discount(market),
        }

    def trade_fees(self, _account: str, params: Params) -> list[Json]:
        """Maker and taker rates of one symbol or of all, as the venue's wallet API lists them."""
        is_all = params.optional("symbol") is None
        markets = self._exchange.markets if is_all else [self._lookup.market(params)]
        return [
            {
                "symbol": market.instrument.symbol,
                "makerCommission": rates["maker"],
                "takerCommission": rates["taker"],
            }
            for market in markets
            for rates in (commission_rates(market.fee_schedule),)
        ]

    def filters(self, _account: str, params: Params) -> Json:
        """The filters that apply to an account on a symbol."""
        market = self._lookup.market(params)
        return {"exchangeFilters": [], "symbolFilters": filters_of(market), "assetFilters": []}

    def order(self, account: str, params: Params) -> Json:
        """One order, open or not."""
        found = self._find(account, params)
        return self._reports[found.instrument].queried(found)

    def amendments(self, account: str, params: Params) -> list[Json]:
        """An order's amendments, oldest first."""
        if params.integer("orderId") is None:
            raise mandatory("orderId")
        found = self._find(account, params)
        from_id = params.integer("fromExecutionId") or 0
        known = (a for a in self._exchange.history.amendments(found) if a.execution_id >= from_id)
        report = self._reports[found.instrument]
        return [report.amendment(a) for a in islice(known, params.limit(500, 1000))]

    def open_orders(self, account: str, params: Params) -> list[Json]:
        """Open orders of one symbol or of all."""
        is_all = params.optional("symbol") is None
        at = None if is_all else self._lookup.market(params).instrument.id
        orders = self._exchange.history.open_orders(account, at)
        return [self._reports[o.instrument].queried(o) for o in orders]

    def all_orders(self, account: str, params: Params) -> list[Json]:
        """Orders from an id or a time on, or the latest."""
        market = self._lookup.market(params)
        limit = params.limit(500, 1000)
        from_id = params.integer("orderId")
        orders = [
            o
            for o in self._exchange.history.all_orders(account, market.instrument.id)
            if params.covers(o.ts_created_ns)
        ]
        if from_id is not None:
            orders = [o for o in orders if o.order_id >= from_id][:limit]
        else:
            orders = orders[-limit:]
        return [self._reports[o.instrument].queried(o) for o in orders]

    def my_trades(self, account: str, params: Params) -> list[Json]:
        """Own trades from an id on, of an order, of a time, or the latest."""
        market = self._lookup.market(params)
        limit = params.limit(500, 1000)
        from_id, order_id = params.integer("fromId"), params.integer("orderId")
        chosen = (
            t
            for t in self._exchange.history.trades(account, market.instrument.id)
            if (from_id is None or t.trade_id >= from_id)
            and (order_id is None or t.order.order_id == order_id)
            and params.covers(t.ts_ns)
        )
        is_forward = any(params.optional(n) is not None for n in ("fromId", "startTime"))
        trades: list[Execution] = (
            list(islice(chosen, limit)) if is_forward else list(chosen)[-limit:]
        )
        return [self._reports[market.instrument.id].own_trade(t) for t in trades]

    def prevented_matches(self, account: str, params: Params) -> list[Json]:
        """Prevented self-trades by their id, or of an order."""
        market = self._lookup.market(params)
        match_id, order_id = params.integer("preventedMatchId"), params.integer("orderId")
        if match_id is None and order_id is None:
            raise ApiError(
                -1102,
                "Param 'preventedMatchId' or 'orderId' must be sent, but both were empty/null!",
            )
        from_id = params.integer("fromPreventedMatchId") or 0
        chosen = (
            p
            for p in self._exchange.history.prevented(account, market.instrument.id)
            if (match_id is None or p.match_id == match_id)
            and (order_id is None or order_id in {p.taker.order_id, p.maker.order_id})
            and p.match_id >= from_id
        )
        report = self._reports[market.instrument.id]
        return [report.prevented_match(p) for p in islice(chosen, params.limit(500, 1000))]

    def no_lists(self, _account: str, _: Params) -> list[Any]:
        """Order lists and allocations: there are none here."""
        return []

    def order_counts(self, _account: str, _: Params) -> list[Json]:
        """Unfilled order counts."""
        return self._limits.usage(self._clock.now_ns())[1:]

    def _find(self, account: str, params: Params) -> Order:
        market = self._lookup.market(params)
        order_id, name = params.integer("orderId"), params.optional("origClientOrderId")
        if order_id is None and name is None:
            raise ApiError(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            )
        try:
            return self._exchange.history.find(account, market.instrument.id, order_id, name)
        except Refused as refused:
            if refused.reason == Refusal.UNKNOWN_ORDER:
                raise ApiError(-2013, "Order does not exist.") from None
            raise api_error(refused.reason) from None
