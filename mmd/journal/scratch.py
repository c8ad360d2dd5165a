"""A journal that is never read: the same work as the real one, in a ring of memory."""

from mmd.core.commands import Command
from mmd.core.events import Decision, Event
from mmd.core.market.record import PACKED_MAX
from mmd.jit.kernel import Rec
from mmd.journal.pen import Pen
from mmd.journal.segment import Segment

_ROOM = 1 << 17


class ScratchJournal:
    """Takes everything and keeps nothing; implements `mmd.core.ports.Journal`."""

    def __init__(self) -> None:
        self._segment = Segment(bytearray(_ROOM + 2 * PACKED_MAX), 0)
        self.pen = Pen()
        """As the real one's."""
        self.pen.turn_to(self._segment.end)

    @property
    def records(self) -> int:
        """How many were appended so far."""
        return self._segment.sequence

    def market(self, market: Rec) -> None:
        """Write over what is oldest."""
        self._segment.market(market)
        self._wrap()

    def event(self, event: Event) -> None:
        """Write over what is oldest."""
        self._segment.event(event)
        self._wrap()

    def command(self, command: Command, decision: Decision | None = None) -> None:
        """Write over what is oldest."""
        self._segment.command(command, decision)
        self._wrap()

    def _wrap(self) -> None:
        if self._segment.at > _ROOM:
            self._segment.rewind()
