"""How careful we are: a level per session, raised for a reason and left only as stated here.

    NORMAL       quote
    CAUTIOUS     quote wider and smaller               left when the reason is cleared, after a time of health
    REDUCE_ONLY  only orders that shrink the position  left when the reason is cleared
    CANCEL_ALL   no orders; working ones are taken back until confirmed  left by an operator, or for what is next
    FLATTEN      as CANCEL_ALL, then the position is closed by taking    left for HALTED when flat
    HALTED       nothing but cancels                                     left by an operator
The level is the highest that any active reason asks for. An operator's resume clears all reasons, except
after STOP. An operator's flatten brings a halted session down to FLATTEN, and any other order of an operator
ends the flattening in HALTED.
"""

from collections import deque
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

from mmd.core.risk.reasons import LevelReason

HISTORY_MAX: Final = 256
SESSION: Final = -1
"""Who raises a level, where it is nobody of the session's instruments."""


class RiskLevel(IntEnum):
    """Ordered: a higher level allows less."""

    NORMAL = 0
    CAUTIOUS = 1
    REDUCE_ONLY = 2
    CANCEL_ALL = 3
    FLATTEN = 4
    HALTED = 5


_NORMAL = RiskLevel.NORMAL
_REDUCE_ONLY = RiskLevel.REDUCE_ONLY  # a look-up through the metaclass of an Enum takes 0.1 us


class LevelChange(NamedTuple):
    """One step of the level; reason is None when an operator resumed or nothing is left to worry about."""

    ts_ns: int
    before: RiskLevel
    after: RiskLevel
    reason: LevelReason | None


class Raiser(Protocol):
    """What a watcher needs of the levels: it raises for a reason, and clears what it raised itself."""

    def escalate(
        self, to: RiskLevel, reason: LevelReason, now_ns: int, *, then: RiskLevel | None = None
    ) -> bool:
        """As `RiskLevels.escalate`."""
        ...

    def clear(self, reason: LevelReason, now_ns: int) -> bool:
        """As `RiskLevels.clear`."""
        ...

    def asked(self, reason: LevelReason) -> RiskLevel:
        """What the watcher asked for; NORMAL while its reason is not active."""
        ...


class RiskLevels:
    """The current level, why, and how it came to it.

    A reason is held by the session or by an instrument, and ends when nobody holds it any more.

    Attributes:
        level: what holds now.
        since_ns: engine time of the last change.
        history: the last HISTORY_MAX changes.
        rises: how often each LevelReason raised the level.
    """

    def __init__(self) -> None:
        self.level = RiskLevel.NORMAL
        self.since_ns = 0
        self.history: deque[LevelChange] = deque(maxlen=HISTORY_MAX)
        self.rises = [0] * len(LevelReason)
        self._active: dict[tuple[LevelReason, int], RiskLevel] = {}
        self._then: dict[tuple[LevelReason, int], RiskLevel] = {}

    @property
    def reasons(self) -> tuple[LevelReason, ...]:
        """The active reasons that ask for the current level; empty at NORMAL."""
        return self.reasons_at(self.level)

    def reasons_at(self, level: RiskLevel) -> tuple[LevelReason, ...]:
        """The active reasons that ask for a level."""
        found = (reason for (reason, _), asked in self._active.items() if asked is level)
        return tuple(dict.fromkeys(found))

    def is_active(self, reason: LevelReason) -> bool:
        """Whether the reason has raised a level and has not been cleared."""
        return any(active is reason for active, _ in self._active)

    def is_only(self, reason: LevelReason) -> bool:
        """Whether the reason is active and no other is."""
        return bool(self._active) and all(active is reason for active, _ in self._active)

    def asked(self, reason: LevelReason, holder: int = SESSION) -> RiskLevel:
        """What a holder asks for, for a reason; NORMAL while it is not active."""
        return self._active.get((reason, holder), _NORMAL)

    def of(self, instrument: int) -> "InstrumentLevels":
        """The levels in the hands of an instrument's watchers."""
        return InstrumentLevels(self, instrument)

    def escalate(
        self,
        to: RiskLevel,
        reason: LevelReason,
        now_ns: int,
        *,
        then: RiskLevel | None = None,
        holder: int = SESSION,
    ) -> bool:
        """Ask for a level, never for less than the holder asked before; returns whether the level rose.

        Args:
            to: the level wanted now.
            reason: why.
            now_ns: engine time.
            then: the level to go on to once every order is confirmed gone (see `on_all_canceled`).
            holder: the instrument that asks, or SESSION.
        """
        assert to > RiskLevel.NORMAL, "use clear or resume to come down"
        key = reason, holder
        self._active[key] = max(to, self._active.get(key, to))
        if then is not None:
            self._then[key] = max(then, self._then.get(key, then))
        return self._settle(now_ns, reason)

    def on_all_canceled(self, now_ns: int) -> bool:
        """Every order is confirmed gone: go on to what follows CANCEL_ALL; returns whether the level rose."""
        if self.level is not RiskLevel.CANCEL_ALL:
            return False
        followed = [
            k for k, asked in self._active.items() if asked is self.level and k in self._then
        ]
        for key in followed:
            self._active[key] = self._then.pop(key)
        return bool(followed) and self._settle(now_ns, followed[0][0])

    def flatten(self, reason: LevelReason, now_ns: int) -> bool:
        """An operator wants the position closed, of a halted session too; returns False after STOP."""
        if self.is_active(LevelReason.STOP):
            return False
        for active in self._active:
            self._active[active] = min(self._active[active], RiskLevel.FLATTEN)
        self.escalate(RiskLevel.FLATTEN, reason, now_ns)
        return True

    def end_flatten(self, now_ns: int, reason: LevelReason | None = None) -> None:
        """The position is closed, or for a reason must not be closed further: HALTED from here on."""
        if self.level is not RiskLevel.FLATTEN:
            return
        for active, level in self._active.items():
            if level is RiskLevel.FLATTEN:
                self._active[active] = RiskLevel.HALTED
        if reason is not None:
            self._active[reason, SESSION] = RiskLevel.HALTED
        self._settle(now_ns, self.reasons_at(RiskLevel.HALTED)[0] if reason is None else reason)

    def clear(self, reason: LevelReason, now_ns: int, holder: int = SESSION) -> bool:
        """The reason no longer holds for its holder; returns whether it was dropped: above REDUCE_ONLY it stays."""
        asked = self._active.get((reason, holder))
        if asked is None or asked > _REDUCE_ONLY:
            return False
        del self._active[reason, holder]
        self._settle(now_ns, None)
        return True

    def resume(self, now_ns: int) -> bool:
        """An operator takes responsibility: back to NORMAL; returns False after STOP, which is final."""
        if self.is_active(LevelReason.STOP):
            return False
        self._active.clear()
        self._then.clear()
        self._settle(now_ns, None)
        return True

    def _settle(self, now_ns: int, reason: LevelReason | None) -> bool:
        before, after = self.level, max(self._active.values(), default=RiskLevel.NORMAL)
        if after is not before:
            self.level = after
            self.since_ns = now_ns
            self.history.append(LevelChange(now_ns, before, after, reason))
            if after > before and reason is not None:
                self.rises[reason] += 1
        return after > before


class InstrumentLevels:
    """The session's levels as one instrument's watchers raise and clear them; a `Raiser`."""

    __slots__ = ("_instrument", "_levels")

    def __init__(self, levels: RiskLevels, instrument: int) -> None:
        self._levels, self._instrument = levels, instrument

    def escalate(
        self, to: RiskLevel, reason: LevelReason, now_ns: int, *, then: RiskLevel | None = None
    ) -> bool:
        """Ask for a level; returns whether the session's rose."""
        return self._levels.escalate(to, reason, now_ns, then=then, holder=self._instrument)

    def clear(self, reason: LevelReason, now_ns: int) -> bool:
        """The reason no longer holds here; another instrument's stays."""
        return self._levels.clear(reason, now_ns, self._instrument)

    def asked(self, reason: LevelReason) -> RiskLevel:
        """What this instrument asks for; NORMAL while its reason is not active."""
        return self._levels.asked(reason, self._instrument)
