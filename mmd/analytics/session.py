"""A journalled session as columns: `read_session` replays it once through the engine.

Live sessions, paper sessions and backtests have the same journal, so the same reader and the same metrics.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mmd.analytics.columns import Floats, Rows, Table
from mmd.analytics.durations import Durations
from mmd.analytics.recorder import Recorder
from mmd.core.engine import Engine
from mmd.core.events import (
    CancelRejected,
    Decision,
    Event,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RequestTimedOut,
)
from mmd.core.instrument import Instrument
from mmd.core.spec import SessionSpec
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND
from mmd.errors import JournalError
from mmd.journal.format import Kind, Record, event_decoder
from mmd.journal.reader import read_spec
from mmd.journal.replay import replay
from models.serving import models_of

_ABOUT_ORDERS: Final = (
    OrderAccepted,
    OrderRejected,
    OrderEnded,
    CancelRejected,
    Fill,
    OrderStatus,
    RequestTimedOut,
)
_TIME_FIELDS: Final = ("ts_ns", "accepted_ns", "first_fill_ns", "ended_ns")


@dataclass(frozen=True, slots=True)
class Track:
    """One instrument of a session, or a span of it.

    Attributes:
        start_ns, end_ns: the span in unix nanoseconds.
        fills, orders: those of the span (orders: sent in it).
        samples: those of the span, led by the last one before it, which is what PnL is counted from.
        states: changes of the quote state, led by the one in force at start_ns.
        unpriced_fees: commissions of the session that are in no PnL, by asset.
    """

    instrument: Instrument
    start_ns: int
    end_ns: int
    fills: Table
    orders: Table
    samples: Table
    states: Table
    unpriced_fees: dict[str, float]

    @property
    def tick(self) -> float:
        """Quote currency in a tick."""
        return float(self.instrument.tick_size)

    @property
    def lot(self) -> float:
        """Base in a lot."""
        return float(self.instrument.lot_size)

    @property
    def days(self) -> float:
        """Length in days of 24 hours."""
        return (self.end_ns - self.start_ns) / (86_400 * NANOS_PER_SECOND)

    @property
    def notional(self) -> Floats:
        """Quote currency traded by each fill, at its price."""
        ticklots = self.fills["price_ticks"] * self.fills["qty_lots"].astype(float)
        traded: Floats = ticklots * self.tick * self.lot
        return traded

    @property
    def position(self) -> Floats:
        """Inventory in base at each sample."""
        held: Floats = self.samples["position_atoms"] / ATOMS_PER_UNIT
        return held

    @property
    def pnl(self) -> float:
        """Quote currency earned in the span, fees included, inventory at mid."""
        equity = self.samples["equity"]
        return float(equity[-1] - equity[0]) if len(equity) > 0 else 0.0

    def between(self, start_ns: int, end_ns: int) -> "Track":
        """The part from start_ns up to, not including, end_ns; its parts' PnL add up to the whole's."""
        start_ns, end_ns = max(start_ns, self.start_ns), min(end_ns, self.end_ns)
        states = _led(self.states, start_ns, end_ns)
        if len(states) > 0:
            states = states.copy()
            states["ts_ns"][0] = max(int(states["ts_ns"][0]), start_ns)
        is_last = end_ns == self.end_ns
        until_ns = end_ns + is_last
        return replace(
            self,
            start_ns=start_ns,
            end_ns=end_ns,
            fills=_within(self.fills, start_ns, until_ns),
            orders=_within(self.orders, start_ns, until_ns),
            samples=_led(self.samples, start_ns, until_ns),
            states=states,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A whole session.

    Attributes:
        folder: where its journal is.
        tick_to_decision: from receiving the first market message of a batch to the decision on it.
    """

    folder: Path
    spec: SessionSpec
    tracks: tuple[Track, ...]
    tick_to_decision: Durations

    @property
    def duration_s(self) -> float:
        """From the session's start to the last thing journalled."""
        track = self.tracks[0]
        return (track.end_ns - track.start_ns) / NANOS_PER_SECOND


def read_session(folder: Path) -> Session:
    """Replay a session's journal into columns.

    Samples are taken once a second, and less often in sessions of more than a day (mmd.analytics.recorder).

    Raises:
        JournalError: It does not verify, or this version of mmd decides otherwise than the recorded one did.
    """
    spec = read_spec(folder)
    watches: list[Watch] = []

    def observe(engine: Engine, record: Record) -> None:
        if not watches:
            watches.append(Watch(engine))
        watches[0].on_record(record)

    result = replay(folder, observe, models=models_of(folder))
    if result.divergence is not None:
        at = result.divergence.record
        raise JournalError(
            f"{folder.name} record {at.sequence}: this version decides otherwise than the recorded {spec.version} did; "
            "report with the version that recorded it"
        )
    if not watches:
        raise JournalError(f"{folder.name}: nothing happened in it; expected market data")
    return watches[0].session(folder)


class Watch:
    """Watches an engine while it runs, or is replayed, with a recorder per instrument.

    Whoever drives the engine tells of everything after the engine has applied it.
    """

    def __init__(self, engine: Engine) -> None:
        """Nothing has happened yet."""
        self._engine = engine
        self._recorders = [Recorder(maker) for maker in engine.makers]
        self._received_ns = 0
        self._latency = Durations()

    def on_market(self, received_ns: int) -> None:
        """Market data came; timed to the next decision."""
        if self._received_ns == 0:
            self._received_ns = received_ns

    def on_decision(self, decision: Decision) -> None:
        """The engine has decided, and all that it wanted was sent."""
        if self._received_ns > 0:
            self._latency.record(decision.ts_recv_ns - self._received_ns)
            self._received_ns = 0
        for recorder in self._recorders:
            recorder.on_decision(self._engine.now_ns)

    @property
    def only(self) -> Recorder:
        """The recorder of a session with one instrument."""
        (recorder,) = self._recorders
        return recorder

    def on_event(self, event: Event) -> None:
        """Any other event; those about orders matter."""
        if isinstance(event, _ABOUT_ORDERS):
            self._recorders[event.instrument].on_order(event, self._engine.now_ns)

    def on_record(self, record: Record) -> None:
        """A record of a journal."""
        if record.kind is Kind.MARKET:
            self.on_market(memoryview(record.body).cast("q")[2])
            return
        event = event_decoder.decode(record.body)
        if isinstance(event, Decision):
            self.on_decision(event)
        else:
            self.on_event(event)

    def session(self, folder: Path) -> Session:
        """What has been watched, in unix time; folder is what the session is known by."""
        engine = self._engine
        spec = engine.spec
        tracks = []
        for recorder, maker in zip(self._recorders, engine.makers, strict=True):
            if maker.view.mid_half_ticks > 0:
                recorder.sample(engine.now_ns)
            recorder.settle()
            tracks.append(self._track(recorder, maker.instrument, engine.now_ns))
        return Session(folder, spec, tuple(tracks), self._latency)

    def _track(self, recorder: Recorder, instrument: Instrument, now_ns: int) -> Track:
        spec = self._engine.spec
        unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
        started_ns = spec.started_unix_ns
        return Track(
            instrument,
            start_ns=started_ns,
            end_ns=max(now_ns + unix_less_engine_ns, started_ns),
            fills=_shifted(recorder.fills, unix_less_engine_ns),
            orders=_shifted(recorder.orders, unix_less_engine_ns),
            samples=_shifted(recorder.samples, unix_less_engine_ns),
            states=_shifted(recorder.states, unix_less_engine_ns),
            unpriced_fees=recorder.unpriced_fees(),
        )


def _shifted(rows: Rows, by_ns: int) -> Table:
    """A table with its times moved; 0 means never and stays."""
    table = rows.table.copy()
    for name in _TIME_FIELDS:
        if name in (table.dtype.names or ()):
            table[name][table[name] != 0] += by_ns
    return table


def _led(table: Table, start_ns: int, end_ns: int) -> Table:
    """Rows of a span and the last one before it."""
    first, last = table["ts_ns"].searchsorted([start_ns, end_ns])
    return table[max(int(first) - 1, 0) : last]


def _within(table: Table, start_ns: int, end_ns: int) -> Table:
    first, last = table["ts_ns"].searchsorted([start_ns, end_ns])
    return table[first:last]
