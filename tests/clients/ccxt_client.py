"""ccxt: REST, and ccxt.pro: streams, books, orders and user events over its sockets."""

import asyncio
from typing import Any

import ccxt.pro as ccxt

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

PAIR = "MMD/USDT"
POST_ONLY = {"postOnly": True}
WAIT_S = 20.0


def exchange(at: Where) -> Any:
    """ccxt's Binance client with nothing but the addresses changed."""
    client = ccxt.binance(
        {
            "apiKey": KEY,
            "secret": SECRET,
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
            },
        }
    )
    client.has["fetchCurrencies"] = False  # of another API, which trading does not need
    client.urls["api"]["public"] = client.urls["api"]["private"] = f"{at.rest}/api/v3"
    client.urls["api"]["ws"]["spot"] = f"{at.stream}/ws"
    client.urls["api"]["ws"]["ws-api"]["spot"] = at.api
    return client


async def _rest(client: Any) -> dict[str, Any]:
    """Load, look, place, edit, amend, cancel, take."""
    market = (await client.load_markets())[PAIR]
    say("market", market["precision"], market["limits"]["cost"])
    await traded(lambda: client.fetch_trades(PAIR))
    say("candles", await client.fetch_ohlcv(PAIR, "1m"))
    say("ticker", (await client.fetch_ticker(PAIR))["last"])
    say("tickers", list(await client.fetch_tickers([PAIR])))
    say("best", (await client.fetch_bids_asks([PAIR]))[PAIR]["bid"])
    say("prices", (await client.fetch_last_prices([PAIR]))[PAIR]["price"])
    say("book", (await client.fetch_order_book(PAIR, 5))["nonce"])
    say("time", await client.fetch_time())
    placed = await client.create_order(PAIR, "limit", "buy", 1, 99, POST_ONLY)
    edited = await client.edit_order(placed["id"], PAIR, "limit", "buy", 2, 98.5, POST_ONLY)
    say("edited", edited["id"], edited["amount"])
    amended = await client.fetch2(
        "order/amend/keepPriority",
        ["private"],
        "PUT",
        {"symbol": SYMBOL, "orderId": edited["id"], "newQty": "1.5"},
    )
    say("amended", amended["amendedOrder"]["qty"])
    assert [o["amount"] for o in await client.fetch_open_orders(PAIR)] == [1.5]
    assert (await client.cancel_order(edited["id"], PAIR))["status"] == "canceled"
    assert (await client.fetch_order(edited["id"], PAIR))["status"] == "canceled"
    taken = await client.create_market_buy_order_with_cost(PAIR, 250)
    trades = await client.fetch_my_trades(PAIR)
    assert {t["order"] for t in trades} == {taken["id"]}
    balance = await client.fetch_balance()
    assert balance["USDT"]["used"] == 0
    await client.create_order(PAIR, "limit", "buy", 1, 99, POST_ONLY)
    assert len(await client.cancel_all_orders(PAIR)) == 1
    return {"filled": taken["filled"], "orders": len(await client.fetch_orders(PAIR))}


async def _refusals(client: Any) -> dict[str, str]:
    """How ccxt names what the exchange refuses."""
    seen = {}
    for name, call in (
        ("crossing", lambda: client.create_order(PAIR, "limit", "buy", 1, 120, POST_ONLY)),
        ("unknown", lambda: client.cancel_order("999", PAIR)),
        ("poor", lambda: client.create_order(PAIR, "limit", "buy", 80_000, 99)),
        ("small", lambda: client.create_order(PAIR, "limit", "buy", 0.001, 99)),
    ):
        try:
            await call()
        except ccxt.BaseError as error:
            seen[name] = type(error).__name__
    client.secret = "wrong"
    try:
        await client.fetch_balance()
    except ccxt.BaseError as error:
        seen["signature"] = type(error).__name__
    client.secret = SECRET
    return seen


async def _sockets(client: Any) -> list[str]:
    """Orders over the WebSocket API, and what the user data stream says of them."""
    heard: list[str] = []

    async def listen() -> None:
        while "canceled" not in heard:
            heard.extend(order["status"] for order in await client.watch_orders(PAIR))

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.5)
    placed = await client.create_order_ws(PAIR, "limit", "sell", 1, 101, POST_ONLY)
    edited = await client.edit_order_ws(placed["id"], PAIR, "limit", "sell", 1, 101.5, POST_ONLY)
    assert (await client.fetch_order_ws(edited["id"], PAIR))["status"] == "open"
    await client.cancel_order_ws(edited["id"], PAIR)
    await asyncio.wait_for(listening, WAIT_S)
    changing = asyncio.create_task(client.watch_balance())
    await asyncio.sleep(0.2)
    await client.create_order_ws(PAIR, "market", "buy", 1)
    say("balance", (await asyncio.wait_for(changing, WAIT_S))["USDT"])
    for name, call in (
        ("my trades", client.watch_my_trades(PAIR)),
        ("trades", client.watch_trades(PAIR)),
        ("ticker", client.watch_ticker(PAIR)),
        ("candles", client.watch_ohlcv(PAIR, "1m")),
        ("best", client.watch_bids_asks([PAIR])),
    ):
        if name == "my trades":
            waiting = asyncio.create_task(call)
            await asyncio.sleep(0.2)
            await client.create_order_ws(PAIR, "market", "sell", 1)
            say(name, str(await asyncio.wait_for(waiting, WAIT_S))[:100])
            continue
        say(name, str(await asyncio.wait_for(call, WAIT_S))[:100])
    return sorted(set(heard))


async def _books(at: Where, client: Any) -> tuple[list[Any], str]:
    """ccxt.pro's own book, until a gap trips it."""
    books: list[Any] = []
    while len(books) < BOOKS:
        book = await asyncio.wait_for(client.watch_order_book(PAIR, 1000), WAIT_S)
        books.append((book["nonce"], levels(book["bids"]), levels(book["asks"])))
    fault(at, fault="frames", kind="gap", stream=f"{SYMBOL.lower()}@depth@100ms")
    try:
        for _ in range(50):
            await asyncio.wait_for(client.watch_order_book(PAIR, 1000), WAIT_S)
    except ccxt.ChecksumError as error:
        return books, type(error).__name__
    return books, ""


async def main(at: Where) -> None:
    """Load, trade, listen, keep a book, lose a message."""
    client = exchange(at)
    try:
        rest = await _rest(client)
        refused = await _refusals(client)
        heard = await _sockets(client)
        books, gap = await _books(at, client)
    finally:
        await client.close()
    report(books=books, gap=gap, heard=heard, refused=refused, rest=rest)


if __name__ == "__main__":
    asyncio.run(main(where()))
