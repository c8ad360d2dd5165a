"""The real engine, codec, driver and journal on one core, fed from a socket; orders are answered at once."""

import asyncio
import contextlib
import resource
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import uvloop
from msgspec.structs import replace

from adapters.binance_spot.market_codec import MarketCodec
from mmd.core.commands import AmendOrder, Approved, CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.engine import Engine
from mmd.core.events import (
    Balance,
    EndReason,
    Event,
    FeedUp,
    OrderAccepted,
    OrderEnded,
    OrderStatus,
    PrivateUp,
    Reconciled,
)
from mmd.core.instrument import Instrument
from mmd.core.units import ATOMS_PER_UNIT, InstrumentId
from mmd.journal.writer import JournalWriter
from mmd.ops.engine_side import PUBLISH_PERIOD_S
from mmd.ops.picture import picture_of
from mmd.ops.process_use import ProcessUse
from mmd.ops.publisher import Publisher
from mmd.ops.shared_state import SharedStateWriter
from mmd.shell.clock import SystemClock
from mmd.shell.driver import Driver
from mmd.shell.latency import Histogram
from mmd.shell.text_frames import FrameCutter
from tests.load.sender import snapshot, symbol_of
from tests.session import instrument, quoting, risk, session_spec

_RICH: Final = 10**9 * ATOMS_PER_UNIT
_PAGE: Final = resource.getpagesize()


class Sample(NamedTuple):
    """The process at one moment."""

    frames: int
    resident_mib: float
    descriptors: int
    tasks: int
    decide_p50_us: float
    decide_p99_us: float


class Ran(NamedTuple):
    """What one run came to."""

    frames: int
    wall_s: float
    cpu_s: float
    decisions: int
    orders: int
    decision_us: tuple[float, float]
    """p50 and p99, from the receipt of the first frame of a batch to its first order."""
    age_ms: tuple[float, float]
    """p50 and p99 of how old a frame was when it was applied, since it was written to the socket."""
    samples: list[Sample]
    identity_errors: int


class _Answering:
    """Accepts every order at once, as a venue without latency; quantities never trade."""

    name = "embedded"

    def __init__(self) -> None:
        self.orders = 0
        self.sink: Driver | None = None
        self._orders: dict[int, PlaceOrder | ReplaceOrder] = {}

    def send(self, approved: Approved[Command]) -> None:
        """Answer after the decision."""
        asyncio.get_running_loop().call_soon(self._answer, approved.command)

    def _answer(self, command: Command) -> None:
        self.orders += 1
        for event in self._events(command, time.monotonic_ns()):
            assert self.sink is not None
            self.sink.on_event(event)

    def _events(self, command: Command, now_ns: int) -> list[Event]:
        at = command.instrument
        match command:
            case PlaceOrder(client_order_id=new):
                self._orders[new] = command
                return [OrderAccepted(now_ns, at, new, new & 0xFFFFFFFF, 0)]
            case CancelOrder(client_order_id=old):
                return [OrderEnded(now_ns, at, old, EndReason.CANCELED, 0, 0)]
            case ReplaceOrder(cancel_id=old, client_order_id=new):
                self._orders.pop(old, None)
                self._orders[new] = command
                return [
                    OrderEnded(now_ns, at, old, EndReason.REPLACED, 0, 0),
                    OrderAccepted(now_ns, at, new, new & 0xFFFFFFFF, 0),
                ]
            case AmendOrder(client_order_id=order, qty_lots=lots):
                was = self._orders[order]
                return [
                    OrderStatus(
                        now_ns,
                        at,
                        order,
                        True,
                        True,
                        order & 0xFFFFFFFF,
                        was.side,
                        was.price_ticks,
                        lots,
                        0,
                    )
                ]
            case _:
                return []


class LoadedMaker:
    """One engine over many instruments."""

    def __init__(self, count: int, folder: Path) -> None:
        self.instruments = tuple(_instrument(n) for n in range(count))
        spec = session_spec(
            instruments=self.instruments,
            target_atoms=(None,) * count,
            quoting=quoting(levels=1),
            risk=risk(position_notional_max=10_000),
        )
        self.clock = SystemClock()
        spec = replace(
            spec,
            started_monotonic_ns=self.clock.monotonic_ns(),
            started_unix_ns=self.clock.unix_ns(),
        )
        self.engine = Engine(spec)
        self.journal = JournalWriter(folder, spec, segment_bytes=64 << 20, sync_ns=50_000_000)
        self.driver = Driver(self.engine, self.journal, self.clock)
        self.venue = _Answering()
        self.venue.sink = self.driver
        self.codec = MarketCodec(self.instruments)
        self.age = Histogram()
        self.frames = 0
        use = ProcessUse(folder)
        picture = picture_of(self.engine, self.driver, self.journal, self.clock, use, dict)
        self._publisher = Publisher(SharedStateWriter(folder / "state"), picture)

    async def show(self) -> None:
        """What the daemon shows of itself to the ops process, as often as it does."""
        while True:
            await self._publisher.publish()
            await asyncio.sleep(PUBLISH_PERIOD_S)

    def open(self) -> None:
        """Feeds, accounts and books."""
        self.driver.start([self.venue])  # type: ignore[list-item]
        now_ns = self.clock.monotonic_ns()
        on = self.driver.on_event
        on(Balance(now_ns, "embedded", "USDT", _RICH, 0))
        for at in self.instruments:
            on(Balance(now_ns, "embedded", at.base, _RICH, 0))
            on(Reconciled(now_ns, "embedded", at.id, _RICH))
            on(FeedUp(now_ns, at.id))
        on(PrivateUp(now_ns, "embedded"))
        for at in self.instruments:
            self.codec.decode_snapshot(snapshot(at.id), at.id, self.clock.monotonic_ns())
            self.driver.on_market(self.codec.market)

    def feed(self, chunk: bytes, cutter: FrameCutter) -> None:
        """Take in what a read of the socket gave."""
        now_ns, unix_ns = self.clock.monotonic_ns(), self.clock.unix_ns()
        data, frames = cutter.cut(chunk)
        for _, _, payload, end in frames:
            self.codec.decode(data[payload:end], now_ns)
            self.driver.on_market(self.codec.market)
            self.frames += 1
        if frames:
            self.age.record(unix_ns - int(self.codec.market["ts_event_ns"][0]))


class _Reader(asyncio.Protocol):
    def __init__(self, maker: LoadedMaker, done: asyncio.Event) -> None:
        self._maker, self._done = maker, done
        self._cutter = FrameCutter(1 << 20)

    def data_received(self, data: bytes) -> None:
        self._maker.feed(data, self._cutter)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._done.set()


def _instrument(number: int) -> Instrument:
    symbol = symbol_of(number)
    return instrument(id=InstrumentId(number), symbol=symbol, base=symbol[:4])


def run(
    count: int, sock: socket.socket, sample_s: float = 0.0, said: Callable[[Sample], None] = print
) -> Ran:
    """Feed an engine of so many instruments from a socket until it ends."""
    with tempfile.TemporaryDirectory(prefix="mmd-load-") as folder:
        maker = LoadedMaker(count, Path(folder) / "session")
        samples: list[Sample] = []

        async def work() -> tuple[float, float]:
            loop, done = asyncio.get_running_loop(), asyncio.Event()
            maker.open()
            began, cpu = time.perf_counter(), time.process_time()
            sock.setblocking(False)
            showing = asyncio.create_task(maker.show())
            await loop.create_connection(lambda: _Reader(maker, done), sock=sock)
            while sample_s > 0.0 and not done.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(done.wait(), sample_s)
                samples.append(sample(maker))
                said(samples[-1])
            await done.wait()
            showing.cancel()
            maker.driver.stop()
            return time.perf_counter() - began, time.process_time() - cpu

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            wall_s, cpu_s = runner.run(work())
        maker.journal.close()
        ledgers = [m.ledger.pnl for m in maker.engine.makers]
        return Ran(
            maker.frames,
            wall_s,
            cpu_s,
            maker.driver.decisions,
            maker.venue.orders,
            _quantiles(maker.driver.tick_to_order, 1e3),
            _quantiles(maker.age, 1e6),
            samples,
            sum(p is not None and p.identity_error != 0 for p in ledgers),
        )


def sample(maker: LoadedMaker) -> Sample:
    """Memory, descriptors, tasks and latency now."""
    total, shared = map(int, Path("/proc/self/statm").read_text().split()[1:3])
    resident = (total - shared) * _PAGE  # without mapped files, of which the journal is one
    p50, p99 = _quantiles(maker.driver.stages["decide"], 1e3)
    return Sample(
        maker.frames,
        resident / 2**20,
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
        len(asyncio.all_tasks()),
        p50,
        p99,
    )


def _quantiles(histogram: Histogram, unit_ns: float) -> tuple[float, float]:
    return histogram.quantile_ns(0.5) / unit_ns, histogram.quantile_ns(0.99) / unit_ns
