"""exchangeInfo: the embedded exchange's instruments in the venue's form. Source: rest-api.md, filters.md."""

from decimal import Decimal
from typing import Any

from adapters.binance_spot.sandbox_lookup import STATUS_NAMES
from adapters.binance_spot.sandbox_numbers import text_of_atoms
from mmd.core.units import ATOMS_PER_UNIT
from mmd.exchange.fees import FeeSchedule
from mmd.exchange.market import Market

_PRICE_MAX = Decimal(10) ** 9


def exchange_info(
    markets: list[Market],
    limits: list[dict[str, Any]],
    now_ms: int,
    *,
    shows_permissions: bool = True,
) -> dict[str, Any]:
    """The whole answer for the given markets."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": limits,
        "exchangeFilters": [],
        "symbols": [_symbol(m, shows_permissions=shows_permissions) for m in markets],
    }


def _symbol(market: Market, *, shows_permissions: bool) -> dict[str, Any]:
    at = market.instrument
    return {
        "symbol": at.symbol,
        "status": STATUS_NAMES[market.status],
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
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters_of(market),
        "permissions": [],
        "permissionSets": [["SPOT"]] if shows_permissions else [],
        "defaultSelfTradePreventionMode": market.rules.self_trade.name,
        "allowedSelfTradePreventionModes": [m.name for m in market.rules.self_trade_modes],
    }


def filters_of(market: Market) -> list[dict[str, Any]]:
    """A market's filters, as exchangeInfo lists them."""
    at, rules = market.instrument, market.rules
    lots = {"minQty": _text(at.qty(at.qty_lots_min)), "stepSize": _text(at.lot_size)}
    filters: list[dict[str, Any]] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": _text(at.price(at.price_ticks_min)),
            "maxPrice": _text(min(at.price(at.price_ticks_max), _PRICE_MAX)),
            "tickSize": _text(at.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            **lots,
            "maxQty": _text(min(at.qty(at.qty_lots_max), _PRICE_MAX)),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            **lots,
            "maxQty": _text(min(at.qty(rules.market_qty_lots_max), _PRICE_MAX)),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": f"{float(rules.bid_ratio_up):g}",
            "bidMultiplierDown": f"{float(rules.bid_ratio_down):g}",
            "askMultiplierUp": f"{float(rules.ask_ratio_up):g}",
            "askMultiplierDown": f"{float(rules.ask_ratio_down):g}",
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": _text(at.notional_min),
            "applyMinToMarket": rules.is_notional_min_for_market,
            "maxNotional": _text(min(at.notional_max, _PRICE_MAX)),
            "applyMaxToMarket": rules.is_notional_max_for_market,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": at.orders_open_max},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": rules.amends_max},
    ]
    if rules.position_lots_max is not None:
        most = _text(at.qty(rules.position_lots_max))
        filters.append({"filterType": "MAX_POSITION", "maxPosition": most})
    return filters


def commission_rates(fees: FeeSchedule) -> dict[str, str]:
    """Maker's and taker's rate; buyers and sellers pay nothing extra."""
    return {
        "maker": text_of_atoms(fees.maker_rate),
        "taker": text_of_atoms(fees.taker_rate),
        "buyer": text_of_atoms(0),
        "seller": text_of_atoms(0),
    }


def discount(market: Market) -> dict[str, Any]:
    """What paying commission in a third asset saves."""
    given = market.fee_schedule.discount
    return {
        "enabledForAccount": given is not None,
        "enabledForSymbol": given is not None,
        "discountAsset": "BNB" if given is None else given.asset,
        "discount": _text(Decimal(0) if given is None else given.ratio),
    }


def _text(value: Decimal) -> str:
    return text_of_atoms(int(value * ATOMS_PER_UNIT))
