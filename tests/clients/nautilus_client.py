"""NautilusTrader: its Binance adapter's instruments, books, trades, quotes, orders and user events."""

import asyncio
from typing import Any

from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.config import InstrumentProviderConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import BookType, OrderSide
from nautilus_trader.model.events import OrderAccepted, OrderEvent
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from tests.clients.conversation import BOOKS, KEY, SECRET, SYMBOL, Where, report, say, until, where

_AT = InstrumentId.from_str(f"{SYMBOL}.{BINANCE}")


class Conversation(Strategy):  # type: ignore[misc]
    """Listens, rests an order far from the market, changes it, cancels it, and takes."""

    def on_start(self) -> None:
        self.books: list[Any] = []
        self.heard: set[str] = set()
        self.events: list[str] = []
        self.subscribe_order_book_deltas(_AT, BookType.L2_MBP)
        self.subscribe_trade_ticks(_AT)
        self.subscribe_quote_ticks(_AT)
        self.resting = self.order_factory.limit(
            _AT, OrderSide.BUY, Quantity.from_str("1"), Price.from_str("98.00"), post_only=True
        )
        self.submit_order(self.resting)

    def on_stop(self) -> None:
        self.cancel_all_orders(_AT)

    def on_order_book_deltas(self, deltas: Any) -> None:
        book = self.cache.order_book(_AT)
        if deltas.is_snapshot or book is None:
            return
        sides = (
            [[str(v.price), str(v.size())] for v in side] for side in (book.bids(), book.asks())
        )
        self.books.append((deltas.sequence, *sides))

    def on_trade_tick(self, tick: Any) -> None:
        self._hear("trade", tick)

    def on_quote_tick(self, tick: Any) -> None:
        self._hear("quote", tick)

    def on_order_event(self, event: OrderEvent) -> None:
        say(event)
        self.events.append(type(event).__name__)
        if (
            isinstance(event, OrderAccepted)
            and event.client_order_id == self.resting.client_order_id
        ):
            self.cancel_order(self.resting)
            self.submit_order(self.order_factory.market(_AT, OrderSide.BUY, Quantity.from_str("1")))

    def _hear(self, what: str, tick: Any) -> None:
        if what not in self.heard:
            say(what, tick)
        self.heard.add(what)

    @property
    def is_done(self) -> bool:
        """Everything heard, and both orders at their ends."""
        return (
            len(self.books) >= BOOKS
            and self.heard == {"trade", "quote"}
            and {"OrderCanceled", "OrderFilled"} <= set(self.events)
        )


def _node(at: Where) -> TradingNode:
    """Its node with nothing but the addresses changed."""
    common = {
        "api_key": KEY,
        "api_secret": SECRET,
        "account_type": BinanceAccountType.SPOT,
        "base_url_http": at.rest,
        "base_url_ws": at.stream.removesuffix("/stream"),
        "instrument_provider": InstrumentProviderConfig(load_all=True),
    }
    node = TradingNode(
        TradingNodeConfig(
            trader_id=TraderId("MMD-001"),
            logging=LoggingConfig(log_level="ERROR"),
            data_clients={BINANCE: BinanceDataClientConfig(**common)},
            exec_clients={BINANCE: BinanceExecClientConfig(**common)},
            timeout_disconnection=2.0,
            timeout_post_stop=1.0,
        )
    )
    node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
    node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)
    return node


async def _converse(node: TradingNode, strategy: Conversation) -> None:
    running = asyncio.ensure_future(node.run_async())
    await until(lambda: hasattr(strategy, "books") and strategy.is_done, timeout_s=60.0)
    await node.stop_async()
    await running


def main() -> None:
    """Run the node until everything was heard."""
    node, strategy = _node(where()), Conversation()
    node.trader.add_strategy(strategy)
    node.build()
    loop = node.get_event_loop()
    loop.run_until_complete(_converse(node, strategy))
    instrument = node.cache.instrument(_AT)
    fees = [str(instrument.maker_fee), str(instrument.taker_fee)]
    report(
        books=strategy.books,
        heard=sorted(strategy.heard),
        events=sorted(set(strategy.events)),
        increments=[str(instrument.price_increment), str(instrument.size_increment)],
        fees=fees,
    )
    node.dispose()


if __name__ == "__main__":
    main()
