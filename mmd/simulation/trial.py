"""A whole system on virtual time, with faults: exchanges, networks, daemons that are killed and restarted.

Everything follows from the seed and the list of faults, which a failing run is shrunk by.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from mmd.config import Settings
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.spec import SessionSpec
from mmd.core.trading_day import DayState
from mmd.core.units import NANOS_PER_SECOND, InstrumentId
from mmd.exchange.executions import Execution
from mmd.exchange.presets import PriceLink
from mmd.journal.recovery import day_state, inventory_targets, last_new_order
from mmd.journal.trades_on_record import Market, OnRecord, followed, resumed, session_trades
from mmd.simulation.fault import Fault, FaultKind
from mmd.simulation.faulty_link import FaultyLink, VirtualClock
from mmd.simulation.guard import Guard
from mmd.simulation.invariants import InvariantError
from mmd.simulation.memory_journal import KilledError, MemoryJournal
from mmd.simulation.process_time import ProcessTime
from mmd.simulation.session import (
    START_NS,
    opening_balances,
    simulated_instrument,
    simulated_models,
    simulated_spec,
)
from mmd.simulation.system_invariants import SystemInvariants
from mmd.simulation.trader import Trader
from mmd.simulation.venue import Listing, SimulatedVenue
from mmd.simulation.weather import Weather
from mmd.simulation.world import World
from mmd.simulation.worlds import MarketPace, market, topology

_MS: Final = 1_000_000
_FEES_BPS: Final = (1.0, 2.5)
_DECISION_NS: Final = 50_000
CALM_S: Final = 90
"""After the last fault everything must have come to rest within this time."""
_LAG_NS: Final = 200 * _MS
_AGAIN_NS: Final = 16 * NANOS_PER_SECOND
_KILLED_WITHIN: Final = 60
"""A crash comes while one of so many records is written."""


class Process:
    """One daemon's present process, and what it leaves to the next.

    Attributes:
        links: by the venue's name.
        guard: what takes its orders back when it dies or hangs.
        crashes: how often it was killed, or started anew by hand.
    """

    def __init__(self, account: str, invariants: SystemInvariants, guard: Guard) -> None:
        self.account, self.invariants, self.guard = account, invariants, guard
        self.trader: Trader | None = None
        self.journal: MemoryJournal | None = None
        self.links: dict[str, FaultyLink] = {}
        self.targets: dict[tuple[str, str], int] = {}
        self.day: DayState | None = None
        self.sent_ns = 0
        self.trades: dict[Market, OnRecord] = {}
        self.crashes = 0
        self.time: ProcessTime | None = None


class Trial:
    """One run.

    Attributes:
        world: exchanges and clock.
        processes: the daemons.
        kinds: how many faults of each kind began.
    """

    def __init__(
        self,
        settings: Settings,
        seed: int,
        faults: Sequence[Fault],
        on_started: Callable[[Process], None] | None = None,
        journal_of: Callable[[SessionSpec], MemoryJournal] = MemoryJournal,
        pace: MarketPace = MarketPace.USUAL,
    ) -> None:
        """Everything is open when this returns; on_started is called with each process before it connects."""
        self._on_started, self._journal_of = on_started, journal_of
        self.world = World(seed, START_NS)
        self.faults = tuple(faults)
        self.kinds: Counter[FaultKind] = Counter()
        self._settings, self._seed = settings, seed
        self._rng = np.random.default_rng((seed, 0x11))
        self._market = market(seed, pace)
        shape = topology(seed)
        names = [f"venue{v}" for v in range(shape.venues)]
        self._instruments = tuple(
            simulated_instrument(self._market, name, *_FEES_BPS, v) for v, name in enumerate(names)
        )
        self._spec = simulated_spec(settings, self._instruments, seed)
        accounts = [f"maker{t}" for t in range(shape.traders)]
        self._venues = [self._open_venue(i, accounts) for i in self._instruments]
        self.processes = [self._process(account) for account in accounts]
        for fault in self.faults:
            at = self.world.agenda.at
            at(START_NS + fault.at_ns, self._begin, fault)
            at(START_NS + fault.end_ns, self._end, fault)
        for process in self.processes:
            self._start(process)

    @property
    def events(self) -> int:
        """How much has happened."""
        return self.world.agenda.entries

    def run(self, seconds: float) -> None:
        """Let time pass, then let everything come to rest. Raises: InvariantError."""
        self._run_to(START_NS + round(seconds * NANOS_PER_SECOND))
        last_ns = max((f.end_ns for f in self.faults), default=0)
        calm_ns = max(self.world.agenda.now_ns, START_NS + last_ns) + CALM_S * NANOS_PER_SECOND
        waiting = list(self.processes)
        while waiting:
            now_ns = self.world.agenda.now_ns
            if now_ns >= calm_ns:
                raise InvariantError(
                    f"{waiting[0].account}: expected all to be at rest {CALM_S} s after the last fault: "
                    f"{_why_restless(waiting[0])}",
                    rule="rest",
                )
            self._run_to(now_ns + 7 * _MS)
            if self.world.agenda.now_ns > START_NS + last_ns:
                waiting = [p for p in waiting if not _is_settled(p)]

    def restart(self, process: Process) -> None:
        """Start a daemon that died, with what its journal says."""
        assert process.trader is None, "only what is dead is started again"
        self._start(process)

    def _run_to(self, until_ns: int) -> None:
        while True:
            try:
                self.world.agenda.run(until_ns)
            except KilledError:
                for process in self.processes:
                    if process.journal is not None and process.journal.is_dead:
                        self._die(process)
                        again_ns = self.world.agenda.now_ns + _AGAIN_NS
                        self.world.agenda.at(again_ns, self._start_again, process)
            else:
                return

    def _open_venue(self, instrument: Instrument, accounts: Sequence[str]) -> SimulatedVenue:
        listed = msgspec.structs.replace(instrument, id=InstrumentId(0))
        limit = self._settings.risk.position_notional_max
        held = opening_balances(listed, self._market.price, limit)
        number = instrument.id
        link = PriceLink(seed=self._seed, lag_ns=number * _LAG_NS)
        listing = Listing(instrument=listed, preset=self._market, link=link)
        venue = self.world.add_venue(
            instrument.venue, [listing], {account: dict(held) for account in accounts}
        )
        venue.on_execution = self._on_execution
        return venue

    def _on_execution(self, venue: str, event: Execution) -> None:
        for process in self.processes:
            if process.account == event.order.account:
                process.invariants.on_execution(venue, event)

    def _process(self, account: str) -> Process:
        opening = {v.name: v.opening[account] for v in self._venues}
        agenda = self.world.agenda
        guard = Guard(agenda, VirtualClock(agenda))
        invariants = SystemInvariants(opening)
        guard.on_confirmed, invariants.is_guarded = invariants.on_guarded, guard.has_confirmed
        return Process(account, invariants, guard)

    def _start(self, process: Process) -> None:
        """Start a daemon, with what the last one's journal says."""
        now_ns, number = self.world.agenda.now_ns, self.processes.index(process)
        spec = msgspec.structs.replace(
            self._spec,
            session=(now_ns - START_NS) // NANOS_PER_SECOND + 1,
            started_unix_ns=now_ns,
            started_monotonic_ns=now_ns,
            target_atoms=tuple(process.targets.get((i.venue, i.symbol)) for i in self._instruments),
            day=process.day,
        )
        process.journal = self._journal_of(spec)
        time = process.time = ProcessTime(self.world.agenda)
        process.links = {
            venue.name: self._link(number, at, process.account, time)
            for at, venue in enumerate(self._venues)
        }
        trader = Trader(
            spec,
            list(process.links.values()),
            time,
            journal=process.journal,
            decision_ns=_DECISION_NS,
            models=simulated_models(spec),
        )
        process.trader = trader
        if process.sent_ns > 0:
            for link in process.links.values():
                link.orders.expect_stragglers(process.sent_ns)
        told = resumed(process.trades, self._instruments)
        for link in process.links.values():
            link.resume_trades(told)
        process.invariants.follow(trader, process.links, process.journal)
        process.guard.venues = [link.guarded() for link in process.links.values()]
        process.guard.serve(f"{spec.session:x}", time, partial(_out_of_hand, process, trader))
        if self._on_started is not None:
            self._on_started(process)
        trader.open()

    def _link(self, trader: int, venue: int, account: str, time: ProcessTime) -> FaultyLink:
        agenda = self.world.agenda
        suffered = [f for f in self.faults if (f.trader, f.venue) == (trader, venue)]
        weather = Weather(suffered, agenda, START_NS, self._seed)
        at = InstrumentId(venue)
        return FaultyLink(
            self._venues[venue],
            account,
            {at: 0},
            {at: self._instruments[venue]},
            weather,
            self._rng,
            time,
        )

    def _die(self, process: Process) -> None:
        """Kill -9: the journal is all that is left; what the next process knows is read from it."""
        assert process.trader is not None, "only what lives dies"
        assert process.journal is not None, "every process has a journal"
        process.crashes += 1
        process.trader.die()
        for link in process.links.values():
            link.close()
        process.trader = None
        with tempfile.TemporaryDirectory(prefix="mmd-simulate-") as folder:
            session = Path(folder) / "session"
            process.journal.save(session)
            process.journal.is_dead = False
            process.targets |= inventory_targets(session)
            process.trades = followed(process.trades, session_trades(session))
            sent = last_new_order(session)
            process.sent_ns = process.sent_ns if sent is None else sent.monotonic_ns
            process.day = day_state(
                [session], self.world.agenda.now_ns, self._settings.risk.spec().day_starts_s
            )

    def _start_again(self, process: Process) -> None:
        """One that died when its crash was over already, because it had stood still meanwhile."""
        if process.trader is None:
            self._start(process)

    def _begin(self, fault: Fault) -> None:
        self.kinds[fault.kind] += 1
        process = self.processes[fault.trader]
        if fault.kind is FaultKind.MAINTENANCE:
            self._set_status(fault.venue, TradingStatus.HALTED)
        elif process.trader is None:
            return
        elif fault.kind is FaultKind.CRASH:
            rng = np.random.default_rng((self._seed, fault.number))
            assert process.journal is not None, "every process has a journal"
            torn = min(1.0, 1.5 * float(rng.random()))
            process.journal.kill(int(rng.integers(1, _KILLED_WITHIN)), torn)
        elif fault.kind is FaultKind.STALL:
            assert process.time is not None, "every process has its time"
            process.time.stop(START_NS + fault.end_ns)
        elif fault.kind is FaultKind.DISK_FULL:
            assert process.journal is not None, "every process has a journal"
            process.journal.is_full = True
        else:
            process.links[self._venues[fault.venue].name].begin(fault)

    def _end(self, fault: Fault) -> None:
        process = self.processes[fault.trader]
        if fault.kind is FaultKind.MAINTENANCE:
            self._set_status(fault.venue, TradingStatus.TRADING)
        elif fault.kind is FaultKind.CRASH:
            if process.trader is None:
                self._start(process)
        elif fault.kind is FaultKind.DISK_FULL:
            if process.journal is not None and process.journal.is_full:
                if process.trader is not None:
                    self._die(process)
                self._start(process)
        elif process.trader is not None:
            process.links[self._venues[fault.venue].name].end(fault)

    def _set_status(self, venue: int, status: TradingStatus) -> None:
        for listed in self._venues[venue].exchange.markets:
            listed.status = status


def _out_of_hand(process: Process, trader: Trader) -> tuple[str, ...] | None:
    """As the daemon's own judgement with which it renews its lease (mmd.app); None of one that is dead."""
    if process.trader is not trader:
        return None
    return tuple(
        m.instrument.venue
        for m in trader.engine.makers
        if (not m.is_private_up or m.orders.unknown_count > 0) and sum(m.orders.open_orders) > 0
    )


def _is_settled(process: Process) -> bool:
    return process.trader is not None and process.invariants.is_settled(process.trader)


def _why_restless(process: Process) -> str:
    if process.trader is None:
        return "the process was not restarted"
    makers = process.trader.engine.makers
    doubts = [o.describe() for m in makers for o in m.orders if o.is_in_flight]
    doubts += [o.describe() for m in makers for o in m.orders.unknown_orders()]
    ups = {name: link.is_at_rest for name, link in process.links.items()}
    return f"at rest {ups}, in doubt {doubts}"
