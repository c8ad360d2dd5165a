"""The embedded exchange, proxies before it and a real daemon behind them, to injure and to audit."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from adapters.binance_spot.order_ids import NO_ORDER, decode_id
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from adapters.binance_spot.sandbox_auth import Credential
from adapters.binance_spot.sandbox_control import PATH
from mmd.core.events import Event, FeedUp
from mmd.core.units import Side
from mmd.exchange.exchange import OrderRequest
from mmd.exchange.orders import Order, OrderTif, OrderType
from mmd.journal.reader import sessions_in
from tests.faults.table import Outcome
from tests.faults.witness import Witness
from tests.live_daemon import LiveDaemon, running
from tests.sandbox_client import SECRET, RestClient
from tests.unit.adapters.binance_spot.fault_proxy import FaultProxy

SYMBOL, ACCOUNT = "MMDUSDT", "main"
STRANGER = Credential("stranger-key", SECRET, "stranger")
TOKEN = "only for tests"
FAST = {
    "venues.embedded.silence_timeout_s": "2",
    "venues.embedded.request_timeout_s": "1",
    "venues.embedded.recv_window_ms": "800",
    "venues.embedded.connect_timeout_s": "2",
    "venues.embedded.rules_check_s": "2",
    "venues.embedded.clock_check_s": "2",
}
"""Time-outs of tests: shorter than the defaults, so that a row takes seconds."""
_NS_PER_MS = 1e6
_POLL_S = 0.02
_SETTLED_S = 11.0
"""More than a connection has to live for its loss to be a first one (mmd.shell.reconnect)."""
WAIT_S = 60.0
START_S = 180.0


class Rig:
    """What a row works with; made by `rig`.

    Attributes:
        sandbox: the exchange, in this process: its records are the truth.
        rest, streams, api: proxies through which the daemon reaches each part of it.
        daemon, witness: the running daemon and its journal.
        folder: where it runs.
    """

    def __init__(self, sandbox: Sandbox, proxies: Sequence[FaultProxy], folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.rest, self.streams, self.api = proxies
        self.requests: list[tuple[int, str]] = []
        self._waiting: list[tuple[str, Callable[[], None], asyncio.Future[None]]] = []
        self.trades_before: set[int] = set()
        self._injected_ns = 0
        self._log_before: dict[str, int] = {}
        self._daemon: LiveDaemon | None = None
        self._witness: Witness | None = None

    @property
    def daemon(self) -> LiveDaemon:
        """The one that runs now."""
        assert self._daemon is not None, "no daemon was started"
        return self._daemon

    @property
    def witness(self) -> Witness:
        """Its journal."""
        assert self._witness is not None, "no daemon was started"
        return self._witness

    @contextlib.asynccontextmanager
    async def started(
        self,
        *arguments: str,
        quoting: bool = True,
        host: str = "127.0.0.1",
        prefix: Sequence[str] = (),
        waits: bool = True,
        **env: str,
    ) -> AsyncIterator[LiveDaemon]:
        """A daemon at the proxies, with test time-outs, until the end of the block; `host` names this machine."""
        ports = [p.where.rpartition(":")[2] for p in (self.rest, self.streams, self.api)]
        at = [f"{host}:{port}" for port in ports]
        urls = {
            "venues.embedded.rest_url": f"http://{at[0]}",
            "venues.embedded.stream_url": f"ws://{at[1]}",
            "venues.embedded.api_url": f"ws://{at[2]}/ws-api/v3",
        }
        settings = [word for k, v in (FAST | urls).items() for word in ("--set", f"{k}={v}")]
        self.trades_before = self._journalled(arguments)
        async with running(
            self.folder,
            self.sandbox.port,
            *settings,
            *arguments,
            prefix=prefix,
            wait_s=START_S,
            MMD_HTTP__TOKEN=TOKEN,
            **env,
        ) as daemon:
            self._daemon = daemon
            if not waits:
                yield daemon
                return
            await daemon.event("started")
            self._witness = Witness(sessions_in(self._journals(arguments))[-1])
            if quoting:
                await daemon.quoting()
                await daemon.instrument(lambda row: row["fills"] >= 0)
            yield daemon

    def _journalled(self, arguments: Sequence[str]) -> set[int]:
        """Trades that the sessions so far have told: a new one has to tell the others; all there are, where it is the first."""
        folder = self._journals(arguments)
        sessions = sessions_in(folder) if folder.exists() else []
        if not sessions:
            return self.trade_ids()
        told: set[int] = set()
        for session in sessions:
            witness = Witness(session)
            witness.poll()
            told |= witness.fills.keys()
        return told

    def _journals(self, arguments: Sequence[str]) -> Path:
        for word in arguments:
            if word.startswith("journal.folder="):
                return self.folder / word.partition("=")[2]
        return self.folder / "var/journal"

    # Injecting and watching

    def mark(self) -> int:
        """Now is the moment at which the fault is injected."""
        self._injected_ns = time.monotonic_ns()
        self._log_before = {}
        for row in self.daemon.log:
            self._log_before[row["event"]] = self._log_before.get(row["event"], 0) + 1
        return self._injected_ns

    async def fault(self, *, marks: bool = True, **fault: Any) -> int:
        """Order a fault at the exchange; returns when."""
        at_ns = self.mark() if marks else time.monotonic_ns()
        async with (
            aiohttp.ClientSession(headers={"X-MMD-Token": TOKEN}) as session,
            session.post(self.sandbox.rest_url + PATH, json=fault) as answer,
        ):
            assert answer.status == 204, await answer.text()
        return at_ns

    async def event(
        self,
        *kinds: type,
        holds: Callable[[Any], bool] = lambda _: True,
        timeout_s: float = WAIT_S,
    ) -> int:
        """When the daemon learned of the first such event after the fault."""
        return (await self.found(*kinds, holds=holds, timeout_s=timeout_s)).ts_recv_ns

    async def found(
        self,
        *kinds: type,
        holds: Callable[[Any], bool] = lambda _: True,
        timeout_s: float = WAIT_S,
    ) -> Event:
        """The first such event after the fault."""
        since_ns = self._injected_ns
        return await self.witness.event(*kinds, since_ns=since_ns, holds=holds, timeout_s=timeout_s)

    async def logged(self, event: str) -> int:
        """When a log line of this name came, after the fault."""
        await self.daemon.event(event, self._log_before.get(event, 0) + 1)
        return time.monotonic_ns()

    async def seen(self, holds: Callable[[dict[str, Any]], bool]) -> int:
        """When `/api/state` showed it of the instrument (every 250 ms there is a new one)."""
        return await self.seen_state(lambda state: holds(state["instruments"][0]))

    async def seen_state(self, holds: Callable[[dict[str, Any]], bool]) -> int:
        """When `/api/state` showed it."""
        async with asyncio.timeout(WAIT_S):
            while not holds(state := await self.daemon.state()):  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)
        return _monotonic_of(state)

    async def by_hand(
        self, verb: str, path: str, *, stranger: bool = False, **params: object
    ) -> Any:
        """A signed request past the proxies, by the account's owner or by a stranger."""
        key = STRANGER.key if stranger else "embedded-key"
        async with aiohttp.ClientSession() as http:
            client = RestClient(http, self.sandbox)
            _, body, _ = await client.signed(verb, path, key=key, **params)
        return body

    def mark_at(self, at_ns: int) -> None:
        """The fault was injected then."""
        self._injected_ns = at_ns

    def at_request(self, method: str, inject: Callable[[], None]) -> asyncio.Future[None]:
        """Inject as the exchange reads the next request whose method begins so; done when it has."""
        injected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((method, inject, injected))
        return injected

    def on_request(self, at_ns: int, method: str) -> None:
        """The exchange has read a request."""
        self.requests.append((at_ns, method))
        for entry in list(self._waiting):
            prefix, inject, injected = entry
            if method.startswith(prefix) and not injected.done():
                self._waiting.remove(entry)
                self.mark()
                inject()
                injected.set_result(None)

    async def operate(self, action: str) -> None:
        """A person's order to the daemon, over HTTP."""
        address = self.daemon.logged("ops_up")[-1]["address"]
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            http.post(f"{address}/api/control/{action}") as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def settled(self) -> None:
        """Until the feed has lived so long that its next loss counts as a first one, after which waits are short."""
        self.witness.poll()
        ups = [e.ts_recv_ns for e in self.witness.events if isinstance(e, FeedUp)]
        await asyncio.sleep((ups[-1] - time.monotonic_ns()) / 1e9 + _SETTLED_S)

    async def pause(self) -> None:
        """Let the daemon do something."""
        await asyncio.sleep(0.2)

    def hit(self, side: Side = Side.BUY) -> None:
        """A stranger takes one of our orders of a side: the best, and all before it."""
        ours = [o for o in self.working() if o.side == side]
        if ours:
            self.hit_order(max(ours, key=lambda o: side.sign * o.price_ticks))

    def hit_order(self, order: Order) -> None:
        """A stranger takes an order, and all that stands before it; in the matching engine, past all servers."""
        exchange, side = self.sandbox.exchange, order.side
        depth = exchange.markets[0].book.sides[side].depth(500)
        request = OrderRequest(
            instrument=0,
            client_order_id=f"stranger-{order.order_id}",
            side=side.opposite,
            type=OrderType.LIMIT,
            price_ticks=order.price_ticks,
            qty_lots=sum(q for p, q in depth if side.sign * p >= side.sign * order.price_ticks),
            tif=OrderTif.IOC,
        )
        _, events = exchange.place(STRANGER.account, request, self.sandbox.clock.now_ns())
        self.sandbox.router.publish(events)

    # The exchange's own records

    def working(self) -> list[Order]:
        """The account's orders that work at the exchange."""
        return self.sandbox.exchange.history.open_orders(ACCOUNT)

    def held_atoms(self) -> int:
        """Base atoms of the account, free and locked."""
        return self.sandbox.exchange.accounts[ACCOUNT].total("MMD")

    def working_ids(self) -> list[int]:
        """Our numbers of them."""
        ids = (decode_id(o.client_order_id) for o in self.working())
        return [n for n in ids if n is not None]

    def trade_ids(self) -> set[int]:
        """The account's trades."""
        history = self.sandbox.exchange.history
        return {t.trade_id for t in history.trades(ACCOUNT, 0)}

    # Judging

    async def recovered(self, since_ns: int) -> int:
        """When orders worked on both sides again, with books in step and nothing in doubt."""
        async with asyncio.timeout(WAIT_S):
            while True:
                state = await self.daemon.state()
                at_ns = _monotonic_of(state)
                if at_ns >= since_ns and _is_well(state):
                    return at_ns
                await asyncio.sleep(_POLL_S)

    async def losses(self) -> tuple[int, int, int]:
        """Orders lost, fills lost (or invented), and atoms of drift: by the exchange's records against ours.

        What is on its way for a moment is given time to arrive.
        """
        found = await self._compare()
        for _ in range(150):
            if found == (0, 0, 0):
                break
            await asyncio.sleep(0.05)
            found = await self._compare()
        return found

    async def _compare(self) -> tuple[int, int, int]:
        state = (await self.daemon.state())["instruments"][0]
        known = {int(o["client_order_id"], 16) for o in state["orders"]}
        fills, drift = self._compare_journal()
        witness = self.witness
        ours = [decode_id(o.client_order_id) for o in self.working()]
        orders = sum(n not in known or n not in witness.intents for n in ours if n is not None)
        fills += abs(state["fills"] - len(witness.fills))
        return orders, fills, drift if drift != 0 else state["position_drift_atoms"]

    def losses_at_end(self) -> tuple[int, int, int]:
        """The same of a daemon that has ended: no order works any more, and the journal has every trade."""
        fills, drift = self._compare_journal()
        return len(self.working()) + self.unjournalled(), fills, drift

    def _compare_journal(self) -> tuple[int, int]:
        """Trades that the journal lacks or invented, and atoms between its fills and the holdings."""
        witness = self.witness
        witness.poll()
        trades = self.trade_ids() - self.trades_before
        gained = sum(self._atoms(f) for n, f in witness.fills.items() if n not in witness.early)
        assert witness.baseline_atoms is not None, "the account was never reconciled"
        return len(trades ^ set(witness.fills)), self.held_atoms() - witness.baseline_atoms - gained

    def _atoms(self, fill: Any) -> int:
        """What a fill did to our holdings of the base asset."""
        instrument = self.sandbox.exchange.markets[0].instrument
        gained = fill.side.sign * fill.qty_lots * instrument.atoms_per_lot
        return gained - (fill.fee_atoms if fill.fee_asset == instrument.base else 0)

    def unjournalled(self) -> int:
        """Orders that ever reached the exchange from this session without an intent in its journal."""
        self.witness.poll()
        ids = {
            decode_id(o.client_order_id)
            for o in self.sandbox.exchange.history.all_orders(ACCOUNT, 0)
        }
        mine = {n for n in ids if n not in (None, NO_ORDER) and n >> 32 == self.witness.session}
        return len(mine - self.witness.intents)

    async def judged(self, family: str, name: str, detected_ns: int | None, seen: str) -> Outcome:
        """The row's outcome, once the daemon is well again."""
        began_ns = self._injected_ns
        well_ns = await self.recovered(began_ns if detected_ns is None else detected_ns)
        orders, fills, drift = await self.losses()
        return Outcome(
            family,
            name,
            None if detected_ns is None else max(0.0, (detected_ns - began_ns) / _NS_PER_MS),
            max(0.0, (well_ns - began_ns) / _NS_PER_MS) if detected_ns is not None else 0.0,
            orders + self.unjournalled(),
            fills,
            drift,
            seen,
        )


def _is_well(state: dict[str, Any]) -> bool:
    row = state["instruments"][0]
    sides = {o["side"] for o in row["orders"] if o["state"] == "WORKING"}
    return (
        state["ready"]
        and sides == {"BUY", "SELL"}
        and row["book"]["synced"]
        and row["orders_unknown"] == 0
    )


def _monotonic_of(state: dict[str, Any]) -> int:
    """When a picture was taken, by this machine's monotonic clock."""
    return int(state["taken_monotonic_s"] * 1e9)


@contextlib.asynccontextmanager
async def rig(folder: Path, **options: Any) -> AsyncIterator[Rig]:
    """An exchange and proxies; the daemon is started by whoever uses it."""
    made: list[Rig] = []

    def on_request(at_ns: int, method: str) -> None:
        if made:
            made[0].on_request(at_ns, method)

    fields = {"seed": 5, "faults_token": TOKEN, "credentials": (Credential(), STRANGER)} | options
    async with contextlib.AsyncExitStack() as stack:
        sandbox = Sandbox(SandboxOptions(**fields), on_request=on_request)
        await stack.enter_async_context(sandbox)
        proxies = [
            await stack.enter_async_context(FaultProxy("127.0.0.1", sandbox.port)) for _ in range(3)
        ]
        made.append(Rig(sandbox, proxies, folder))
        yield made[0]
