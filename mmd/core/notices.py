"""What people should hear of and no order depends on: a short list that the shell reads and logs."""

from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from mmd.core.units import InstrumentId

NOTICES_KEPT: Final = 256


class NoticeKind(IntEnum):
    """What happened; a closed set, so that it can label a metric."""

    POSITION_OLD = 0
    """An inventory has been on one side for longer than the limit."""
    INVENTORY_WARNING = 1
    """Much of the position limit is used."""
    HEDGE_STARTED = 2
    HEDGE_DONE = 3
    HEDGE_LATE = 4
    """A hedge is not done within its time; it goes on, by crossing."""
    HEDGE_NO_ROUTE = 5
    """A hedge is wanted and nothing that it could be traded on is usable."""


class Notice(NamedTuple):
    """One of them."""

    ts_ns: int
    kind: NoticeKind
    instrument: InstrumentId
    text: str


class Notices:
    """The last NOTICES_KEPT notices of a session.

    Attributes:
        counts: how often there was each NoticeKind.
        total: how many there were altogether.
    """

    def __init__(self) -> None:
        self.counts = [0] * len(NoticeKind)
        self.total = 0
        self._kept: deque[Notice] = deque(maxlen=NOTICES_KEPT)

    def add(self, ts_ns: int, kind: NoticeKind, instrument: InstrumentId, text: str) -> None:
        """Note that something happened."""
        self.counts[kind] += 1
        self.total += 1
        self._kept.append(Notice(ts_ns, kind, instrument, text))

    def since(self, total: int) -> Iterator[Notice]:
        """Those that came after there were `total`, as far as they are kept."""
        new = min(self.total - total, len(self._kept))
        return iter([*self._kept][len(self._kept) - new :])
