"""Keeps the hot path warm: a shadow of the engine quotes an imaginary market while the real one is quiet.

What a processor has not run for some milliseconds has left its caches: the same decision takes five times as
long after a pause of 20 ms as back to back. So every millisecond or so a frame is made up, decoded, journalled
into memory, decided on by a second engine with the same settings, and its orders are encoded and dropped.
Nothing of it reaches a socket, a file or the real engine.

Where models predict, the shadow has the same ones, and its clock runs ahead: each play is a quarter of a bar, so that every
fourth ends with a prediction. Weights are each engine's own; the real ones are read through then, so that they are near.
"""

import asyncio
from typing import Protocol

import msgspec
import numpy as np

from mmd.core.commands import Approved, CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.engine import Engine
from mmd.core.events import (
    Balance,
    EndReason,
    Event,
    FeedUp,
    ModelSwap,
    OrderAccepted,
    OrderEnded,
    PrivateUp,
    Reconciled,
)
from mmd.core.instrument import Instrument
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.served_model import ModelRole, ModelSource
from mmd.core.market.record import MARKET, SNAPSHOT
from mmd.core.ports import Clock, Journal
from mmd.core.spec import SessionSpec
from mmd.core.units import InstrumentId
from mmd.jit.kernel import Rec, new
from mmd.shell.driver import Driver

LEVELS = 20
STEP_BPS = 1.0
PLAYS_A_BAR = 4
_LOOK_S = 0.1
_ZERO = InstrumentId(0)
_PLENTY = 10**9
_RICHES = 2**52


class Stage(Protocol):
    """A venue's codecs without its connections."""

    def frame(self, now_ns: int) -> bytes:
        """The next depth frame as it comes from the socket: the market moves to and fro between two places."""
        ...

    def decode(self, frame: bytes, ts_recv_ns: int) -> Rec:
        """The market record of a frame."""
        ...

    def encode(self, command: Command) -> bytes:
        """The bytes that would go to the socket."""
        ...


class Rehearsal:
    """One shadow engine and its imaginary market; `play` it as often as its cost allows."""

    def __init__(
        self,
        spec: SessionSpec,
        journal: Journal,
        clock: Clock,
        models: ModelSource | None = None,
    ) -> None:
        """The shadow of the session's first instrument; `journal` must be one that keeps nothing.

        `models` is where the real engine finds its own.
        """
        self.instrument = rehearsed(spec)
        self.orders = 0
        """Sent in rehearsal so far."""
        if spec.models.enabled:
            clock = _BarClock(clock, spec.models.bar_ns // PLAYS_A_BAR)
        self._clock = clock
        engine = Engine(_unlimited(spec, self.instrument), models)
        self.maker = engine.makers[0]
        """The shadow's."""
        self._driver = Driver(engine, journal, clock)
        self._driver.venues = [self]
        self._stage: Stage | None = None
        self._news: list[Event] = []

    def begin(self, stage: Stage, market: Rec) -> None:
        """Bring the shadow up on a snapshot that the stage's frames continue."""
        driver, now_ns, instrument = self._driver, self._clock.monotonic_ns(), self.instrument
        driver.on_event(FeedUp(now_ns, _ZERO))
        driver.on_market(market)
        for asset in (instrument.base, instrument.quote):
            driver.on_event(Balance(now_ns, instrument.venue, asset, _RICHES, 0))
        driver.on_event(Reconciled(now_ns, instrument.venue, _ZERO, _RICHES))
        driver.on_event(PrivateUp(now_ns, instrument.venue))
        self._stage = stage

    def follow(self, real: Predictor | None) -> None:
        """Predict by the models that the real engine predicts by; call when they have changed."""
        shadow = self.maker.predictor
        if real is None or shadow is None:
            return
        for kind, model_id in real.champions.items():
            if shadow.champions.get(kind) != model_id:
                now_ns = self._clock.monotonic_ns()
                self._driver.on_event(ModelSwap(now_ns, _ZERO, kind, ModelRole.CHAMPION, model_id))

    def play(self) -> None:
        """One frame, the decision on it, its orders, and their acknowledgement."""
        stage, driver = self._stage, self._driver
        if stage is None:
            return
        if isinstance(self._clock, _BarClock):
            self._clock.advance()
        now_ns = self._clock.monotonic_ns()
        driver.on_market(stage.decode(stage.frame(now_ns), now_ns))
        driver.decide()
        news, self._news = self._news, []
        for event in news:
            driver.on_event(event)

    def send(self, command: Approved[Command]) -> None:
        """Encode and drop; an obedient venue answers at once."""
        assert self._stage is not None, "expected begin() before play()"
        wanted, now_ns = command.command, self._clock.monotonic_ns()
        self._stage.encode(wanted)
        self.orders += 1
        if isinstance(wanted, ReplaceOrder | CancelOrder):
            gone = wanted.cancel_id if isinstance(wanted, ReplaceOrder) else wanted.client_order_id
            self._news.append(OrderEnded(now_ns, _ZERO, gone, EndReason.CANCELED, 0, now_ns))
        if isinstance(wanted, ReplaceOrder | PlaceOrder):
            new_id = wanted.client_order_id
            self._news.append(OrderAccepted(now_ns, _ZERO, new_id, new_id, now_ns))


class _BarClock:
    """A clock that stands still between plays."""

    def __init__(self, real: Clock, step_ns: int) -> None:
        self._now_ns, self._step_ns = real.monotonic_ns(), step_ns
        self._real = real

    def advance(self) -> None:
        """The next play."""
        self._now_ns += self._step_ns

    def monotonic_ns(self) -> int:
        return self._now_ns

    def unix_ns(self) -> int:
        return self._real.unix_ns()


class KeepWarm:
    """Plays a rehearsal again and again, from the moment that the real market is known."""

    def __init__(
        self,
        rehearsal: Rehearsal,
        driver: Driver,
        period_s: float,
        stage_at: "StageAt",
        *,
        spins: bool = False,
    ) -> None:
        """`driver` is the real one: its market is imitated, and its decisions go first.

        One that spins never lets the loop sleep: waking a processor takes longer than a decision.
        """
        self._rehearsal = rehearsal
        self._driver = driver
        self._maker = driver.engine.makers[0]
        self._period_s = period_s
        self._stage_at = stage_at
        self._spins = spins
        self._timer: asyncio.Handle | None = None
        self._swaps = -1
        self._plays = 0

    def start(self) -> None:
        """Wait for the market, then play; call inside the running loop."""
        self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._wait)

    def stop(self) -> None:
        """Play no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        view = self._maker.view
        if self._maker.counts.sent == 0:
            self.start()
            return
        mid_ticks = max(view.mid_half_ticks // 2, LEVELS + 1)
        step_ticks = max(round(mid_ticks * STEP_BPS * 1e-4), 1)
        stage = self._stage_at(self._rehearsal.instrument, mid_ticks, step_ticks)
        self._rehearsal.begin(stage, snapshot_at(mid_ticks))
        self._beat()

    def play_if_idle(self) -> None:
        """Play, unless a real decision is due: that goes first."""
        if not self._driver.is_idle:
            return
        real = self._maker.predictor
        if real is not None:
            if real.swaps != self._swaps:
                self._swaps = real.swaps
                self._rehearsal.follow(real)
            self._plays += 1
            if self._plays % PLAYS_A_BAR == 0:
                real.seats.read_through()
        self._rehearsal.play()

    def _beat(self) -> None:
        self.play_if_idle()
        loop = asyncio.get_running_loop()
        if self._spins:
            self._spin(loop, loop.time() + self._period_s)
        else:
            self._timer = loop.call_later(self._period_s, self._beat)

    def _spin(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        """Look at the sockets again and again until the next beat."""
        if loop.time() < until:
            self._timer = loop.call_soon(self._spin, loop, until)
        else:
            self._beat()


class StageAt(Protocol):
    """Makes a stage, whose frames continue `snapshot_at(mid_ticks)`."""

    def __call__(self, instrument: Instrument, mid_ticks: int, step_ticks: int) -> Stage:
        """A stage of the instrument whose market jumps up by step_ticks and back."""
        ...


def snapshot_at(mid_ticks: int) -> Rec:
    """SNAPSHOT record, update id 1, of LEVELS levels of 1,000 lots a side round a price."""
    market = new(MARKET)
    market["kind"], market["last"], market["n"] = SNAPSHOT, 1, LEVELS
    away = np.arange(1, LEVELS + 1)
    market["px"][0, 0, :LEVELS], market["px"][0, 1, :LEVELS] = mid_ticks - away, mid_ticks + away
    market["sz"][0, :, :LEVELS] = 1_000
    return market


def rehearsed(spec: SessionSpec) -> Instrument:
    """The session's first instrument as the only one of the shadow."""
    return msgspec.structs.replace(spec.instruments[0], id=_ZERO)


def _unlimited(spec: SessionSpec, instrument: Instrument) -> SessionSpec:
    """The session without what would make the shadow quote less often than it is asked to."""
    return msgspec.structs.replace(
        spec,
        instruments=(instrument,),
        target_atoms=(None,),
        quoting=msgspec.structs.replace(
            spec.quoting,
            levels=1,
            requote_tolerance_bps=0.0,
            requote_interval_ns=0,
            volatility_bps_max=float(_PLENTY),
            lead="",
        ),
        risk=msgspec.structs.replace(
            spec.risk,
            orders_per_10s=_PLENTY,
            orders_per_day=_PLENTY,
            messages_per_minute=_PLENTY,
            order_to_trade_max=0,
        ),
        hedge=HedgeSpec(),
        models=msgspec.structs.replace(
            spec.models, bandit=None, trials=None, demotion=None, watches_drift=False
        ),
    )
