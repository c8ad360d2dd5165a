"""exchangeInfo: the embedded exchange's instruments in the venue's form. Source: rest-api.md, filters.md."""

from decimal import Decimal
from typing import Any

from adapters.binance_spot.sandbox_numbers import text_of_atoms
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.units import ATOMS_PER_UNIT
from mmd.exchange.filters import AMENDS_MAX
from mmd.exchange.market import Market

_STATUS = {
    TradingStatus.TRADING: "TRADING",
    TradingStatus.CANCEL_ONLY: "CANCEL_ONLY",
    TradingStatus.HALTED: "HALT",
}
_PRICE_MAX = Decimal(10) ** 9


def exchange_info(
    markets: list[Market], limits: list[dict[str, Any]], now_ms: int
) -> dict[str, Any]:
    """The whole answer for the given markets."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": limits,
        "exchangeFilters": [],
        "symbols": [_symbol(m) for m in markets],
    }


def _symbol(market: Market) -> dict[str, Any]:
    at = market.instrument
    return {
        "symbol": at.symbol,
        "status": _STATUS[market.status],
        "baseAsset": at.base,
        "baseAssetPrecision": 8,
        "quoteAsset": at.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": False,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(at),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _filters(at: Instrument) -> list[dict[str, Any]]:
    lots = {
        "minQty": _text(at.qty(at.qty_lots_min)),
        "maxQty": _text(min(at.qty(at.qty_lots_max), _PRICE_MAX)),
        "stepSize": _text(at.lot_size),
    }
    ratios = {"up": f"{at.price_ratio_up:g}", "down": f"{at.price_ratio_down:g}"}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": _text(at.price(at.price_ticks_min)),
            "maxPrice": _text(min(at.price(at.price_ticks_max), _PRICE_MAX)),
            "tickSize": _text(at.tick_size),
        },
        {"filterType": "LOT_SIZE", **lots},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {"filterType": "MARKET_LOT_SIZE", **lots},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": ratios["up"],
            "bidMultiplierDown": ratios["down"],
            "askMultiplierUp": ratios["up"],
            "askMultiplierDown": ratios["down"],
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": _text(at.notional_min),
            "applyMinToMarket": True,
            "maxNotional": _text(min(at.notional_max, _PRICE_MAX)),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": at.orders_open_max},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": AMENDS_MAX},
    ]


def _text(value: Decimal) -> str:
    return text_of_atoms(int(value * ATOMS_PER_UNIT))
