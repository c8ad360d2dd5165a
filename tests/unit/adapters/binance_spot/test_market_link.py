"""Several instruments on several connections, against a server that serves any symbol."""

import asyncio
import contextlib
from collections import defaultdict

import msgspec
import numpy as np
from aiohttp import web

from adapters.binance_spot.market_link import MarketLink
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.unknown_events import UnknownEvents
from adapters.binance_spot.venue_clock import VenueClock
from mmd.core.events import FeedDown, FeedUp
from mmd.core.market.record import DIFF, SNAPSHOT
from mmd.shell.clock import SystemClock
from mmd.shell.rest import RestClient
from tests.unit.adapters.binance_spot.conftest import instrument


class AnySymbol:
    """Serves a one-level book of every symbol; all books move together."""

    def __init__(self) -> None:
        self.last = 100
        self.drop = 0
        """So many new connections are closed at once."""
        self.clients: dict[web.WebSocketResponse, list[str]] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self):
        app = web.Application()
        app.router.add_get("/stream", self._stream)
        app.router.add_get("/api/v3/depth", self._depth)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._mover = asyncio.create_task(self._move())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._mover.cancel()
        await asyncio.wait([self._mover])
        for ws in list(self.clients):
            await ws.close()
        await self._runner.cleanup()

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if self.drop > 0:
            self.drop -= 1
            await ws.close()
            return ws
        self.clients[ws] = request.query["streams"].split("/")
        async for _ in ws:
            pass
        del self.clients[ws]
        return ws

    async def _depth(self, _: web.Request) -> web.Response:
        book = {
            "lastUpdateId": self.last,
            "bids": [["1.00", "10.000"]],
            "asks": [["2.00", "1.000"]],
        }
        return web.json_response(book)

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.last += 1
            for ws, streams in list(self.clients.items()):
                for stream in streams:
                    if stream.endswith("@depth@100ms"):
                        symbol = stream.partition("@")[0].upper()
                        ids = {"U": self.last, "u": self.last, "b": [["1.00", "20.000"]], "a": []}
                        diff = {"e": "depthUpdate", "E": 1_700_000_000_000, "s": symbol, **ids}
                        frame = {"stream": stream, "data": diff}
                        with contextlib.suppress(ConnectionError):
                            await ws.send_str(msgspec.json.encode(frame).decode())


class Sink:
    """Ids of diffs and kinds of events by instrument."""

    def __init__(self) -> None:
        self.market: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.events: dict[int, list[type]] = defaultdict(list)

    def on_market(self, market) -> None:
        seen = int(market["kind"][0]), int(market["last"][0])
        self.market[int(market["instrument"][0])].append(seen)

    def on_event(self, event) -> None:
        self.events[event.instrument].append(type(event))


async def until(condition) -> None:
    for _ in range(800):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@contextlib.asynccontextmanager
async def link(server: AnySymbol, count: int, **values: object):
    """A running market link of `count` instruments, and its sink."""
    settings = BinanceSpotSettings(
        rest_url=f"http://{server.where}", stream_url=f"ws://{server.where}", observe=True, **values
    )
    clock, sink = SystemClock(), Sink()
    client = RestClient(settings.rest_url, clock)
    api = RestApi(client, clock, VenueClock(clock), api_key="", signer=None, recv_window_ms=1_000)
    instruments = [instrument(k, f"S{k}USDT", "0.01", "0.001") for k in range(count)]
    market = MarketLink(
        "test", settings, instruments, api, clock, np.random.default_rng(1), UnknownEvents(print)
    )
    task = asyncio.create_task(market.run(sink))
    try:
        yield market, sink
    finally:
        task.cancel()
        await asyncio.wait([task])
        await api.close()


async def test_instruments_are_spread_over_connections():
    """Two instruments a connection; the loss of one connection leaves the books of the others alone."""
    async with AnySymbol() as server, link(server, 5, streams_per_connection=8) as (_, sink):
        await until(lambda: len(sink.market) == 5 and all(len(m) > 3 for m in sink.market.values()))
        assert sorted(len(s) for s in server.clients.values()) == [4, 8, 8]
        victim = next(ws for ws, streams in server.clients.items() if "s2usdt@trade" in streams)
        await victim.close()
        await until(lambda: sink.events[3] == [FeedUp, FeedDown, FeedUp])
        assert sink.events[2] == [FeedUp, FeedDown, FeedUp]
        assert all(sink.events[k] == [FeedUp] for k in (0, 1, 4))
        for seen in sink.market.values():
            kinds = [kind for kind, _ in seen]
            assert kinds[0] == SNAPSHOT
        for k in (0, 1, 4):
            ids = [last for kind, last in sink.market[k] if kind == DIFF]
            assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_every_connection_is_replaced_without_a_gap():
    """Three connections past their age limit: each book has every diff once, from one snapshot."""
    values = {"streams_per_connection": 4, "connection_lifetime_s": 0.4}
    async with AnySymbol() as server, link(server, 3, **values) as (market, sink):
        market.resync(99)
        began = server.last
        await until(lambda: server.last > began + 100 and len(sink.market) == 3)
        for k in range(3):
            assert sink.events[k] == [FeedUp]
            kinds = [kind for kind, _ in sink.market[k]]
            assert kinds.count(SNAPSHOT) == 1
            ids = [last for kind, last in sink.market[k] if kind == DIFF]
            assert ids == list(range(ids[0], ids[0] + len(ids)))
            assert len(ids) > 50


async def test_replacement_lost_before_it_could_take_over():
    """The old connection stays, and the next attempt replaces it."""
    async with AnySymbol() as server, link(server, 1, connection_lifetime_s=0.3) as (_, sink):
        await until(lambda: len(sink.market[0]) > 3)
        server.drop = 2
        await until(lambda: server.drop == 0)
        began = server.last
        await until(lambda: server.last > began + 60)
        assert sink.events[0] == [FeedUp]
        ids = [last for kind, last in sink.market[0] if kind == DIFF]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
