"""A small exchange for tests: one instrument, two accounts, and short words for orders."""

from decimal import Decimal

import msgspec

from mmd.core.instrument import Instrument
from mmd.core.units import Side
from mmd.exchange.default_instrument import synthetic_instrument
from mmd.exchange.exchange import Exchange, OrderRequest
from mmd.exchange.orders import OrderTif, OrderType, SelfTrade

BUY, SELL = Side.BUY, Side.SELL
ASSETS = {"USDT": 10**14, "MMD": 10**12}


def instrument(**changes: object) -> Instrument:
    """The default instrument without a smallest notional, so that tests can use small numbers."""
    at = synthetic_instrument("MMDUSDT", "binance_spot", 1.0, 2.5)
    return msgspec.structs.replace(at, notional_min=Decimal(0), **changes)


def exchange(*, dictated: bool = False, **changes: object) -> Exchange:
    """Accounts "a" and "b" with plenty of both assets."""
    accounts = {name: dict(ASSETS) for name in ("a", "b")}
    return Exchange([instrument(**changes)], accounts, dictated=dictated)


def order(
    side: Side,
    price_ticks: int,
    qty_lots: int,
    name: str = "1",
    *,
    kind: OrderType = OrderType.LIMIT,
    tif: OrderTif = OrderTif.GTC,
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER,
) -> OrderRequest:
    """A request for instrument 0."""
    return OrderRequest(
        instrument=0,
        client_order_id=name,
        side=side,
        type=kind,
        tif=tif,
        price_ticks=price_ticks,
        qty_lots=qty_lots,
        self_trade=self_trade,
    )
