"""How long requests that a venue turned away untried wait before they are made again: twice as long each time.

The venue's own time to wait is known to its adapter, which sends nothing meanwhile; the engine has only the refusals, and
what it wants is the same after each, so that without a wait every market record would have it decide the same again.
"""

from typing import Final

BACKOFF_NS_MIN: Final = 50_000_000


class Backoff:
    """The waits of a session's venues, each by its throttle's number.

    Attributes:
        ns_max: the longest wait; 0: none.
    """

    def __init__(self, ns_max: int) -> None:
        self.ns_max = ns_max
        self._until_ns: dict[int, int] = {}
        self._wait_ns: dict[int, int] = {}

    def is_waiting(self, venue: int, now_ns: int) -> bool:
        """Whether nothing should be asked of a venue yet."""
        return now_ns < self._until_ns.get(venue, now_ns)

    def on_turned_away(self, venue: int, now_ns: int) -> None:
        """A request was refused without trial; those that were on their way with the first lengthen nothing.

        A venue that has turned nothing away for the longest wait after the last one begins with the shortest again.
        """
        until_ns = self._until_ns.get(venue)
        if self.ns_max == 0 or (until_ns is not None and now_ns < until_ns):
            return
        is_again = until_ns is not None and now_ns < until_ns + self.ns_max
        wait_ns = 2 * self._wait_ns[venue] if is_again else BACKOFF_NS_MIN
        self._wait_ns[venue] = wait_ns = min(wait_ns, self.ns_max)
        self._until_ns[venue] = now_ns + wait_ns
