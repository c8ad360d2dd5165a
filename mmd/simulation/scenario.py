"""One maker in one generated market: the world of a stress test, made of settings, a preset and a seed."""

import msgspec

from mmd.config import Settings
from mmd.core.ports import Journal
from mmd.core.spec import SessionSpec
from mmd.core.units import InstrumentId
from mmd.exchange.presets import FlowPreset
from mmd.simulation.invariants import Invariants
from mmd.simulation.link import LinkDelays
from mmd.simulation.session import (
    START_NS,
    opening_balances,
    simulated_instrument,
    simulated_models,
    simulated_spec,
)
from mmd.simulation.track import Track
from mmd.simulation.trader import Trader
from mmd.simulation.venue import Listing
from mmd.simulation.world import Connection, World

VENUE = "simulated"
ACCOUNT = "mmd"
_ZERO = InstrumentId(0)


class ScenarioSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a scenario assumes beside the market; fees in basis points, times in ns."""

    delays: LinkDelays = LinkDelays()
    decision_ns: int = 50_000
    maker_fee_bps: float = 1.0
    taker_fee_bps: float = 2.5


def scenario_spec(
    settings: Settings, preset: FlowPreset, seed: int, assumed: ScenarioSettings
) -> SessionSpec:
    """The session of a scenario; a journal has it as its header."""
    instrument = simulated_instrument(preset, VENUE, assumed.maker_fee_bps, assumed.taker_fee_bps)
    return simulated_spec(settings, (instrument,), seed)


class Scenario:
    """A world with one venue and one trader.

    Attributes:
        world, trader: the parts.
        invariants: what was checked, after each step of the trader.
        track: what came about.
    """

    def __init__(
        self,
        settings: Settings,
        preset: FlowPreset,
        seed: int,
        assumed: ScenarioSettings,
        journal: Journal | None = None,
    ) -> None:
        """Everything is open when this returns."""
        spec = scenario_spec(settings, preset, seed, assumed)
        (instrument,) = spec.instruments
        held = opening_balances(instrument, preset.price, settings.risk.position_notional_max)
        self.world = World(seed, START_NS)
        self.venue = self.world.add_venue(
            VENUE, [Listing(instrument=instrument, preset=preset)], {ACCOUNT: held}
        )
        self.invariants, self.track = Invariants(), Track()
        self.trader = self.world.add_trader(
            spec,
            [Connection(venue=VENUE, account=ACCOUNT, markets={_ZERO: 0}, delays=assumed.delays)],
            journal=journal,
            decision_ns=assumed.decision_ns,
            on_settled=self._on_settled,
            models=simulated_models(spec),
        )

    def _on_settled(self, trader: Trader) -> None:
        self.invariants.check(trader)
        self.track.observe(trader)
