"""Whole pictures of a book's best levels into a snapshot and the diffs between them."""

from typing import NamedTuple

from mmd.core.market.record import DIFF, SNAPSHOT
from mmd.tape.importers.frame_rows import Levels


class Change(NamedTuple):
    """What a picture changed: the kind of frame that it makes, and its levels."""

    kind: int
    bids: Levels
    asks: Levels


class DepthDiff:
    """Compares each picture with the one before; a level that is no longer in it is removed."""

    def __init__(self) -> None:
        self._held: tuple[dict[int, int], dict[int, int]] | None = None

    def forget(self) -> None:
        """The next picture is a snapshot again, as after a night."""
        self._held = None

    def update(self, bids: Levels, asks: Levels) -> Change | None:
        """Take the next picture; None where it is as the one before."""
        before, self._held = self._held, (dict(bids), dict(asks))
        if before is None:
            return Change(SNAPSHOT, bids, asks)
        changed = [_changed(old, new) for old, new in zip(before, self._held, strict=True)]
        return Change(DIFF, changed[0], changed[1]) if changed[0] or changed[1] else None


def _changed(old: dict[int, int], new: dict[int, int]) -> Levels:
    """Levels that are new or different, and those that are gone with 0 lots."""
    gone = [(ticks, 0) for ticks in old if ticks not in new]
    return gone + [(ticks, lots) for ticks, lots in new.items() if old.get(ticks) != lots]
