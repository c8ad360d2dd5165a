"""How old a book may get before it counts as stale: a fixed age, longer where the instrument itself is quiet.

A market in which nothing happens for five seconds every minute is not a feed that has died. Withdrawing there
gives the queue away thousands of times a day for nothing, so the limit follows the usual pause between messages.
"""

from typing import Final

from mmd.core.spec import RiskSpec

STEPS: Final = 60
"""Steps of the quoter (a second each) that are counted together."""
_WINDOWS_KEPT: Final = 10
"""Memory of the mean: ten minutes."""
_NEVER_STEPS: Final = 2**31


class BookPace:
    """The age at which one instrument's book is stale.

    Attributes:
        age_ns_max: of now: risk.stale_book_pauses mean pauses, between risk.stale_book_ns and its maximum.
        pause_ns: mean time between messages; 0 before the first window that held one.
    """

    def __init__(self, risk: RiskSpec) -> None:
        self.age_ns_max = self._floor_ns = risk.stale_book_ns
        self.pause_ns = 0.0
        self._max_ns = max(risk.stale_book_ns_max, risk.stale_book_ns)
        self._pauses = risk.stale_book_pauses
        self._steps = self._windows = 0
        self._from_ns = self._messages = 0

    @property
    def steps_left(self) -> int:
        """Steps until the next window is complete; 0 where nothing is counted for want of a first one."""
        if self._pauses == 0.0:
            return _NEVER_STEPS
        return 0 if self._from_ns == 0 else STEPS - self._steps

    def skip(self, steps: int) -> None:
        """Count steps that complete no window."""
        if self._pauses > 0.0:
            self._steps += steps

    def on_step(self, messages: int, now_ns: int) -> bool:
        """Count a step of the quoter, messages being all that ever came; returns whether the limit has changed.

        A window without any message says nothing of the pace: that is what the limit is for.
        """
        if self._pauses == 0.0:
            return False
        self._steps += 1
        if self._steps < STEPS and self._from_ns > 0:
            return False
        came, elapsed_ns = messages - self._messages, now_ns - self._from_ns
        is_first = self._from_ns == 0
        self._steps, self._messages, self._from_ns = 0, messages, now_ns
        if is_first or came == 0:
            return False
        self._windows = min(self._windows + 1, _WINDOWS_KEPT)
        self.pause_ns += (elapsed_ns / came - self.pause_ns) / self._windows
        wanted_ns = min(max(int(self._pauses * self.pause_ns), self._floor_ns), self._max_ns)
        has_changed = wanted_ns != self.age_ns_max
        self.age_ns_max = wanted_ns
        return has_changed
