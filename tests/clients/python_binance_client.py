"""python-binance: REST, WebSocket API, user socket, its depth cache."""

import asyncio
from decimal import Decimal

from binance import AsyncClient, BinanceSocketManager
from binance.base_client import BaseClient
from binance.exceptions import BinanceAPIException
from binance.ws.depthcache import DepthCacheManager

from tests.clients.conversation import (
    BOOKS,
    KEY,
    SECRET,
    SYMBOL,
    Where,
    fault,
    levels,
    report,
    say,
    traded,
    where,
)


async def _trade(client: AsyncClient) -> None:
    info = await client.get_symbol_info(SYMBOL)
    say("symbol", info["symbol"], info["status"])
    await traded(lambda: client.get_recent_trades(symbol=SYMBOL))
    for name, call in (
        ("order book", client.get_order_book(symbol=SYMBOL, limit=5)),
        ("trades", client.get_recent_trades(symbol=SYMBOL)),
        ("historical trades", client.get_historical_trades(symbol=SYMBOL)),
        ("aggregate trades", client.get_aggregate_trades(symbol=SYMBOL)),
        ("klines", client.get_klines(symbol=SYMBOL, interval="1m")),
        ("ui klines", client.get_ui_klines(symbol=SYMBOL, interval="1m")),
        ("average", client.get_avg_price(symbol=SYMBOL)),
        ("ticker", client.get_ticker(symbol=SYMBOL)),
        ("window", client.get_symbol_ticker_window(symbol=SYMBOL, windowSize="1h")),
        ("trading day", client.v3_get_ticker_trading_day(symbol=SYMBOL)),
        ("commission", client.v3_get_account_commission(symbol=SYMBOL)),
        ("all prices", client.get_all_tickers()),
        ("account", client.get_account()),
        ("balance", client.get_asset_balance(asset="USDT")),
        ("order counts", client.get_current_order_count()),
        ("prevented", client.get_prevented_matches(symbol=SYMBOL, orderId=1)),
        ("allocations", client.get_allocations(symbol=SYMBOL)),
    ):
        say(name, str(await call)[:120])
    placed = await client.create_order(
        symbol=SYMBOL, side="BUY", type="LIMIT_MAKER", quantity="1", price="99"
    )
    say("placed", placed["orderId"])
    await client.create_test_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="1")
    replaced = await client.cancel_replace_order(
        symbol=SYMBOL,
        side="BUY",
        type="LIMIT_MAKER",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=placed["orderId"],
        quantity="2",
        price="98.5",
    )
    order_id = replaced["newOrderResponse"]["orderId"]
    amended = await client._put(
        "order/amend/keepPriority",
        True,
        data={"symbol": SYMBOL, "orderId": order_id, "newQty": "1.5"},
    )
    say("amended", amended["amendedOrder"]["qty"])
    assert [o["origQty"] for o in await client.get_open_orders(symbol=SYMBOL)] == ["1.50000000"]
    assert (await client.cancel_order(symbol=SYMBOL, orderId=order_id))["status"] == "CANCELED"
    assert (await client.get_order(symbol=SYMBOL, orderId=order_id))["status"] == "CANCELED"
    taken = await client.order_market_buy(symbol=SYMBOL, quoteOrderQty="250")
    say("market order", taken["status"], taken["executedQty"], taken["cummulativeQuoteQty"])
    trades = await client.get_my_trades(symbol=SYMBOL)
    assert {t["id"] for t in trades} == {f["tradeId"] for f in taken["fills"]}
    assert len(await client.get_all_orders(symbol=SYMBOL)) == 3


async def _ask_by_socket(client: AsyncClient) -> None:
    """The same over the WebSocket API."""
    say("ws ping", await client.ws_ping(), "time", await client.ws_get_time())
    say("ws info", (await client.ws_get_exchange_info(symbol=SYMBOL))["symbols"][0]["symbol"])
    say("ws book", (await client.ws_get_order_book(symbol=SYMBOL))["lastUpdateId"])
    say("ws klines", len(await client.ws_get_klines(symbol=SYMBOL, interval="1s")))
    order = {"symbol": SYMBOL, "side": "SELL", "quantity": "1", "price": "101"}
    placed = await client.ws_create_order(type="LIMIT_MAKER", **order)
    say("ws placed", placed["orderId"])
    assert (await client.ws_get_order(symbol=SYMBOL, orderId=placed["orderId"]))["status"] == "NEW"
    canceled = await client.ws_cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert canceled["status"] == "CANCELED"
    say("ws account", len((await client.ws_get_account())["balances"]))


async def _hear(client: AsyncClient, sockets: BinanceSocketManager) -> list[str]:
    """User events of one order's life."""
    heard: list[str] = []
    async with sockets.user_socket() as user:
        placed = await client.create_order(
            symbol=SYMBOL, side="BUY", type="LIMIT_MAKER", quantity="1", price="99"
        )
        await client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
        while heard.count("executionReport") < 2 or heard.count("outboundAccountPosition") < 2:
            event = await asyncio.wait_for(user.recv(), 5)
            heard.append(event["e"])
    return heard


async def _streams(sockets: BinanceSocketManager) -> list[str]:
    """One message of each stream that it offers for a symbol."""
    made = {
        "kline": sockets.kline_socket(SYMBOL),
        "miniticker": sockets.symbol_miniticker_socket(SYMBOL),
        "ticker": sockets.symbol_ticker_socket(SYMBOL),
        "all": sockets.miniticker_socket(1000),
        "book": sockets.symbol_book_ticker_socket(SYMBOL),
        "partial": sockets.depth_socket(SYMBOL, depth="5"),
        "trade": sockets.trade_socket(SYMBOL),
        "aggregate": sockets.aggtrade_socket(SYMBOL),
    }
    for name, socket in made.items():
        async with socket as stream:
            message = await asyncio.wait_for(stream.recv(), 20)
            assert "error" not in str(message)[:20], message
            say("stream", name, str(message)[:100])
    return list(made)


async def _books(at: Where, client: AsyncClient) -> tuple[list[object], int]:
    """Its depth cache's books, and how often it started anew after a gap."""
    depth = DepthCacheManager(client, SYMBOL, limit=5000, ws_interval=100, conv_type=Decimal)
    starts = 0
    start = depth._init_cache

    async def counted() -> None:
        nonlocal starts
        starts += 1
        await start()

    depth._init_cache = counted  # type: ignore[method-assign]
    books: list[object] = []
    async with depth as cache:
        while len(books) < BOOKS:
            book = await asyncio.wait_for(cache.recv(), 5)
            books.append((depth._last_update_id, levels(book.get_bids()), levels(book.get_asks())))
        before = starts
        fault(at, fault="frames", kind="gap", stream=f"{SYMBOL.lower()}@depth@100ms")
        while starts == before:
            await asyncio.wait_for(cache.recv(), 5)
    return books, starts - before


async def main(at: Where) -> None:
    """Load, trade, listen, keep a book, lose a message."""
    BaseClient.API_URL = f"{at.rest}/api"
    BaseClient.WS_API_URL = at.api
    BinanceSocketManager.STREAM_URL = f"{at.stream}/"
    client = await AsyncClient.create(KEY, SECRET)
    try:
        await _trade(client)
        await _ask_by_socket(client)
        try:
            await client.create_order(
                symbol=SYMBOL, side="BUY", type="LIMIT_MAKER", quantity="1", price="120"
            )
        except BinanceAPIException as error:
            refused = error.code
        sockets = BinanceSocketManager(client)
        heard = await _hear(client, sockets)
        streams = await _streams(sockets)
        books, restarts = await _books(at, client)
        report(books=books, restarts=restarts, refused=refused, heard=heard, streams=streams)
    finally:
        await client.close_connection()


if __name__ == "__main__":
    asyncio.run(main(where()))
