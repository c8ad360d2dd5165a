"""A venue connected to the embedded exchange through a fault proxy, with a sink that keeps a real book."""

import asyncio
import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import TypeVar

import aiohttp
import numpy as np

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from adapters.binance_spot.sandbox_auth import Credential
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.venue import BinanceSpotVenue
from mmd.core.commands import GATE_TOKEN, Approved, Command, ResyncBook
from mmd.core.events import Event
from mmd.core.instrument import Instrument
from mmd.core.market import book as books
from mmd.core.market.record import DIFF, MARKET, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.jit.kernel import bind, new
from mmd.shell.clock import SystemClock
from tests.unit.adapters.binance_spot.fault_proxy import FaultProxy

E = TypeVar("E")
KEY, SECRET = "embedded-key", "embedded-secret"
STRANGER = Credential("stranger-key", "stranger-secret", "stranger")
"""Another account on the same exchange."""


class Sink:
    """Keeps events and a book, and asks for a resync like the engine does."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.book = new(books.BOOK)
        self.kinds: dict[int, int] = {}
        self.equal_checks = self.wrong_checks = 0
        self.diff_statuses: list[int] = []
        self.ids: dict[int, list[int]] = {TRADE: [], TOP: [], PARTIAL: []}
        self.changed = asyncio.Event()
        self.resync = None
        market = new(MARKET)
        self._bound = bind(books.apply, self.book, market), bind(books.check, self.book, market)

    def on_market(self, market) -> None:
        kind = int(market["kind"][0])
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind in (SNAPSHOT, DIFF):
            status = self._bound[0](self.book, market)
            if kind == DIFF:
                self.diff_statuses.append(status)
            if status == books.GAP and self.resync is not None:
                asyncio.get_running_loop().call_soon(self.resync)
        else:
            self.ids[kind].append(int(market["first" if kind == TRADE else "last"][0]))
        if kind == PARTIAL:
            verdict = self._bound[1](self.book, market)
            self.equal_checks += verdict == 0
            self.wrong_checks += verdict == 1
        self.changed.set()

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    def of(self, kind: type[E], **fields: object) -> list[E]:
        """Events of a kind with these field values."""
        return [
            e
            for e in self.events
            if type(e) is kind and all(getattr(e, k) == v for k, v in fields.items())
        ]

    async def until(self, condition, timeout_s: float = 8.0):
        """Wait until condition() is neither empty, None nor False; returns it."""
        async with asyncio.timeout(timeout_s):
            while not (found := condition()):
                self.changed.clear()
                await self.changed.wait()
        return found

    async def event(self, kind: type[E], count: int = 1, **fields: object) -> E:
        """The count-th event of a kind with these field values, waited for."""
        return (await self.until(lambda: self.of(kind, **fields)[count - 1 :]))[0]


class Rig:
    """One running venue and everything around it."""

    def __init__(self, sandbox: Sandbox, proxies: dict[str, FaultProxy], venue, sink) -> None:
        self.sandbox = sandbox
        self.streams, self.api, self.rest = proxies["streams"], proxies["api"], proxies["rest"]
        self.venue: BinanceSpotVenue = venue
        self.sink: Sink = sink
        self.instrument: Instrument = None
        self.task: asyncio.Task = None
        self.requests: list[str] = []

    def send(self, command: Command) -> None:
        """As the risk gate would."""
        self.venue.send(Approved(command, gate=GATE_TOKEN))

    def send_stream_frame(self, payload: bytes) -> None:
        """A frame that the venue says to every stream client."""
        for connection in self.sandbox._streams.connections:
            connection.send_text(payload)

    def send_api_frame(self, payload: bytes) -> None:
        """A frame that the venue says to every client of the WebSocket API."""
        for connection in self.sandbox._api.connections:
            connection.send_text(payload)

    def announce_shutdown(self) -> None:
        """As web-socket-streams.md has it for combined streams."""
        self.send_stream_frame(
            b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}'
        )

    @property
    def best(self) -> tuple[int, int]:
        """Best bid and ask in ticks, from the book that the sink keeps."""
        px = self.sink.book["px"][0]
        return int(px[0, 0]), int(px[1, 0])

    async def by_hand(self, method: str, path: str, *, stranger: bool = False, **params: object):
        """A signed REST call past the proxies, by hand or by a stranger; returns the JSON answer."""
        key, secret = (STRANGER.key, STRANGER.secret) if stranger else (KEY, SECRET)
        query = "&".join(f"{k}={v}" for k, v in params.items())
        query += ("&" if query else "") + f"timestamp={time.time_ns() // 10**6}"
        signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"{self.sandbox.rest_url}{path}?{query}&signature={signature}"
        async with (
            aiohttp.ClientSession(headers={"X-MBX-APIKEY": key}) as session,
            session.request(method, url) as answer,
        ):
            return await answer.json()


def settings(rest: str, streams: str, api: str, **values: object) -> BinanceSpotSettings:
    return BinanceSpotSettings(
        **{
            "rest_url": f"http://{rest}",
            "stream_url": f"ws://{streams}",
            "api_url": f"ws://{api}/ws-api/v3",
            "api_key": KEY,
            "api_secret": SECRET,
            "instruments": ("MMDUSDT",),
            "silence_timeout_s": 1.0,
            "request_timeout_s": 0.5,
            "recv_window_ms": 500,
        }
        | values,
    )


@contextlib.asynccontextmanager
async def rig(
    *, started: bool = True, before=None, credential: Credential | None = None, **values: object
) -> AsyncIterator[Rig]:
    """Exchange, proxies and a venue; `before(rig)` runs when the exchange is up and the venue is not."""
    requests: list[str] = []
    credentials = (credential or Credential(), STRANGER)
    async with contextlib.AsyncExitStack() as stack:
        sandbox = Sandbox(
            SandboxOptions(seed=3, credentials=credentials),
            on_request=lambda _, method: requests.append(method),
        )
        await stack.enter_async_context(sandbox)
        proxies = {
            name: await stack.enter_async_context(FaultProxy("127.0.0.1", sandbox.port))
            for name in ("rest", "streams", "api")
        }
        where = [proxies[name].where for name in ("rest", "streams", "api")]
        venue = BinanceSpotVenue(
            "test", settings(*where, **values), SystemClock(), np.random.default_rng(5)
        )
        stack.push_async_callback(venue.close)
        made = Rig(sandbox, proxies, venue, Sink())
        made.requests = requests
        if before is not None:
            await before(made)
        if started:
            (made.instrument,) = await venue.load()
            made.sink.resync = lambda: made.send(ResyncBook(made.instrument.id))
            made.task = asyncio.create_task(venue.run(made.sink))
            stack.push_async_callback(_stop, made)
        yield made


async def _stop(made: Rig) -> None:
    """End the venue; a failure that the test has not taken (by setting task to None) fails the test."""
    if made.task is not None:
        made.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await made.task
