"""Faults of a simulated world: what goes wrong, where, from when, for how long; drawn from a seed."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

_MS: Final = 1_000_000
_QUIET_MS: Final = 3_000
"""Nothing goes wrong before: books and accounts shall have a chance to come up."""
_GAP_MS: Final = 6_000
"""The mean time between the beginnings of two faults of one connection."""
_NUMBERS: Final = 1_000_000
"""Numbers for the faults of each connection."""


class FaultKind(StrEnum):
    """What can go wrong."""

    FEED_DELAY = "feed_delay"
    FEED_DROP = "feed_drop"
    FEED_DUPLICATE = "feed_duplicate"
    FEED_REORDER = "feed_reorder"
    FEED_SILENT = "feed_silent"
    """Half-open: what is published arrives when the partition ends, or the connection is replaced before."""
    FEED_DOWN = "feed_down"
    SNAPSHOT_OLD = "snapshot_old"
    SNAPSHOT_LATE = "snapshot_late"
    ENTRY_STALL = "entry_stall"
    """Requests arrive when the partition ends; those older than the receive window are refused then."""
    ANSWER_STALL = "answer_stall"
    """Answers and account events arrive when the partition ends."""
    HALF_OPEN = "half_open"
    """Nothing passes either way, and the connection is replaced after its silence."""
    ENTRY_DOWN = "entry_down"
    """Order entry is reset: requests on their way may arrive or not, answers do not."""
    REQUEST_LOST = "request_lost"
    """No answer, and the venue never had the request."""
    ANSWER_LOST = "answer_lost"
    """No answer, although the venue did what was asked."""
    FATE_UNKNOWN = "fate_unknown"
    """5xx or -1007: the venue does not know itself whether it did."""
    ANSWER_LATE = "answer_late"
    """Acknowledgements after fills and after time-outs."""
    STREAM_LATE = "stream_late"
    """Account events overtake each other: fills before acknowledgements, ends before fills."""
    STREAM_DUPLICATE = "stream_duplicate"
    REJECT = "reject"
    """Requests are refused for each reason of the closed set."""
    BAN = "ban"
    """429: refused and asked to wait."""
    MAINTENANCE = "maintenance"
    """The venue does not trade; it tells only those who ask."""
    CLOCK_JUMP = "clock_jump"
    """The trader's clock steps, and back at the end."""
    REST_DOWN = "rest_down"
    CRASH = "crash"
    """kill -9 in the middle of a journal record, and a restart."""
    STALL = "stall"
    """The process stands still, and then goes on as if nothing had been: a hung loop, SIGSTOP, a paused machine."""
    DISK_FULL = "disk_full"
    """The journal refuses; somebody makes room and starts the daemon anew."""


_LENGTH_MS: dict[FaultKind, tuple[int, int]] = {
    FaultKind.FEED_SILENT: (500, 40_000),
    FaultKind.FEED_DOWN: (1, 8_000),
    FaultKind.ENTRY_STALL: (200, 8_000),
    FaultKind.ANSWER_STALL: (200, 8_000),
    FaultKind.HALF_OPEN: (500, 35_000),
    FaultKind.ENTRY_DOWN: (1, 6_000),
    FaultKind.BAN: (500, 8_000),
    FaultKind.MAINTENANCE: (2_000, 15_000),
    FaultKind.REST_DOWN: (500, 12_000),
    FaultKind.CRASH: (1_000, 15_000),
    FaultKind.STALL: (200, 15_000),
    FaultKind.DISK_FULL: (1_000, 15_000),
}
"""The shortest and the longest; for a crash, until the process is up again."""
_ORDINARY_MS = 300, 6_000


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one connection; its number seeds its chances."""

    number: int
    kind: FaultKind
    trader: int
    venue: int
    at_ms: int
    length_ms: int

    @property
    def at_ns(self) -> int:
        """From when, in virtual time since the beginning."""
        return self.at_ms * _MS

    @property
    def end_ns(self) -> int:
        """Until when."""
        return (self.at_ms + self.length_ms) * _MS


def draw_faults(
    seed: int,
    seconds: float,
    kinds: Sequence[FaultKind],
    connections: Sequence[tuple[int, int]],
) -> list[Fault]:
    """Faults of every connection (trader, venue), in the order of time.

    Equal seeds give equal faults, and fewer seconds the first of the same.
    """
    faults: list[Fault] = []
    for place, (trader, venue) in enumerate(connections if kinds else ()):
        rng = np.random.default_rng((seed, place, 0xFA017))
        number, at_ms = place * _NUMBERS, _QUIET_MS + int(rng.exponential(_GAP_MS))
        while at_ms < seconds * 1_000:
            kind = kinds[int(rng.integers(len(kinds)))]
            low, high = _LENGTH_MS.get(kind, _ORDINARY_MS)
            length_ms = int(low * (high / low) ** rng.random())
            fault = Fault(
                number=number,
                kind=kind,
                trader=trader,
                venue=venue,
                at_ms=at_ms,
                length_ms=length_ms,
            )
            faults.append(fault)
            number += 1
            at_ms += 1 + int(rng.exponential(_GAP_MS))
    return sorted(faults, key=lambda fault: (fault.at_ms, fault.number))
