"""What anybody may ask: rules, books, trades, candles and price statistics.

Source: Binance spot API, rest-api.md, "General endpoints", "Market Data endpoints".
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from adapters.binance_spot.sandbox_candles import Candles, zone_ns
from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_lookup import Lookup
from adapters.binance_spot.sandbox_numbers import text_of_atoms
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_rules import exchange_info
from adapters.binance_spot.sandbox_tickers import Json, Tickers
from mmd.core.units import Side
from mmd.exchange.executions import AggregateTrade, PublicTrade
from mmd.exchange.market import Market
from mmd.exchange.market_stats import DAY_NS, MINUTE_NS

_DEPTH_MAX = 5000
_WINDOW = re.compile(r"([1-9]\d?)([mhd])")
_WINDOW_UNITS = {"m": (MINUTE_NS, 59), "h": (60 * MINUTE_NS, 23), "d": (DAY_NS, 7)}
_PERMISSIONS = frozenset({"SPOT"})


class MarketQueries:
    """Answers as JSON values. Raises: ApiError, as the venue would answer."""

    def __init__(self, lookup: Lookup, limits: RateLimits, clock: ExchangeClock) -> None:
        self._lookup = lookup
        self._limits = limits
        self._clock = clock

    def time(self, _: Params) -> Json:
        """Exchange time in milliseconds."""
        return {"serverTime": self._clock.now_ns() // 1_000_000}

    def info(self, params: Params) -> Json:
        """Rules of all symbols, or of those that the request names or permits."""
        permissions = _permissions(params)
        markets = self._lookup.markets(params)
        if permissions is not None and not permissions & _PERMISSIONS:
            markets = []
        return exchange_info(
            markets,
            self._limits.definitions(),
            self._clock.now_ns() // 1_000_000,
            shows_permissions=params.optional("showPermissionSets") != "false",
        )

    def depth(self, params: Params) -> Json:
        """The book as of its latest update id."""
        market = self._lookup.market(params)
        limit = params.limit(100, _DEPTH_MAX)
        numbers = self._lookup.numbers(market)
        sides = [
            [[numbers.price(p), numbers.qty(q)] for p, q in side.depth(limit)]
            for side in market.book.sides
        ]
        return {"lastUpdateId": market.book.update_id, "bids": sides[0], "asks": sides[1]}

    def trades(self, params: Params) -> list[Json]:
        """Recent public trades, oldest first."""
        market = self._lookup.market(params)
        return [self._trade(market, t) for t in list(market.trades)[-params.limit(500, 1000) :]]

    def historical_trades(self, params: Params) -> list[Json]:
        """Public trades from an id on, or the latest."""
        market = self._lookup.market(params)
        from_id, limit = params.integer("fromId"), params.limit(500, 1000)
        known = [t for t in market.trades if from_id is None or t.trade_id >= from_id]
        chosen = known[-limit:] if from_id is None else known[:limit]
        return [self._trade(market, t) for t in chosen]

    def aggregate_trades(self, params: Params) -> list[Json]:
        """Aggregate trades from an id or a time on, or the latest."""
        market = self._lookup.market(params)
        from_id, limit = params.integer("fromId"), params.limit(500, 1000)
        known = [
            t
            for t in market.aggregates
            if (from_id is None or t.aggregate_id >= from_id) and params.covers(t.ts_ns)
        ]
        is_forward = from_id is not None or params.optional("startTime") is not None
        chosen = known[:limit] if is_forward else known[-limit:]
        return [self._aggregate(market, t) for t in chosen]

    def klines(self, params: Params) -> list[list[Any]]:
        """Candles of a span, or the latest, oldest first."""
        market = self._lookup.market(params)
        zone = zone_ns(params.optional("timeZone"))
        numbers = self._lookup.numbers(market)
        candles = Candles(market, numbers, params.text("interval"), zone)
        limit = params.limit(500, 1000)
        known = [w for w in candles.all(self._clock.now_ns()) if params.covers(w.start_ns)]
        is_forward = params.optional("startTime") is not None
        return [candles.row(w) for w in (known[:limit] if is_forward else known[-limit:])]

    def average_price(self, params: Params) -> Json:
        """Volume-weighted price of the last five minutes; the mid where nothing traded."""
        market = self._lookup.market(params)
        now_ns = self._clock.now_ns()
        last_ns = market.trades[-1].ts_ns if market.trades else now_ns
        price = self._lookup.numbers(market).price(market.reference_ticks(now_ns))
        return {"mins": 5, "price": price, "closeTime": last_ns // 1_000_000}

    def book_ticker(self, params: Params) -> Json | list[Json]:
        """Best bid and ask, of one symbol or of several."""
        return self._each(params, lambda m, t: {"symbol": m.instrument.symbol, **t.book()})

    def price_ticker(self, params: Params) -> Json | list[Json]:
        """Last price, of one symbol or of several."""
        return self._each(
            params,
            lambda m, t: {
                "symbol": m.instrument.symbol,
                "price": self._lookup.numbers(m).price(t.last_ticks),
            },
        )

    def day_ticker(self, params: Params) -> Json | list[Json]:
        """Statistics of the last 24 hours, of one symbol or of several."""
        is_mini, now_ns = _is_mini(params), self._clock.now_ns()
        return self._each(params, lambda _, t: t.day(now_ns, is_mini=is_mini))

    def rolling_ticker(self, params: Params) -> Json | list[Json]:
        """Statistics of the span that `windowSize` names, of one symbol or of several."""
        _need_symbols(params)
        span_ns, is_mini = _window_ns(params), _is_mini(params)
        now_ns = self._clock.now_ns()
        return self._each(params, lambda _, t: t.rolling(span_ns, now_ns, is_mini=is_mini))

    def trading_day_ticker(self, params: Params) -> Json | list[Json]:
        """Statistics of the calendar day in `timeZone`, of one symbol or of several."""
        _need_symbols(params)
        zone, is_mini = zone_ns(params.optional("timeZone")), _is_mini(params)
        now_ns = self._clock.now_ns()
        open_ns = now_ns - (now_ns + zone) % DAY_NS
        close_ns = open_ns + DAY_NS - 1_000_000
        return self._each(params, lambda _, t: t.span(open_ns, close_ns, is_mini=is_mini))

    def _each(self, params: Params, write: Callable[[Market, Tickers], Json]) -> Json | list[Json]:
        markets = self._lookup.markets(params)
        answers = [write(m, Tickers(m, self._lookup.numbers(m))) for m in markets]
        return answers[0] if params.optional("symbol") is not None else answers

    def _trade(self, market: Market, trade: PublicTrade) -> Json:
        numbers = self._lookup.numbers(market)
        quote = market.value.quote_atoms(trade.price_ticks * trade.qty_lots)
        return {
            "id": trade.trade_id,
            "price": numbers.price(trade.price_ticks),
            "qty": numbers.qty(trade.qty_lots),
            "quoteQty": text_of_atoms(quote),
            "time": trade.ts_ns // 1_000_000,
            "isBuyerMaker": trade.aggressor == Side.SELL,
            "isBestMatch": True,
        }

    def _aggregate(self, market: Market, trade: AggregateTrade) -> Json:
        numbers = self._lookup.numbers(market)
        return {
            "a": trade.aggregate_id,
            "p": numbers.price(trade.price_ticks),
            "q": numbers.qty(trade.qty_lots),
            "f": trade.first_id,
            "l": trade.last_id,
            "T": trade.ts_ns // 1_000_000,
            "m": trade.aggressor == Side.SELL,
            "M": True,
        }


def _is_mini(params: Params) -> bool:
    text = params.optional("type") or "FULL"
    if text not in {"FULL", "MINI"}:
        raise ApiError(-1139, "Invalid ticker type.")
    return text == "MINI"


def _need_symbols(params: Params) -> None:
    if params.optional("symbol") is None and params.optional("symbols") is None:
        raise ApiError(-1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!")


def _window_ns(params: Params) -> int:
    """`windowSize`: 1m to 59m, 1h to 23h, 1d to 7d."""
    match = _WINDOW.fullmatch(params.optional("windowSize") or "1d")
    if match is not None:
        unit_ns, most = _WINDOW_UNITS[match[2]]
        if int(match[1]) <= most:
            return int(match[1]) * unit_ns
    raise ApiError(-1130, "Data sent for parameter 'windowSize' is not valid.")


def _permissions(params: Params) -> frozenset[str] | None:
    """One permission, or a JSON list of them; None if not sent."""
    text = params.optional("permissions")
    if text is None:
        return None
    if params.optional("symbol") is not None or params.optional("symbols") is not None:
        raise ApiError(-1128, "Combination of optional parameters invalid.")
    if not text.startswith("["):
        return frozenset({text})
    try:
        return frozenset(msgspec.json.decode(text, type=list[str]))
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise ApiError(-1135, "JSON sent for parameter 'permissions' is not valid") from None
