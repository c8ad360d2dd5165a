"""Virtual time: what happens when. Entries of one moment happen in the order in which they were made."""

import heapq
from collections.abc import Callable
from typing import Any, Final

NEVER: Final = 2**62


class Agenda:
    """A clock that jumps from entry to entry.

    Attributes:
        now_ns: virtual time.
        entries: how many have happened.
    """

    def __init__(self, start_ns: int) -> None:
        self.now_ns = start_ns
        self.entries = 0
        self._heap: list[tuple[int, int, Callable[[Any], None], Any]] = []
        self._made = 0

    def at(self, due_ns: int, action: Callable[[Any], None], argument: Any = None) -> None:
        """Do something at a time; a time that has passed is now."""
        self._made += 1
        heapq.heappush(self._heap, (max(due_ns, self.now_ns), self._made, action, argument))

    def run(self, until_ns: int) -> None:
        """Let everything happen that is due until then; the clock then stands at until_ns."""
        heap, pop, entries = self._heap, heapq.heappop, 0
        try:
            while heap and heap[0][0] <= until_ns:
                self.now_ns, _, action, argument = pop(heap)
                entries += 1
                action(argument)
        finally:
            self.entries += entries
        self.now_ns = max(self.now_ns, until_ns)
