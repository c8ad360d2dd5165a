"""exchangeInfo as instruments: grids, limits, fees, states, and clear errors."""

from decimal import Decimal

import msgspec
import pytest

from adapters.binance_spot.instruments import instruments_of
from adapters.binance_spot.wire import CommissionRates, ExchangeInfo, decode
from mmd.core.instrument import TradingStatus
from mmd.errors import InstrumentError

FILTERS = [
    {
        "filterType": "PRICE_FILTER",
        "minPrice": "0.01000000",
        "maxPrice": "1000000.00000000",
        "tickSize": "0.01000000",
    },
    {
        "filterType": "LOT_SIZE",
        "minQty": "0.00001000",
        "maxQty": "9000.00000000",
        "stepSize": "0.00001000",
    },
    {"filterType": "ICEBERG_PARTS", "limit": 10},
    {
        "filterType": "NOTIONAL",
        "minNotional": "5.00000000",
        "applyMinToMarket": True,
        "maxNotional": "9000000.00000000",
        "applyMaxToMarket": False,
        "avgPriceMins": 5,
    },
    {
        "filterType": "PERCENT_PRICE_BY_SIDE",
        "bidMultiplierUp": "1.2",
        "bidMultiplierDown": "0.2",
        "askMultiplierUp": "5",
        "askMultiplierDown": "0.8",
        "avgPriceMins": 5,
    },
    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 150},
    {"filterType": "SOMETHING_NEW", "value": 1},
]


def info(*symbols: str, filters: list | None = None, status: str = "TRADING") -> ExchangeInfo:
    listed = [
        {
            "symbol": s,
            "status": status,
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "filters": FILTERS if filters is None else filters,
            "permissions": [],
        }
        for s in symbols
    ]
    return decode(msgspec.json.encode({"symbols": listed}), ExchangeInfo, "test")


def of(source: ExchangeInfo, *symbols: str):
    return instruments_of(source, symbols, "v", 7, CommissionRates("0.00100000", "0.00150000"))


def test_every_rule_is_taken_over():
    """Filters in ticks, lots and quote units; fees in basis points."""
    btc, eth = of(info("ETHUSDT", "BTCUSDT"), "BTCUSDT", "ETHUSDT")
    assert (btc.id, btc.symbol, eth.id, eth.symbol) == (7, "BTCUSDT", 8, "ETHUSDT")
    assert (btc.base, btc.quote, btc.settle, btc.venue) == ("BTC", "USDT", "USDT", "v")
    assert (btc.tick_size, btc.lot_size) == (Decimal("0.01"), Decimal("0.00001"))
    assert (btc.price_ticks_min, btc.price_ticks_max) == (1, 100_000_000)
    assert (btc.qty_lots_min, btc.qty_lots_max) == (1, 900_000_000)
    assert (btc.notional_min, btc.notional_max) == (Decimal(5), Decimal(9_000_000))
    assert (btc.price_ratio_down, btc.price_ratio_up) == (0.8, 1.2)
    assert btc.orders_open_max == 150
    assert (btc.maker_fee_bps, btc.taker_fee_bps) == (10.0, 15.0)
    assert btc.grid == (2, 1, 5, 1)


def test_switched_off_limits():
    """A limit of zero is none; missing rules leave wide defaults."""
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0", "maxPrice": "0", "tickSize": "10.0"},
        {"filterType": "LOT_SIZE", "minQty": "0", "maxQty": "0", "stepSize": "1"},
        {"filterType": "MIN_NOTIONAL", "minNotional": "0.1"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "3", "multiplierDown": "0.5"},
    ]
    (x,) = of(info("X", filters=filters), "X")
    assert (x.price_ticks_min, x.qty_lots_min) == (1, 1)
    assert min(x.price_ticks_max, x.qty_lots_max) == 2**53
    assert x.notional_min == Decimal("0.1")
    assert (x.price_ratio_down, x.price_ratio_up) == (0.5, 3.0)
    assert x.grid == (0, 10, 0, 1)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("TRADING", TradingStatus.TRADING),
        ("CANCEL_ONLY", TradingStatus.CANCEL_ONLY),
        ("HALT", TradingStatus.HALTED),
        ("BREAK", TradingStatus.HALTED),
        ("END_OF_DAY", TradingStatus.HALTED),
    ],
)
def test_states(text: str, status: TradingStatus):
    """Whatever is not TRADING or CANCEL_ONLY is taken as halted."""
    assert of(info("X", status=text), "X")[0].status is status


def test_errors_name_what_is_wrong():
    """Unknown symbols, missing grids, and no choice among many."""
    with pytest.raises(InstrumentError, match="v lists no NOPE, NADA"):
        of(info("X"), "X", "NOPE", "NADA")
    with pytest.raises(InstrumentError, match="v X: expected a tick and a lot size"):
        of(info("X", filters=[]), "X")
    with pytest.raises(InstrumentError, match="v lists 17 symbols"):
        of(info(*(f"S{i}" for i in range(17))))
    broken = [FILTERS[0] | {"minPrice": ""}, *FILTERS[1:]]
    with pytest.raises(InstrumentError, match="v X: expected rules in decimal numbers"):
        of(info("X", filters=broken), "X")
    assert [i.symbol for i in of(info("A", "B"))] == ["A", "B"]


@pytest.mark.parametrize("text", ["0.01e-400000", "1e400000", "NaN", "-Infinity"])
@pytest.mark.parametrize("rule", ["tickSize", "minPrice", "maxPrice"])
def test_a_number_of_a_hundred_thousand_digits_is_refused_at_once(rule: str, text: str):
    """Instead of being computed with for minutes."""
    broken = [FILTERS[0] | {rule: text}, *FILTERS[1:]]
    with pytest.raises(InstrumentError, match="v X: expected rules in decimal numbers"):
        of(info("X", filters=broken), "X")


def test_amends_are_a_capability_of_the_symbol():
    """Only where the symbol allows them and says how many. Source: filters.md, MAX_NUM_ORDER_AMENDS."""
    limit = {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10}
    for filters, allowed, amends_max in (
        ([*FILTERS, limit], True, 10),
        ([*FILTERS, limit], False, 0),
        (FILTERS, True, 0),
    ):
        (symbol,) = info("X", filters=filters).symbols
        source = ExchangeInfo((msgspec.structs.replace(symbol, amend_allowed=allowed),))
        assert of(source, "X")[0].amends_max == amends_max
