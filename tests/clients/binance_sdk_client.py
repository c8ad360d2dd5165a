"""The venue's own SDK (binance-sdk-spot): typed REST, WebSocket API and streams.

It keeps no book, so the conversation keeps one from its typed messages by the official procedure.
"""

import asyncio
import logging
from typing import Any

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError
from binance_sdk_spot.rest_api.models import (
    KlinesIntervalEnum,
    NewOrderSideEnum,
    NewOrderTypeEnum,
    OrderCancelReplaceCancelReplaceModeEnum,
    OrderCancelReplaceSideEnum,
    OrderCancelReplaceTypeEnum,
)
from binance_sdk_spot.spot import Spot
from binance_sdk_spot.websocket_api.models import OrderPlaceSideEnum, OrderPlaceTypeEnum
from binance_sdk_spot.websocket_streams.models import (
    DiffBookDepthUpdateSpeedEnum,
    KlineIntervalEnum,
)

from tests.clients.conversation import (
    BOOKS,
    KEY,
    SECRET,
    SYMBOL,
    Where,
    fault,
    report,
    say,
    until,
    where,
)

WAIT_S = 10.0
_LIMIT_MAKER = {"type": NewOrderTypeEnum["LIMIT_MAKER"], "symbol": SYMBOL}


class _Errors(logging.Handler):
    """The SDK logs what goes wrong in its sockets instead of raising it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def _extra(model: Any, path: str = "") -> list[str]:
    """Names of fields that the SDK's models do not know, below a model."""
    found = [f"{path}.{name}" for name in getattr(model, "additional_properties", None) or {}]
    for name in getattr(type(model), "model_fields", {}):
        value = getattr(model, name)
        for item in value if isinstance(value, list) else [value]:
            if hasattr(item, "model_fields") and name != "additional_properties":
                found += _extra(item, f"{path}.{name}")
    return found


def _load(client: Spot) -> list[str]:
    """Everything public; returns unknown fields."""
    api = client.rest_api
    unknown: list[str] = []
    answers = {
        "ping": api.ping(),
        "time": api.time(),
        "exchange info": api.exchange_info(),
        "depth": api.depth(SYMBOL),
        "trades": api.get_trades(SYMBOL),
        "historical trades": api.historical_trades(SYMBOL),
        "aggregate trades": api.agg_trades(SYMBOL),
        "klines": api.klines(SYMBOL, KlinesIntervalEnum["INTERVAL_1m"]),
        "average price": api.avg_price(SYMBOL),
        "ticker": api.ticker(symbol=SYMBOL),
        "24 h": api.ticker24hr(symbol=SYMBOL),
        "book ticker": api.ticker_book_ticker(symbol=SYMBOL),
        "price": api.ticker_price(),
        "trading day": api.ticker_trading_day(symbol=SYMBOL),
        "account": api.get_account(),
        "commission": api.account_commission(SYMBOL),
        "order counts": api.rate_limit_order(),
        "filters": api.my_filters(SYMBOL),
        "all orders": api.all_orders(SYMBOL),
        "order lists": api.open_order_list(),
    }
    for name, answer in answers.items():
        data = answer.data()
        for item in data if isinstance(data, list) else [data]:
            unknown += _extra(item, name)
        say(name, str(data)[:120])
    return unknown


def _trade(client: Spot) -> list[str]:
    """Place, replace, amend, cancel, take; returns unknown fields."""
    api = client.rest_api
    buy, unknown = NewOrderSideEnum["BUY"], []
    placed = api.new_order(side=buy, quantity=1, price=99, **_LIMIT_MAKER).data()
    replaced = api.order_cancel_replace(
        symbol=SYMBOL,
        side=OrderCancelReplaceSideEnum["BUY"],
        type=OrderCancelReplaceTypeEnum["LIMIT_MAKER"],
        cancel_replace_mode=OrderCancelReplaceCancelReplaceModeEnum["STOP_ON_FAILURE"],
        cancel_order_id=placed.order_id,
        quantity=2,
        price=98.5,
    ).data()
    order_id = replaced.new_order_response.order_id
    amended = api.order_amend_keep_priority(SYMBOL, 1.5, order_id=order_id).data()
    amendments = api.order_amendments(SYMBOL, order_id).data()
    opened = api.get_open_orders(symbol=SYMBOL).data()
    assert [o.orig_qty for o in opened] == ["1.50000000"]
    canceled = api.delete_order(SYMBOL, order_id=order_id).data()
    queried = api.get_order(SYMBOL, order_id=order_id).data()
    assert queried.status == "CANCELED"
    taken = api.new_order(SYMBOL, buy, NewOrderTypeEnum["MARKET"], quote_order_qty=250).data()
    trades = api.my_trades(SYMBOL).data()
    assert {t.id for t in trades} == {f.trade_id for f in taken.fills}
    seen = (placed, replaced, amended, *amendments, *opened, canceled, queried, taken, *trades)
    for model in seen:
        unknown += _extra(model, type(model).__name__)
    say("traded", taken.status, taken.executed_qty)
    return unknown


async def _hear(client: Spot) -> list[str]:
    """User events of an order placed over the WebSocket API."""
    api = client.websocket_api
    connection = await api.create_connection()
    heard: list[Any] = []
    subscription = await connection.user_data_stream_subscribe_signature()
    subscription.stream.on("message", heard.append)
    placed = await connection.order_place(
        SYMBOL,
        OrderPlaceSideEnum["BUY"],
        OrderPlaceTypeEnum["LIMIT_MAKER"],
        quantity=1,
        price=99,
    )
    order_id = placed.data().result.order_id
    await connection.order_cancel(SYMBOL, order_id=order_id)
    status = await connection.order_status(SYMBOL, order_id=order_id)
    assert status.data().result.status == "CANCELED"
    depth = await connection.depth(SYMBOL)
    account = await connection.account_status()
    say("socket", depth.data().result.last_update_id, len(account.data().result.balances))
    await until(lambda: len(heard) >= 4)
    await connection.close_connection(close_session=True)
    return [type(event.actual_instance).__name__ for event in heard]


async def _books(at: Where, client: Spot) -> tuple[list[Any], int]:
    """Books kept from its typed diffs by the official procedure, until a gap shows."""
    connection = await client.websocket_streams.create_connection()
    diffs: asyncio.Queue[Any] = asyncio.Queue()
    speed = DiffBookDepthUpdateSpeedEnum["UPDATE_SPEED_100ms"].value
    stream = await connection.diff_book_depth(SYMBOL.lower(), update_speed=speed)
    stream.on("message", diffs.put_nowait)
    others = {
        "trade": await connection.trade(SYMBOL.lower()),
        "aggregate": await connection.agg_trade(SYMBOL.lower()),
        "kline": await connection.kline(SYMBOL.lower(), KlineIntervalEnum["INTERVAL_1s"].value),
    }
    await asyncio.sleep(1.1)
    others |= {
        "ticker": await connection.ticker(SYMBOL.lower()),
        "mini": await connection.mini_ticker(SYMBOL.lower()),
        "book": await connection.book_ticker(SYMBOL.lower()),
    }
    spoke: set[str] = set()
    for name, other in others.items():
        other.on("message", lambda _, name=name: spoke.add(name))
    books: list[Any] = []
    await diffs.get()
    snapshot = client.rest_api.depth(SYMBOL, limit=5000).data()
    sides = tuple(dict(side) for side in (snapshot.bids, snapshot.asks))
    last = snapshot.last_update_id
    async with asyncio.timeout(WAIT_S * 2):
        while True:
            diff = await diffs.get()
            if diff.u <= last:
                continue
            if last + 1 < diff.U:
                assert spoke == set(others), f"silent: {set(others) - spoke}"
                await connection.close_connection(close_session=True)
                return books, diff.U - last - 1
            last = diff.u
            for side, changes in zip(sides, (diff.b, diff.a), strict=True):
                side.update(dict(changes))
                for price in [p for p, q in changes if float(q) == 0.0]:
                    del side[price]
            books.append((last, *(list(side.items()) for side in sides)))
            if len(books) == BOOKS and spoke == set(others):
                fault(at, fault="frames", kind="gap", stream=f"{SYMBOL.lower()}@depth@100ms")
            elif len(books) == BOOKS:
                books.pop(0)


async def main(at: Where) -> None:
    """Load, trade, listen, keep a book, lose a message."""
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    client = Spot(
        config_rest_api=ConfigurationRestAPI(KEY, SECRET, base_path=at.rest),
        config_ws_api=ConfigurationWebSocketAPI(KEY, SECRET, stream_url=at.api),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=f"{at.stream}/stream"),
    )
    await asyncio.sleep(2.0)  # until the market has traded
    unknown = await asyncio.to_thread(_load, client)
    unknown += await asyncio.to_thread(_trade, client)
    refused = ""
    try:
        client.rest_api.new_order(
            side=NewOrderSideEnum["BUY"], quantity=1, price=120, **_LIMIT_MAKER
        )
    except BadRequestError as error:
        refused = str(error)
    heard = await _hear(client)
    books, missing = await _books(at, client)
    report(
        books=books,
        missing=missing,
        refused=refused,
        heard=heard,
        unknown=unknown,
        errors=errors.texts,
    )


if __name__ == "__main__":
    asyncio.run(main(where()))
