"""What a client may ask: market data for everybody, account data for signed requests."""

from itertools import islice
from typing import Any

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_errors import ApiError, api_error
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_numbers import text_of_atoms
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_reports import Json, Reports, balances
from adapters.binance_spot.sandbox_rules import exchange_info
from mmd.core.units import ATOMS_PER_UNIT, Side
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import Execution
from mmd.exchange.market import Market
from mmd.exchange.market_stats import Window
from mmd.exchange.refusals import Refusal, Refused

_DEPTH_MAX = 5000


class Queries:
    """Answers as JSON values. Raises: ApiError, as the venue would answer."""

    def __init__(
        self, exchange: Exchange, reports: list[Reports], limits: RateLimits, clock: ExchangeClock
    ) -> None:
        self._exchange = exchange
        self._reports = reports
        self._limits = limits
        self._clock = clock

    def time(self, _: Params) -> Json:
        """Exchange time in milliseconds."""
        return {"serverTime": self._clock.now_ns() // 1_000_000}

    def info(self, params: Params) -> Json:
        """Rules of all symbols, or of those that the request names."""
        wanted = self._markets(params) or self._exchange.markets
        return exchange_info(wanted, self._limits.definitions(), self._clock.now_ns() // 1_000_000)

    def depth(self, params: Params) -> Json:
        """The book as of its latest update id."""
        market = self._market(params)
        limit = params.limit(100, _DEPTH_MAX)
        numbers = self._reports[market.instrument.id].numbers
        sides = [
            [[numbers.price(p), numbers.qty(q)] for p, q in side.depth(limit)]
            for side in market.book.sides
        ]
        return {"lastUpdateId": market.book.update_id, "bids": sides[0], "asks": sides[1]}

    def trades(self, params: Params) -> list[Json]:
        """Recent public trades, oldest first."""
        market = self._market(params)
        limit = params.limit(500, 1000)
        numbers = self._reports[market.instrument.id].numbers
        recent = list(market.trades)[-limit:]
        return [
            {
                "id": t.trade_id,
                "price": numbers.price(t.price_ticks),
                "qty": numbers.qty(t.qty_lots),
                "quoteQty": text_of_atoms(market.value.quote_atoms(t.price_ticks * t.qty_lots)),
                "time": t.ts_ns // 1_000_000,
                "isBuyerMaker": t.aggressor == Side.SELL,
                "isBestMatch": True,
            }
            for t in recent
        ]

    def book_ticker(self, params: Params) -> Json | list[Json]:
        """Best bid and ask, of one symbol or of all."""
        return self._each(params, self._book_ticker)

    def price_ticker(self, params: Params) -> Json | list[Json]:
        """Last price, of one symbol or of all."""
        return self._each(params, self._price_ticker)

    def day_ticker(self, params: Params) -> Json | list[Json]:
        """Statistics of the last 24 hours, of one symbol or of all."""
        return self._each(params, self._day_ticker)

    def average_price(self, params: Params) -> Json:
        """Volume-weighted price of the last five minutes; the mid where nothing traded."""
        market = self._market(params)
        now_ns = self._clock.now_ns()
        last_ns = market.trades[-1].ts_ns if market.trades else now_ns
        price = self._reports[market.instrument.id].numbers.price(market.reference_ticks(now_ns))
        return {"mins": 5, "price": price, "closeTime": last_ns // 1_000_000}

    def account(self, account: str, params: Params) -> Json:
        """Balances and commission rates."""
        held = self._exchange.accounts[account]
        at = self._exchange.markets[0].instrument
        assets = sorted(set(held.free) | set(held.locked))
        if params.optional("omitZeroBalances") == "true":
            assets = [a for a in assets if held.total(a) != 0]
        return {
            "makerCommission": round(at.maker_fee_bps),
            "takerCommission": round(at.taker_fee_bps),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": f"{at.maker_fee_bps / 10_000:.8f}",
                "taker": f"{at.taker_fee_bps / 10_000:.8f}",
                "buyer": "0.00000000",
                "seller": "0.00000000",
            },
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
            "uid": 1,
        }

    def order(self, account: str, params: Params) -> Json:
        """One order, open or not."""
        market = self._market(params)
        order_id, name = params.integer("orderId"), params.optional("origClientOrderId")
        if order_id is None and name is None:
            raise ApiError(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            )
        try:
            found = self._exchange.history.find(account, market.instrument.id, order_id, name)
        except Refused as refused:
            if refused.reason == Refusal.UNKNOWN_ORDER:
                raise ApiError(-2013, "Order does not exist.") from None
            raise api_error(refused.reason) from None
        return self._reports[found.instrument].queried(found)

    def open_orders(self, account: str, params: Params) -> list[Json]:
        """Open orders of one symbol or of all."""
        at = None if params.optional("symbol") is None else self._market(params).instrument.id
        orders = self._exchange.history.open_orders(account, at)
        return [self._reports[o.instrument].queried(o) for o in orders]

    def all_orders(self, account: str, params: Params) -> list[Json]:
        """Orders from an id or a time on, or the latest."""
        market = self._market(params)
        limit = params.limit(500, 1000)
        from_id = params.integer("orderId")
        orders = [
            o
            for o in self._exchange.history.all_orders(account, market.instrument.id)
            if _in_time(params, o.ts_created_ns)
        ]
        if from_id is not None:
            orders = [o for o in orders if o.order_id >= from_id][:limit]
        else:
            orders = orders[-limit:]
        return [self._reports[o.instrument].queried(o) for o in orders]

    def my_trades(self, account: str, params: Params) -> list[Json]:
        """Own trades from an id on, of an order, of a time, or the latest."""
        market = self._market(params)
        limit = params.limit(500, 1000)
        from_id, order_id = params.integer("fromId"), params.integer("orderId")
        chosen = (
            t
            for t in self._exchange.history.trades(account, market.instrument.id)
            if (from_id is None or t.trade_id >= from_id)
            and (order_id is None or t.order.order_id == order_id)
            and _in_time(params, t.ts_ns)
        )
        is_forward = any(params.optional(n) is not None for n in ("fromId", "startTime"))
        trades: list[Execution] = (
            list(islice(chosen, limit)) if is_forward else list(chosen)[-limit:]
        )
        return [self._reports[market.instrument.id].own_trade(t) for t in trades]

    def order_counts(self, _account: str, _: Params) -> list[Json]:
        """Unfilled order counts."""
        return self._limits.usage(self._clock.now_ns())[1:]

    def _market(self, params: Params) -> Market:
        try:
            return self._exchange.market(params.text("symbol"))
        except Refused as refused:
            raise api_error(refused.reason) from None

    def _markets(self, params: Params) -> list[Market]:
        """The markets that `symbol` or `symbols` name; none if neither was sent."""
        if params.optional("symbol") is not None:
            return [self._market(params)]
        names = params.optional("symbols")
        if names is None:
            return []
        wanted = [n.strip().strip('"') for n in names.strip("[]").split(",")]
        return [self._market(Params({"symbol": name})) for name in wanted]

    def _each(self, params: Params, write: Any) -> Json | list[Json]:
        if params.optional("symbol") is not None:
            answer: Json = write(self._market(params))
            return answer
        return [write(m) for m in self._markets(params) or self._exchange.markets]

    def _book_ticker(self, market: Market) -> Json:
        numbers = self._reports[market.instrument.id].numbers
        answer: Json = {"symbol": market.instrument.symbol}
        for side, name in zip(market.book.sides, ("bid", "ask"), strict=True):
            best = side.best
            answer[f"{name}Price"] = numbers.price(best or 0)
            answer[f"{name}Qty"] = numbers.qty(0 if best is None else side.displayed(best))
        return answer

    def _price_ticker(self, market: Market) -> Json:
        return {
            "symbol": market.instrument.symbol,
            "price": self._reports[market.instrument.id].numbers.price(_last_ticks(market)),
        }

    def _day_ticker(self, market: Market) -> Json:
        numbers = self._reports[market.instrument.id].numbers
        now_ns = self._clock.now_ns()
        last = _last_ticks(market)
        day = market.stats.day(now_ns) or Window(now_ns, last, last, last, last, 0, 0, 0, -1, -1)
        average = day.ticklots // day.qty_lots if day.qty_lots > 0 else last
        change = (day.close_ticks - day.open_ticks) / day.open_ticks if day.open_ticks > 0 else 0.0
        sign = "-" if day.close_ticks < day.open_ticks else ""
        ticker = self._book_ticker(market)
        return {
            "symbol": market.instrument.symbol,
            "priceChange": sign + numbers.price(abs(day.close_ticks - day.open_ticks)),
            "priceChangePercent": f"{100.0 * change:.3f}",
            "weightedAvgPrice": numbers.price(average),
            "prevClosePrice": numbers.price(day.open_ticks),
            "lastPrice": numbers.price(day.close_ticks),
            "lastQty": numbers.qty(market.trades[-1].qty_lots if market.trades else 0),
            **{k: ticker[k] for k in ("bidPrice", "bidQty", "askPrice", "askQty")},
            "openPrice": numbers.price(day.open_ticks),
            "highPrice": numbers.price(day.high_ticks),
            "lowPrice": numbers.price(day.low_ticks),
            "volume": text_of_atoms(
                day.qty_lots * int(market.instrument.lot_size * ATOMS_PER_UNIT)
            ),
            "quoteVolume": text_of_atoms(market.value.quote_atoms(day.ticklots)),
            "openTime": (now_ns - 86_400 * 10**9) // 1_000_000,
            "closeTime": now_ns // 1_000_000,
            "firstId": day.first_id,
            "lastId": day.last_id,
            "count": day.trades,
        }


def _last_ticks(market: Market) -> int:
    """Price of the last trade; the mid, or 0, before the first."""
    if market.book.last_price_ticks > 0:
        return market.book.last_price_ticks
    return market.reference_ticks(0)


def _in_time(params: Params, ts_ns: int) -> bool:
    start, end = params.integer("startTime"), params.integer("endTime")
    ms = ts_ns // 1_000_000
    return (start is None or ms >= start) and (end is None or ms <= end)
