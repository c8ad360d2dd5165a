"""hftbacktest's depth events as book frames: what a clear takes away and a snapshot puts there."""

from typing import NamedTuple

from mmd.core.market.record import DIFF, SNAPSHOT, TOP
from mmd.tape import hftbacktest_events as hft
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame, Levels

Head = tuple[int, int, int, int]
"""Place, exchange time, local time, update id (0: none)."""


class Level(NamedTuple):
    """A level of an event; of a clear, the price down (or up) to which its side is emptied, 0 for all."""

    side: int
    ticks: int
    lots: int


class DepthEvents:
    """Keeps the book, so that clears can be told level by level."""

    def __init__(self) -> None:
        self._book: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._cleared: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """What clears took away that no frame has told yet."""
        self._head: Head | None = None
        """Of the clear that waits for its snapshot."""
        self._last = 0

    def take(self, kind: int, head: Head, levels: list[Level]) -> list[Frame]:
        """Frames of events of one message."""
        if kind == hft.CLEAR:
            frames = [] if self._head is None or self._head[2] == head[2] else self.flush()
            self._clear(levels)
            self._head = head
            return frames
        if kind == hft.DEPTH_SNAPSHOT and self._head is not None:
            return [self._replaced(head, levels)]
        frames = self.flush()
        if kind == hft.BEST:
            best = [[(v.ticks, v.lots) for v in levels if v.side == side][-1:] for side in (0, 1)]
            return [*frames, self._frame(TOP, head, best[0] or [(0, 0)], best[1] or [(0, 0)])]
        is_first = kind == hft.DEPTH_SNAPSHOT and not any(self._book)
        return [*frames, self._frame(SNAPSHOT if is_first else DIFF, head, *self._set(levels))]

    def flush(self) -> list[Frame]:
        """The frame of a clear that no snapshot followed."""
        if self._head is None:
            return []
        return [self._replaced(self._head, [])]

    def _replaced(self, head: Head, levels: list[Level]) -> Frame:
        """The frame of a clear and what came in its place: a snapshot if nothing was left."""
        gone, self._cleared, self._head = self._cleared, ({}, {}), None
        is_whole = not any(self._book)
        bids, asks = self._set(levels)
        if is_whole:
            return self._frame(SNAPSHOT, head, bids, asks)
        named = (dict(bids), dict(asks))
        removed = [[(p, 0) for p in gone[s] if p not in named[s]] for s in (0, 1)]
        return self._frame(DIFF, head, [*removed[0], *bids], [*removed[1], *asks])

    def _clear(self, levels: list[Level]) -> None:
        for level in levels:
            for side in (0, 1) if level.side == UNKNOWN_SIDE else (level.side,):
                book, sign = self._book[side], 1 - 2 * side
                out = [p for p in book if level.ticks == 0 or sign * (p - level.ticks) >= 0]
                self._cleared[side].update((p, book.pop(p)) for p in out)

    def _set(self, levels: list[Level]) -> tuple[Levels, Levels]:
        sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for side, ticks, lots in levels:
            sides[side].append((ticks, lots))
            if lots > 0:
                self._book[side][ticks] = lots
            else:
                self._book[side].pop(ticks, None)
        return sides

    def _frame(self, kind: int, head: Head, bids: Levels, asks: Levels) -> Frame:
        place, exch_ns, local_ns, number = head
        if number <= 0:
            return Frame(kind, place, exch_ns, local_ns, bids, asks)
        before = self._last
        if kind != TOP:
            self._last = number
        first, prev = (before + 1, before) if kind == DIFF else (0, 0)
        return Frame(
            kind, place, exch_ns, local_ns, bids, asks, first=first, last=number, prev=prev
        )
