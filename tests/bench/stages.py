"""In process: frame bytes to the first order's bytes, stage by stage, back to back and paced.

The real codec, engine, journal and order encoder run on frames that move the market each time. Between frames,
outside the clock, the venue acknowledges what was sent, as a good one would.
"""

import gc
import tempfile
import time
from collections.abc import Callable
from itertools import chain, pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.table import Table

from adapters.binance_spot.auth import HmacSigner, Signer
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.order_codec import OrderEncoder
from adapters.binance_spot.private_key import Ed25519Signer
from mmd.core.commands import Approved, Command, PlaceOrder, ReplaceOrder
from mmd.core.events import Decision
from mmd.core.instrument import Instrument
from mmd.core.learned.served_model import ModelSource
from mmd.journal.writer import JournalWriter
from tests.bench import moving_market, recorded_market
from tests.bench.quantiles import row
from tests.bench.recorded_market import RecordedMarket
from tests.engine_bench import ZERO, EngineBench
from tests.session import instrument, quoting, risk, session_spec

STAGES = (
    "decode",
    "journal frame",
    "book + features",
    "decide + risk",
    "journal intent",
    "encode + sign",
)
WARM_UP = 200
_NEW = (PlaceOrder, ReplaceOrder)
Clock = Callable[[], int]
_WALL, _CPU, _STAGED = range(3)
_CLOCKS: tuple[Clock, Clock] = (time.perf_counter_ns, time.process_time_ns)


class Samples(NamedTuple):
    """Nanoseconds per frame: each stage, frame to first order's bytes (wall), and all of it (CPU).

    Of one frame only one of the three is measured: stamps between stages cost a microsecond together, and asking
    for CPU time is a system call, after which the processor has forgotten some of what it knew. What the call itself
    takes, `asked_ns`, the median of calls with nothing between them, is taken off `cpu`.
    """

    stages: list[list[int]]
    first_order: list[int]
    cpu: list[int]
    asked_ns: int
    frames: int
    orders: int


class Pipeline:
    """The daemon's hot path without sockets."""

    def __init__(
        self,
        folder: Path,
        traded: Instrument,
        snapshot: bytes,
        source: ModelSource | None = None,
        strategy: str = "custom",
        signer: Signer | None = None,
        **changes: object,
    ) -> None:
        """`changes` are of the session; `source` is where it finds what it predicts by; signs with HMAC if not told."""
        self.now: Callable[[], int] = time.monotonic_ns
        """What the engine takes for time."""
        spec = session_spec(
            instruments=(traded,),
            quoting=quoting(
                strategy=strategy,
                spread_bps_min=2 * moving_market.HALF_SPREAD_BPS,
                requote_tolerance_bps=0,
                refresh_delay_ms=0,
            ),
            risk=risk(
                orders_per_10s=10**8,
                orders_per_day=10**9,
                messages_per_minute=10**9,
                stale_book_ms=10**6,
            ),
            **changes,
        )
        self.codec = MarketCodec([traded])
        self.bench = EngineBench(spec, source)
        self.bench.now_ns = time.monotonic_ns()
        self.journal = JournalWriter(
            folder / "journal", spec, segment_bytes=1 << 28, sync_ns=50_000_000
        )
        self.encoder = OrderEncoder([traded], "k" * 64, signer or HmacSigner("s" * 64), 2000)
        self._requests = 0
        self.pen = self.journal.pen
        self.bench.engine.record_with(self.pen)
        self.bench.bring_up()
        self.codec.decode_snapshot(snapshot, ZERO, self.bench.now_ns)
        self.bench.engine.apply_market(self.codec.market)

    def staged(self, frame: bytes) -> tuple[list[int], list[Approved[Command]]]:
        """Time stamps between the stages, and the commands."""
        clock, engine, journal = time.perf_counter_ns, self.bench.engine, self.journal
        at = [clock()]
        now_ns = self.now()
        self.codec.decode(frame, now_ns)
        at.append(clock())
        journal.market(self.codec.market)
        at.append(clock())
        engine.apply_market(self.codec.market)
        at.append(clock())
        self.bench.decisions += 1
        decision = Decision(now_ns, self.bench.decisions)
        commands: list[Approved[Command]] = []
        self.pen.begin(decision)
        for approved in engine.decide(decision):
            is_first = not commands
            if is_first:
                at.append(clock())
            self._record(approved.command, decision if is_first else None)
            if is_first:
                at.append(clock())
            self._requests += 1
            self.encoder.encode(approved.command, self._requests, 1_700_000_000_000)
            if is_first:
                at.append(clock())
            commands.append(approved)
        if not commands:
            journal.event(decision)
        return at, commands

    def whole(self, frame: bytes, clock: Clock) -> tuple[int, list[Approved[Command]]]:
        """Nanoseconds by a clock from the frame to the first order's bytes, and the commands."""
        engine, journal, took_ns = self.bench.engine, self.journal, 0
        began_ns = clock()
        now_ns = self.now()
        self.codec.decode(frame, now_ns)
        journal.market(self.codec.market)
        engine.apply_market(self.codec.market)
        self.bench.decisions += 1
        decision = Decision(now_ns, self.bench.decisions)
        commands: list[Approved[Command]] = []
        self.pen.begin(decision)
        for approved in engine.decide(decision):
            self._record(approved.command, None if commands else decision)
            self._requests += 1
            self.encoder.encode(approved.command, self._requests, 1_700_000_000_000)
            if not commands:
                took_ns = clock() - began_ns
            commands.append(approved)
        if not commands:
            journal.event(decision)
        return took_ns, commands

    def _record(self, command: Command, decision: Decision | None) -> None:
        """Put a command on record, as the driver does."""
        if isinstance(command, _NEW) and self.pen.wrote(command.client_order_id):
            return
        if decision is not None:
            self.pen.end()
        self.journal.command(command, decision)

    def settle(self, commands: list[Approved[Command]]) -> None:
        """The venue does as it was told."""
        self.bench.now_ns = self.now()
        for approved in commands:
            self.bench.obey(approved.command)


def measure(count: int, gap_s: float, signer: Signer | None = None) -> Samples:
    """Run so many frames of a market that moves with each, gap_s apart (0: back to back)."""
    # Made beforehand: writing a frame would push the pipeline out of the caches that it is run from.
    frames = [text.encode() for _, text in moving_market.frames(count + WARM_UP)]
    traded = instrument(symbol=moving_market.SYMBOL, base="BENCH")
    return _run(RecordedMarket(traded, moving_market.snapshot().encode(), frames), gap_s, signer)


def _run(market: RecordedMarket, gap_s: float = 0.0, signer: Signer | None = None) -> Samples:
    """Run a market's frames; those that led to no order are not counted."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(Path(folder), market.instrument, market.snapshot, signer=signer)
        samples = Samples([[] for _ in STAGES], [], [], 0, 0, 0)
        asked: list[int] = []
        measured = orders = 0
        gc.collect()
        gc.freeze()
        gc.disable()
        for n, frame in enumerate(market.frames):
            at: list[int] = []
            took_ns, kind = 0, n // 2 % 3  # by two: a moving market moves there and back
            if kind == _STAGED:
                at, commands = pipeline.staged(frame)
            else:
                took_ns, commands = pipeline.whole(frame, _CLOCKS[kind])
                if kind == _CPU:
                    asked.append(-time.process_time_ns() + time.process_time_ns())
            pipeline.settle(commands)
            if gap_s:
                time.sleep(gap_s)
            if n < WARM_UP or not commands:
                continue
            measured += 1
            orders += len(commands)
            for stage, (begin, end) in enumerate(pairwise(at)):
                samples.stages[stage].append(end - begin)
            if kind != _STAGED:
                (samples.first_order if kind == _WALL else samples.cpu).append(took_ns)
        gc.enable()
        pipeline.journal.close()
        assert pipeline.bench.maker.counts.rejected == 0
        asked_ns = int(median(asked))
        cpu = [took_ns - asked_ns for took_ns in samples.cpu]
        return samples._replace(cpu=cpu, asked_ns=asked_ns, frames=measured, orders=orders)


def table(count: int = 20_000, paced: int = 500) -> Table:
    """Both pacings side by side, and the recorded markets back to back where there are any."""
    out = Table(
        title="In process: frame bytes to the first order's bytes, GLFT, 3 levels a side (µs)"
    )
    recorded = recorded_market.markets(count)
    columns = ["stage", "back to back p50", "p90", "p99", "20 ms apart p50", "p90", "p99"]
    for market in recorded:
        columns += [f"recorded {market.instrument.symbol} p50", "p90", "p99"]
    for column in columns:
        out.add_column(column, justify="left" if column == "stage" else "right")

    def add(name: str, runs: list[Samples], values: Callable[[Samples], list[int]]) -> None:
        out.add_row(name, *chain.from_iterable(row(values(s)) for s in runs))

    log_on = Ed25519Signer(Ed25519PrivateKey.generate())
    measured = [measure(count, 0.0), measure(paced, 0.02), *map(_run, recorded)]
    logged_on = [
        measure(count, 0.0, log_on),
        measure(paced, 0.02, log_on),
        *(_run(market, signer=log_on) for market in recorded),
    ]
    for stage, name in enumerate(STAGES):
        add(name, measured, lambda s, stage=stage: s.stages[stage])  # type: ignore[misc]
    add("all, wall", measured, lambda s: s.first_order)
    add("all, CPU", measured, lambda s: s.cpu)
    out.add_section()
    add("logged on with Ed25519: encode", logged_on, lambda s: s.stages[-1])
    add("all, wall", logged_on, lambda s: s.first_order)
    add("all, CPU", logged_on, lambda s: s.cpu)
    frames = " / ".join(f"{s.frames:,}" for s in measured)
    each = " / ".join(f"{s.orders / max(s.frames, 1):.1f}" for s in measured)
    asked = " / ".join(f"{s.asked_ns / 1e3:.1f}" for s in measured)
    out.caption = (
        f"{frames} frames that led to orders, {each} orders each; nothing else paced; "
        f"CPU without the {asked} µs that asking for it takes"
    )
    return out
