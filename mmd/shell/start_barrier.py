"""No quote anywhere before every venue is settled: what an earlier process left works at all of them.

Each venue takes back its own left-overs before it reports PrivateUp. The first reports are held back until the last of
them has come; after that nothing is.
"""

from collections.abc import Callable, Iterable

from mmd.core.events import Event, PrivateDown, PrivateUp


class StartBarrier:
    """Passes events on.

    Attributes:
        on_event: where venues put their events; what is held back comes with the last venue's first report.
    """

    def __init__(self, venues: Iterable[str], pass_on: Callable[[Event], None]) -> None:
        """`pass_on` is the driver's on_event."""
        self._waiting = set(venues)
        self._held: dict[str, PrivateUp] = {}
        self._pass_on = pass_on
        self.on_event: Callable[[Event], None] = self._hold_back

    def _hold_back(self, event: Event) -> None:
        if isinstance(event, PrivateDown):
            self._held.pop(event.venue, None)
        if not isinstance(event, PrivateUp):
            self._pass_on(event)
            return
        self._held[event.venue] = event
        self._waiting.discard(event.venue)
        if not self._waiting:
            self.on_event = self._pass_on  # from now on it costs nothing
            for held in self._held.values():
                self._pass_on(held)
