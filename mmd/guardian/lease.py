"""The lease that a daemon holds while its main loop turns: renewed, released, or lost."""

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

    def renew(self, session: str, length_ns: int, now_ns: int) -> None:
        """Begin it or go on with it; also after a loss, when the daemon is back."""
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
