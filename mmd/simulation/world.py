"""A whole world on virtual time: venues, traders, what connects them; everything follows from one seed."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from mmd.core.learned.served_model import ModelShelf
from mmd.core.ports import Journal
from mmd.core.spec import SessionSpec
from mmd.core.units import NANOS_PER_SECOND, InstrumentId
from mmd.simulation.agenda import Agenda
from mmd.simulation.link import Link, LinkDelays
from mmd.simulation.trader import Trader
from mmd.simulation.venue import Listing, SimulatedVenue


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Where a trader has an account, and how far away that is."""

    venue: str
    account: str
    markets: Mapping[InstrumentId, int]
    """The venue's number of each instrument of the session that trades there."""
    delays: LinkDelays = LinkDelays()


class World:
    """Venues and traders on one clock.

    Attributes:
        agenda: the clock.
        venues: by name.
        traders: in the order in which they came.
    """

    def __init__(self, seed: int, start_ns: int) -> None:
        """Nothing is there yet; start_ns is the clock's first time, in nanoseconds since 1970."""
        self.agenda = Agenda(start_ns)
        self.venues: dict[str, SimulatedVenue] = {}
        self.traders: list[Trader] = []
        self.start_ns = start_ns
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return (self.agenda.now_ns - self.start_ns) / NANOS_PER_SECOND

    def add_venue(
        self, name: str, listings: Sequence[Listing], balances: dict[str, dict[str, int]]
    ) -> SimulatedVenue:
        """Open a venue; balances are atoms by asset, by account.

        Venues have different order flow; link their listings where they shall share a price.
        """
        seed = self._seed + len(self.venues)
        venue = SimulatedVenue(name, listings, balances, self.agenda, seed)
        self.venues[name] = venue
        return venue

    def add_trader(
        self,
        spec: SessionSpec,
        connections: Sequence[Connection],
        *,
        journal: Journal | None = None,
        decision_ns: int = 0,
        on_settled: Callable[[Trader], None] | None = None,
        models: ModelShelf | None = None,
    ) -> Trader:
        """Start a session of the daemon: it connects at once."""
        links = [
            Link(self.venues[c.venue], c.account, c.markets, c.delays, self._rng)
            for c in connections
        ]
        trader = Trader(
            spec, links, self.agenda, journal=journal, decision_ns=decision_ns, models=models
        )
        trader.on_settled = on_settled
        self.traders.append(trader)
        trader.open()
        return trader

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.agenda.run(self.agenda.now_ns + round(seconds * NANOS_PER_SECOND))
