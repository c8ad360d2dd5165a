"""Judges a tape's rows: time, sequence, crossed books, impossible numbers. Counts and places, repairs nothing."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import numpy as np

from mmd.core.market import book as books
from mmd.core.market.record import DIFF, MARKET, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.jit.kernel import Rec, bind, kernel, layout, new
from mmd.tape.format import EMPTY, KIND_NAMES, ROW, Rows
from mmd.tape.frames import BROKEN, CURSOR, END, next_frame

TIME_STEP_BACK, TIME_OUT_OF_ORDER, EVENT_TIME_BACK, SEQUENCE_GAP, SEQUENCE_BACK = 0, 1, 2, 3, 4
DUPLICATE, CROSSED_BOOK, CROSSED_TOP, NO_BOOK, ONE_SIDED, IMPOSSIBLE, ZERO_TRADE = (
    5,
    6,
    7,
    8,
    9,
    10,
    11,
)
MISMATCH, TOO_MANY_LEVELS, TRADE_ID_GAP, TRADE_ID_BACK = 12, 13, 14, 15


class Issue(NamedTuple):
    """One thing that can be wrong with a tape."""

    name: str
    expected: str

    @property
    def is_fatal(self) -> bool:
        """Whether it stops an import unless it is allowed."""
        return self.name in FATAL


ISSUES: Final = (
    Issue("time_step_back", "times that do not go back"),
    Issue("time_out_of_order", "times in order to within a second"),
    Issue("event_time_back", "the venue's times not to go back"),
    Issue("sequence_gap", "every diff to continue the one before"),
    Issue("sequence_back", "update ids that grow"),
    Issue("duplicate_diff", "every diff once"),
    Issue("crossed_book", "the best bid below the best ask"),
    Issue("crossed_top", "the best bid quoted below the best ask"),
    Issue("diff_without_book", "a snapshot before a diff"),
    Issue("one_sided_book", "bids and asks"),
    Issue("impossible_number", "prices above zero and quantities of at least zero"),
    Issue("empty_trade", "trades of more than zero lots"),
    Issue("book_mismatch", "the book to equal the venue's own best levels"),
    Issue("too_many_levels", "levels that the book has room for"),
    Issue("trade_id_gap", "trade ids without holes"),
    Issue("trade_id_back", "trade ids that grow"),
)
"""By their numbers above."""
FATAL: Final = frozenset(
    {"time_out_of_order", "sequence_back", "crossed_book", "impossible_number", "too_many_levels"}
)
_BACK_NS_MAX = 1_000_000_000
_HITS_MAX = 256
_SHOWN = 3

CHECKS = layout(
    ("is_measured", "i8"),  # whether receive times are; else the venue's times are to be in order
    ("now_ns", "i8"),
    ("event_ns", "i8"),
    ("last_id", "i8"),  # of the last snapshot or diff, -1 = none yet
    ("trade_id", "i8"),
    ("hits", "i8"),
    ("counts", "i8", (len(ISSUES),)),
    ("hit_issue", "i8", (_HITS_MAX,)),
    ("hit_row", "i8", (_HITS_MAX,)),
)


@kernel
def _note(checks: Rec, issue: int, row: int) -> None:
    """Count an issue, and place it while there is room."""
    k = checks[0]
    k.counts[issue] += 1
    if k.hits < _HITS_MAX and k.counts[issue] <= _SHOWN:
        k.hit_issue[k.hits] = issue
        k.hit_row[k.hits] = row
        k.hits += 1


@kernel
def _check_rows(rows: Rec, stop: int, checks: Rec) -> None:
    """Times and numbers of every row, order events included."""
    k = checks[0]
    for i in range(stop):
        row = rows[i]
        now_ns = row.ts_recv_ns if k.is_measured else row.ts_event_ns
        if now_ns < k.now_ns:
            late = k.now_ns - now_ns > _BACK_NS_MAX
            _note(checks, TIME_OUT_OF_ORDER if late else TIME_STEP_BACK, i)
        k.now_ns = now_ns
        if row["flags"] & EMPTY == 0:
            absent = row.kind == TOP and row.qty_lots == 0
            if row.qty_lots < 0 or (row.price_ticks <= 0 and not absent):
                _note(checks, IMPOSSIBLE, i)


@kernel
def _check_diff(status: int, market: Rec, checks: Rec, row: int) -> None:
    """Judge what the book said of a diff."""
    m, k = market[0], checks[0]
    if k.last_id >= 0 and m.last < k.last_id:
        _note(checks, SEQUENCE_BACK, row)
    elif k.last_id >= 0 and m.last == k.last_id:
        _note(checks, DUPLICATE, row)
    elif k.last_id >= 0 and m.prev > k.last_id:
        _note(checks, SEQUENCE_GAP, row)
    elif status == books.UNSYNCED:
        _note(checks, NO_BOOK, row)
    if m.ts_event_ns > 0:
        if m.ts_event_ns < k.event_ns:
            _note(checks, EVENT_TIME_BACK, row)
        k.event_ns = m.ts_event_ns


@kernel
def _check_trade(market: Rec, checks: Rec, row: int) -> None:
    """Judge a trade: more than nothing, ids without holes (0: the source has none)."""
    m, k = market[0], checks[0]
    if m.sz[0, 0] == 0:
        _note(checks, ZERO_TRADE, row)
    if m.first > 0 and k.trade_id > 0:
        if m.first > k.trade_id + 1:
            _note(checks, TRADE_ID_GAP, row)
        elif m.first <= k.trade_id:
            _note(checks, TRADE_ID_BACK, row)
    k.trade_id = max(k.trade_id, m.first if m.last == 0 else m.last)


@kernel
def _check_book(status: int, checks: Rec, row: int) -> None:
    """Judge the book as a snapshot or a diff left it."""
    if status == books.CROSSED:
        _note(checks, CROSSED_BOOK, row)
    elif status == books.ONE_SIDED:
        _note(checks, ONE_SIDED, row)
    elif status == books.TOO_MANY:
        _note(checks, TOO_MANY_LEVELS, row)


@kernel
def _check_top(market: Rec, checks: Rec, row: int) -> None:
    """Judge a best bid and ask by themselves."""
    m = market[0]
    if m.sz[0, 0] > 0 and m.sz[1, 0] > 0 and m.px[0, 0] >= m.px[1, 0]:
        _note(checks, CROSSED_TOP, row)


@kernel
def inspect(rows: Rec, cursor: Rec, market: Rec, book: Rec, checks: Rec) -> int:
    """Check a batch of whole frames, keeping its book; returns END, or BROKEN at a frame that has no end."""
    c, m, k = cursor[0], market[0], checks[0]
    _check_rows(rows, c.stop, checks)
    while True:
        kind = next_frame(rows, cursor, market)
        if kind <= END:
            return kind
        if kind == TRADE:
            _check_trade(market, checks, c.begin)
        elif kind == TOP:
            _check_top(market, checks, c.begin)
        elif kind == PARTIAL:
            if books.check(book, market) == books.MISMATCH:
                _note(checks, MISMATCH, c.begin)
        else:
            status = books.apply(book, market)
            if kind == DIFF:
                _check_diff(status, market, checks, c.begin)
            if kind == SNAPSHOT or m.last > k.last_id:
                k.last_id = m.last
            if (
                kind == DIFF or m.n[0] + m.n[1] > 0
            ):  # an empty snapshot only says that a book begins
                _check_book(status, checks, c.begin)


class Finding(NamedTuple):
    """An issue with how often and where it came up first."""

    issue: Issue
    times: int
    places: tuple[str, ...]


class Validation:
    """Checks batches in order, and stops at what is fatal."""

    def __init__(self, allow: Iterable[str] = (), *, has_recv_time: bool = True) -> None:
        """`allow` names issues that are counted although they are fatal by default.

        Where receive times were not measured it is the venue's times that are to be in order.

        Raises: TapeError for a name that is not in ISSUES.
        """
        known = {issue.name for issue in ISSUES}
        self._allowed = frozenset(allow)
        if unknown := self._allowed - known:
            raise TapeError(
                f"allow: expected {', '.join(sorted(i.name for i in ISSUES if i.is_fatal))}, found {min(unknown)!r}"
            )
        self._book = new(books.BOOK)
        self._market = new(MARKET)
        self._checks = new(CHECKS)
        self._cursor = new(CURSOR)
        self._places: dict[int, list[str]] = {}
        empty: Rows = np.empty(0, ROW)
        self._inspect = bind(inspect, empty, self._cursor, self._market, self._book, self._checks)
        bind(books.reset, self._book)(self._book)
        self._checks["last_id"], self._checks["is_measured"] = -1, has_recv_time

    def check(self, rows: Rows, place: Callable[[int], str]) -> None:
        """Check one batch of whole frames; `place` tells where a row came from.

        Raises:
            TapeError: Something fatal, with its place.
        """
        self._checks["hits"] = 0
        self._cursor["at"], self._cursor["stop"] = 0, len(rows)
        ended = self._inspect(rows, self._cursor, self._market, self._book, self._checks)
        row = self._checks[0]
        hits = [(int(row["hit_issue"][n]), int(row["hit_row"][n])) for n in range(row["hits"])]
        for number, at in sorted(hits, key=lambda hit: hit[1]):
            self._refuse_if_fatal(ISSUES[number], rows, at, place)
            self._places.setdefault(number, []).append(place(at))
        if ended == BROKEN:
            begin = int(self._cursor["begin"][0])
            raise TapeError(
                f"{place(begin)}: expected a frame of at most 5000 levels a side with an end, found none"
            )

    def findings(self) -> list[Finding]:
        """What was found so far, in the order of ISSUES."""
        counts = self._checks[0]["counts"].tolist()
        return [
            Finding(issue, count, tuple(self._places.get(number, ())))
            for number, (issue, count) in enumerate(zip(ISSUES, counts, strict=True))
            if count > 0
        ]

    def _refuse_if_fatal(
        self, issue: Issue, rows: Rows, at: int, place: Callable[[int], str]
    ) -> None:
        if issue.is_fatal and issue.name not in self._allowed:
            raise TapeError(
                f"{place(at)}: expected {issue.expected}, found {_shown(rows, at)}; mend the source, or count it with "
                f"--allow {issue.name}"
            )


def _shown(rows: Rows, at: int) -> str:
    """A row for an error message, with the time before it where there is one."""
    row = rows[at]
    kind = KIND_NAMES.get(int(row["kind"]), str(row["kind"]))
    before = f" after {rows[at - 1]['ts_event_ns']}" if at > 0 else ""
    return (
        f"{kind} {row['prev']}..{row['last']} received {row['ts_recv_ns']}, event {row['ts_event_ns']} ns{before}, {row['qty_lots']} lots at "
        f"{row['price_ticks']} ticks"
    )
