"""Small simulated worlds for tests: one market, one trader with default settings, a journal in memory."""

from pathlib import Path

from mmd.config import Settings, load
from mmd.core.commands import Command
from mmd.core.events import Decision, Event
from mmd.core.market.record import MARKET, pack, packed_view
from mmd.exchange.presets import DEFAULT, FlowPreset
from mmd.jit.kernel import Rec, bind, new
from mmd.journal.format import encoder
from mmd.journal.writer import JournalWriter
from mmd.simulation.scenario import Scenario, ScenarioSettings, scenario_spec

_PACK = bind(pack, new(MARKET))


class ListJournal:
    """Keeps packed records in a list; implements `mmd.core.ports.Journal`."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.events: list[Event] = []
        self.commands: list[Command] = []

    def market(self, market: Rec) -> None:
        self.records.append(bytes(packed_view(market)[: _PACK(market)]))

    def event(self, event: Event) -> None:
        self.events.append(event)
        self.records.append(encoder.encode(event))

    def command(self, command: Command, decision: Decision | None = None) -> None:
        if decision is not None:
            self.event(decision)
        self.commands.append(command)
        self.records.append(encoder.encode(command))


def settings(**overrides: object) -> Settings:
    """The daemon's defaults with changes: risk__loss_max=5 for risk.loss_max."""
    changed = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(None, {"venues.simulated.adapter": "binance_spot"} | changed)


def scenario(
    seed: int = 1,
    preset: FlowPreset = DEFAULT,
    journal: ListJournal | None = None,
    assumed: ScenarioSettings | None = None,
    **overrides: object,
) -> Scenario:
    """One maker in one market, just opened."""
    return Scenario(
        settings(**overrides), preset, seed, assumed or ScenarioSettings(), journal=journal
    )


def record_session(folder: Path, seed: int = 1, seconds: float = 20.0, **overrides: object) -> Path:
    """Journal a simulated session; returns its folder."""
    wanted = settings(**overrides)
    assumed = ScenarioSettings()
    spec = scenario_spec(wanted, DEFAULT, seed, assumed)
    session = folder / "session"
    with JournalWriter(session, spec, segment_bytes=1 << 24, sync_ns=10**9) as journal:
        Scenario(wanted, DEFAULT, seed, assumed, journal=journal).world.run(seconds)
    return session
