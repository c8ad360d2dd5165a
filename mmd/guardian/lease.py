"""The lease that a daemon holds while its main loop turns: renewed, released, or lost; for single venues, too.

A daemon that cannot take back its orders at one venue renews without it: there the lease runs out, and elsewhere it quotes on.
"""

from collections.abc import Collection
from enum import Enum
from typing import Final

NO_SESSION: Final = ""


class LeaseState(Enum):
    """What the guardian makes of the daemon."""

    IDLE = "idle"
    """Nobody has to be guarded: none has come yet, or the last one left in order."""
    HELD = "held"
    LOST = "lost"
    """Not renewed in time: its orders are to be taken back."""


class Lease:
    """One daemon's lease.

    Attributes:
        state: see LeaseState.
        session: who holds it, or held it last.
        deadline_ns: when it ends unless it is renewed; meaningful while it is held.
        renewals, losses: how often it was renewed and lost.
    """

    def __init__(self) -> None:
        self.state = LeaseState.IDLE
        self.session = NO_SESSION
        self.deadline_ns = 0
        self.renewals = self.losses = 0
        self._ends_ns: dict[str, int] = {}
        self._lapsed: set[str] = set()

    def renew(
        self, session: str, length_ns: int, now_ns: int, without: Collection[str] = ()
    ) -> None:
        """Begin it or go on with it; also after a loss, when the daemon is back.

        For the venues `without` it ends when it would have ended before they were left out.
        """
        is_new = self.state is LeaseState.IDLE
        end_ns = now_ns + length_ns if is_new else self.deadline_ns
        self._ends_ns = {venue: self._ends_ns.get(venue, end_ns) for venue in without}
        self._lapsed.intersection_update(without)
        self.state, self.session = LeaseState.HELD, session
        self.deadline_ns = now_ns + length_ns
        self.renewals += 1

    def release(self) -> None:
        """The daemon has seen its orders gone and leaves."""
        self.state = LeaseState.IDLE

    def lose(self) -> None:
        """Somebody knows that the daemon is dead: there is no need to wait for the end of its lease."""
        if self.state is LeaseState.HELD:
            self.state = LeaseState.LOST
            self.losses += 1

    def expire(self, now_ns: int) -> bool:
        """Whether it is lost, now or since before."""
        if self.state is LeaseState.HELD and now_ns >= self.deadline_ns:
            self.lose()
        return self.state is LeaseState.LOST

    def end_ns(self, venue: str) -> int:
        """When it ends for a venue unless it is renewed with it."""
        return self._ends_ns.get(venue, self.deadline_ns)

    def expire_at(self, venue: str, now_ns: int) -> bool:
        """Whether it is held, but lost for one venue, now or since before."""
        is_lost = (
            self.state is LeaseState.HELD
            and venue in self._ends_ns
            and now_ns >= self._ends_ns[venue]
        )
        if is_lost and venue not in self._lapsed:
            self._lapsed.add(venue)
            self.losses += 1
        return is_lost
