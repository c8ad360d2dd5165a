"""A guardian on virtual time: the lease and the sweep are the real ones, sockets and processes are made."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from mmd.core.ports import Clock
from mmd.errors import VenueError
from mmd.guardian.keeper import RENEWALS_PER_LEASE
from mmd.guardian.lease import Lease, LeaseState
from mmd.guardian.sweep import OwnOrder, Tally, sweep
from mmd.simulation.account_api import SimulatedAccountApi
from mmd.simulation.agenda import Agenda
from mmd.simulation.process_time import ProcessTime
from mmd.simulation.virtual_rest import VirtualRest, pause

LEASE_NS: Final = 3_000_000_000
_WAY_NS: Final = 1_000_000
_STRAGGLE_S: Final = 2.0


class GuardedVenue:
    """Our orders at one simulated venue; implements `mmd.guardian.sweep.OwnOrders`."""

    straggle_s = _STRAGGLE_S

    def __init__(
        self, name: str, symbols: Sequence[str], api: SimulatedAccountApi, rest: VirtualRest
    ) -> None:
        """`rest` is the guardian's connection."""
        self.name = name
        self.rest = rest
        self._symbols, self._api = symbols, api

    async def working(self) -> Sequence[OwnOrder]:
        """Every working order of the account. Raises: VenueError."""
        return [
            OwnOrder(symbol, order.client_order_id)
            for symbol in self._symbols
            for order in await self._api.open_orders(symbol)
        ]

    async def cancel(self, order: OwnOrder) -> None:
        """One of them; gone already is no error."""
        try:
            await self._api.cancel(order.symbol, order.client_order_id)
        except VenueError as error:
            if error.code == 0:  # no answer; the venue's refusals have a number
                raise

    async def keep_ready(self) -> None:
        """Always."""

    async def close(self) -> None:
        """Nothing is open."""


class Guard:
    """One daemon's guardian, over all of the daemon's processes.

    Attributes:
        lease: the daemon's.
        venues: where its orders are; the guardian asks the venue over a way of its own.
        tallies: by venue, what came of the last sweep.
        canceled: orders that were taken back.
        on_confirmed: called with a venue's name once it has confirmed that nothing is left.
    """

    def __init__(self, agenda: Agenda, clock: Clock) -> None:
        self.lease = Lease()
        self.venues: list[GuardedVenue] = []
        self.tallies: dict[str, Tally] = {}
        self.canceled = 0
        self.on_confirmed: Callable[[str], None] | None = None
        self._agenda, self._clock = agenda, clock
        self._swept: set[str] = set()
        self._out_of_hand: Callable[[], tuple[str, ...] | None] = lambda: None

    def has_confirmed(self, venue: str) -> bool:
        """Whether nothing of ours works at a venue, and the daemon is not back.

        A daemon that turns is back at a venue as soon as it has its orders there in hand, before it says so.
        """
        tally = self.tallies.get(venue)
        out = self._out_of_hand()
        is_lost = self._is_lost() or (self._is_lost_at(venue) and (out is None or venue in out))
        return is_lost and tally is not None and tally.confirmed

    def serve(
        self,
        session: str,
        time: ProcessTime,
        out_of_hand: Callable[[], tuple[str, ...] | None],
    ) -> None:
        """A process begins: its own loop renews the lease from now on, for as long as it turns."""

        def renew(_: object) -> None:
            if self.lease.session == session:
                time.at(time.now_ns + LEASE_NS // RENEWALS_PER_LEASE, renew)
                without = out_of_hand()
                if without is not None:
                    self._renew(session, without)

        self._out_of_hand = out_of_hand
        self._renew(session, ())
        renew(None)

    def _renew(self, session: str, without: tuple[str, ...]) -> None:
        now_ns = self._agenda.now_ns
        self.lease.renew(session, LEASE_NS, now_ns, without)
        self._swept.intersection_update(without)
        for venue in without:
            end_ns = self.lease.end_ns(venue)
            self._agenda.at(max(now_ns, end_ns), self._look_at, venue)
        self._agenda.at(now_ns + LEASE_NS, self._look, self.lease.renewals)

    def _look(self, renewals: int) -> None:
        if renewals == self.lease.renewals and self.lease.expire(self._agenda.now_ns):
            for venue in self.venues:
                self._sweep(venue, self._is_lost)

    def _look_at(self, name: str) -> None:
        if name not in self._swept and self._is_lost_at(name):
            self._swept.add(name)
            for venue in self.venues:
                if venue.name == name:
                    self._sweep(venue, partial(self._is_lost_at, name))

    def _sweep(self, venue: GuardedVenue, is_wanted: Callable[[], bool]) -> None:
        tally = self.tallies[venue.name] = Tally(venue.name)
        work = sweep(venue, is_wanted, self._clock, pause, tally)
        venue.rest.start(work, partial(self._ended, tally))

    def _is_lost_at(self, venue: str) -> bool:
        return self.lease.expire_at(venue, self._agenda.now_ns)

    def _is_lost(self) -> bool:
        return self.lease.state is LeaseState.LOST

    def _ended(self, tally: Tally, _: VenueError | None) -> None:
        self.canceled += tally.canceled
        if self.has_confirmed(tally.venue) and self.on_confirmed is not None:
            self.on_confirmed(tally.venue)
