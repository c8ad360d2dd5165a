"""A journal in memory, byte for byte as on disk, that can die in the middle of a record as a process does."""

from collections.abc import Callable
from mmap import mmap
from pathlib import Path
from typing import Final

from mmd.core.commands import Command, PlaceOrder, ReplaceOrder
from mmd.core.events import Decision, Event, Fill
from mmd.core.spec import SessionSpec
from mmd.core.units import InstrumentId
from mmd.errors import JournalError
from mmd.jit.kernel import Rec
from mmd.journal.format import SUFFIX, Kind, encoder
from mmd.journal.kill_points import MARKET, ROLL, step_of
from mmd.journal.segment import FULL, Segment

SEGMENT_BYTES: Final = 1 << 20
DiesAt = Callable[[str], float | None]
"""Asked with the step that is about to be written; returns what share of its record the process lives to write."""
_HEADER: Final = int(Kind.HEADER)
_ZEROS: Final = bytes(256)


class KilledError(Exception):
    """The process is killed at this instruction."""


class MemoryJournal:
    """One session's journal; implements `mmd.core.ports.Journal`.

    Attributes:
        intents: client order ids of the new orders whose commands are in the journal.
        trades: instrument and trade id of the fills in it.
        records: how many there are.
        is_dead: whether the process was killed while it wrote.
        is_full: whether the disk is: nothing is written any more.
    """

    pen = None

    def __init__(
        self,
        spec: SessionSpec,
        *,
        dies_at: DiesAt | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """`dies_at` is asked before each record, by the names of `mmd.journal.kill_points`."""
        self._dies_at, self._segment_bytes = dies_at, segment_bytes
        self.intents: set[int] = set()
        self.trades: set[tuple[InstrumentId, int]] = set()
        self.records = 0
        self.is_dead = self.is_full = False
        self._header = encoder.encode(spec)
        self._ended: list[bytes] = []
        self._memory, self._segment = self._begin(0)
        self._dies_in: int | None = None
        self._torn_share = 1.0

    def kill(self, records: int, torn_share: float) -> None:
        """Die while the record that comes after so many others is written.

        Of its bytes that share is written; with 1 all of it is, and nothing that would follow is done.
        """
        self._dies_in, self._torn_share = records, torn_share

    def market(self, market: Rec) -> None:
        """A market record."""
        self._check_room()
        self._about_to(MARKET)
        start = self._segment.at
        if self._segment.market(market) == FULL:
            start = self._roll(self._segment.sequence)
            self._segment.market(market)
        self._wrote(start)

    def event(self, event: Event) -> None:
        """Any other event."""
        self._check_room()
        if self._dies_at is not None:
            self._about_to(step_of(event))
        start = self._segment.at
        if self._segment.event(event) == FULL:
            start = self._roll(self._segment.sequence)
            self._segment.event(event)
        try:
            self._wrote(start)
        finally:
            if isinstance(event, Fill) and not (self.is_dead and self._torn_share < 1.0):
                self.trades.add((event.instrument, event.trade_id))

    def command(self, command: Command, decision: Decision | None = None) -> None:
        """An intent."""
        self._check_room()
        if decision is not None:
            self.event(decision)
        self._about_to(step_of(command))
        start = self._segment.at
        if self._segment.command(command) == FULL:
            start = self._roll(self._segment.sequence)
            self._segment.command(command)
        self._wrote(start)
        if isinstance(command, PlaceOrder | ReplaceOrder):
            self.intents.add(command.client_order_id)

    def save(self, folder: Path) -> None:
        """Write what there is as a session's folder."""
        folder.mkdir(parents=True)
        last = bytes(self._memory[: self._segment.at]) + _ZEROS
        for number, data in enumerate([*self._ended, last], start=1):
            (folder / f"{number:06d}{SUFFIX}").write_bytes(data)

    def _about_to(self, step: str) -> None:
        if self._dies_at is not None and (share := self._dies_at(step)) is not None:
            self.kill(1, share)

    def _check_room(self) -> None:
        if self.is_full:
            raise JournalError("simulated: no space left on the disk")

    def _wrote(self, start: int) -> None:
        self.records += 1
        if self._dies_in is None:
            return
        self._dies_in -= 1
        if self._dies_in > 0:
            return
        end = self._segment.at
        if self._torn_share < 1.0:
            kept = start + int((end - start) * self._torn_share)
            self._memory[kept:end] = bytes(end - kept)
        self._dies_in, self.is_dead = None, True
        raise KilledError

    def _roll(self, sequence: int) -> int:
        """Begin another segment; returns where its first record after the header stands."""
        self._ended.append(bytes(self._memory[: self._segment.at]))
        self._memory, self._segment = self._begin(sequence)
        self._about_to(ROLL)
        return self._segment.at

    def _begin(self, sequence: int) -> tuple[mmap, Segment]:
        memory = mmap(-1, self._segment_bytes)  # pages that nothing is written to cost nothing
        segment = Segment(memory, sequence)
        segment.body(_HEADER, self._header)
        return memory, segment
