"""Scheduled blackouts: spans of UTC time, once, daily or weekly, in which no risk is added."""

import msgspec

from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError

DAY_S = 86_400
WEEK_S = 7 * DAY_S
_NEVER = 2**63 - 1


class Blackout(msgspec.Struct, frozen=True, kw_only=True):
    """One span, or one that comes again every `period_s`.

    Attributes:
        start_s: unix seconds of its start, of any one of its starts where it comes again.
        duration_s: how long it lasts.
        period_s: DAY_S, WEEK_S, or 0 where it comes only once.
        reason: for people.

    Raises:
        ConfigError: a span that is empty, or longer than its period.
    """

    start_s: int
    duration_s: int
    period_s: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse what can be neither entered nor left."""
        if self.duration_s < 1 or (self.period_s and self.duration_s >= self.period_s):
            raise ConfigError(
                f"blackout {self.reason!r} lasts {self.duration_s} s: expected at least one second"
                + (f" and less than its period of {self.period_s} s" if self.period_s else "")
            )

    def edges_s(self, unix_s: int) -> tuple[bool, int | None]:
        """Whether it holds at a time, and when that changes next (None: never)."""
        since_s = unix_s - self.start_s
        if self.period_s == 0:
            if since_s < 0:
                return False, self.start_s
            if since_s < self.duration_s:
                return True, self.start_s + self.duration_s
            return False, None
        into_s = since_s % self.period_s
        if into_s < self.duration_s:
            return True, unix_s - into_s + self.duration_s
        return False, unix_s - into_s + self.period_s


class BlackoutCalendar:
    """All blackouts of a session on its engine time; between two edges a look at it is one comparison.

    Attributes:
        active: the blackout that holds, the first of several; None outside all of them.
        next_ns: engine time at which `advance` has to be called again.
    """

    def __init__(self, blackouts: tuple[Blackout, ...], unix_less_engine_ns: int) -> None:
        self.active: Blackout | None = None
        self.next_ns = 0 if blackouts else _NEVER
        self._blackouts = blackouts
        self._unix_less_engine_ns = unix_less_engine_ns

    def advance(self, now_ns: int) -> None:
        """Find what holds now and until when."""
        unix_s = (now_ns + self._unix_less_engine_ns) // NANOS_PER_SECOND
        self.active, changes = None, []
        for blackout in self._blackouts:
            holds, changes_s = blackout.edges_s(unix_s)
            if holds and self.active is None:
                self.active = blackout
            if changes_s is not None:
                changes.append(changes_s)
        self.next_ns = (
            min(changes) * NANOS_PER_SECOND - self._unix_less_engine_ns if changes else _NEVER
        )
