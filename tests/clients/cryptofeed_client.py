"""cryptofeed: its books, trades, best prices and candles."""

import asyncio
import logging
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import CANDLES, L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges import Binance

from tests.clients.conversation import (
    BOOKS,
    SYMBOL,
    Where,
    fault,
    levels,
    report,
    say,
    until,
    where,
)


class _Warnings(logging.Handler):
    """What it logs as going wrong."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        say(record.getMessage()[:300])


async def main(at: Where) -> None:
    """Listen, keep a book, lose a message."""
    Binance.websocket_endpoints = [WebsocketEndpoint(at.stream)]
    routes = Routes("/api/v3/exchangeInfo", l2book="/api/v3/depth?symbol={}&limit={}")
    Binance.rest_endpoints = [RestEndpoint(at.rest, routes=routes)]
    books: list[Any] = []
    heard: set[str] = set()

    async def on_book(book: Any, _: float) -> None:
        if book.delta is not None:
            sides = (book.book.bids.to_dict(), book.book.asks.to_dict())
            books.append((book.sequence_number, *(levels(side.items()) for side in sides)))

    def on(channel: str) -> Any:
        async def callback(message: Any, _: float) -> None:
            if channel not in heard:
                say(channel, str(message)[:100])
            heard.add(channel)

        return callback

    callbacks = {L2_BOOK: on_book, **{c: on(c) for c in (TRADES, TICKER, CANDLES)}}
    handler = FeedHandler(config={"uvloop": False, "log": {"disabled": True}})
    feed = Binance(
        symbols=["MMD-USDT"],
        channels=list(callbacks),
        callbacks=callbacks,
        candle_closed_only=False,
    )
    warnings = _Warnings()
    logging.getLogger("feedhandler").addHandler(warnings)
    handler.add_feed(feed)
    handler.run(start_loop=False, install_signal_handlers=False)
    await until(lambda: len(books) >= BOOKS and len(heard) == 3)
    early, before = list(warnings.texts), list(books)
    fault(at, fault="frames", kind="gap", stream=f"{SYMBOL.lower()}@depth@100ms")
    await until(lambda: len(warnings.texts) > len(early))
    books.clear()
    await until(lambda: len(books) >= 5)
    report(
        books=before + books, heard=sorted(heard), early=early, late=warnings.texts[len(early) :]
    )
    await handler.stop_async(asyncio.get_running_loop())


if __name__ == "__main__":
    asyncio.run(main(where()))
