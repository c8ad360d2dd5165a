"""A journal that is never read: the same work as the real one, in a ring of memory."""

from mmd.core.commands import Command
from mmd.core.events import Event
from mmd.core.market.record import PACKED_MAX
from mmd.journal.format import Kind, encoder, write_record

_ROOM = 1 << 17
_MARKET, _EVENT, _COMMAND = int(Kind.MARKET), int(Kind.EVENT), int(Kind.COMMAND)


class ScratchJournal:
    """Takes everything and keeps nothing; implements `mmd.core.ports.Journal`."""

    def __init__(self) -> None:
        self.records = 0
        self._out = bytearray(_ROOM + 2 * PACKED_MAX)
        self._at = 0

    def market(self, packed: memoryview) -> None:
        """Write over what is oldest."""
        self._append(_MARKET, packed)

    def event(self, event: Event) -> None:
        """Write over what is oldest."""
        self._append(_EVENT, encoder.encode(event))

    def command(self, command: Command) -> None:
        """Write over what is oldest."""
        self._append(_COMMAND, encoder.encode(command))

    def _append(self, kind: int, body: bytes | memoryview) -> None:
        if self._at > _ROOM:
            self._at = 0
        self.records += 1
        self._at = write_record(self._out, self._at, self.records, kind, body)
