"""Validation: each issue is found where it is, fatal ones stop, and clean rows raise nothing."""

import numba
import numpy as np
import pytest

from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.format import EMPTY, ROW, Rows
from mmd.tape.validation import FATAL, ISSUES, Validation
from tests.tapes import row

_S = 10**9
Raw = tuple[int, ...]


def _rows(*rows: Raw) -> Rows:
    return np.array(list(rows), ROW)


def _book(number: int, ts: int = 0) -> list[Raw]:
    """A snapshot of 100 against 101."""
    head = {"last": number, "ts_recv_ns": ts * _S, "ts_event_ns": ts * _S + 1}
    return [
        _row(SNAPSHOT, 0, 100, 5, end=False, **head),
        _row(SNAPSHOT, 1, 101, 5, **head),
    ]


def _row(kind: int, side: int, ticks: int, lots: int, **fields: int) -> Raw:
    """One row; its frame ends with it unless end=False."""
    return row(kind, side=side, price_ticks=ticks, qty_lots=lots, **fields)


def _diff(
    number: int,
    side: int = 0,
    ticks: int = 99,
    lots: int = 1,
    ts: int = 0,
    prev: int | None = None,
    event: int = 0,
) -> Raw:
    ids = {"first": number, "last": number, "prev": number - 1 if prev is None else prev}
    return _row(DIFF, side, ticks, lots, ts_recv_ns=ts * _S, ts_event_ns=event, **ids)


def _found(rows: Rows, *allow: str) -> dict[str, int]:
    """Counts by name."""
    validation = Validation(allow)
    validation.check(rows, lambda at: f"row {at}")
    return {f.issue.name: f.times for f in validation.findings()}


_CASES = {
    "time_step_back": _rows(_row(TRADE, 0, 5, 1, ts_recv_ns=9), _row(TRADE, 0, 5, 1, ts_recv_ns=8)),
    "time_out_of_order": _rows(
        _row(TRADE, 0, 5, 1, ts_recv_ns=9 * _S), _row(TRADE, 0, 5, 1, ts_recv_ns=7 * _S)
    ),
    "event_time_back": _rows(*_book(1), _diff(2, event=9), _diff(3, event=8)),
    "sequence_gap": _rows(*_book(1), _diff(3)),
    "sequence_back": _rows(*_book(1), _diff(2), _diff(3), _diff(2)),
    "duplicate_diff": _rows(*_book(1), _diff(2), _diff(2)),
    "crossed_book": _rows(*_book(1), _diff(2, ticks=101)),
    "crossed_top": _rows(_row(TOP, 0, 8, 1, end=False, last=1), _row(TOP, 1, 8, 1, last=1)),
    "diff_without_book": _rows(_diff(1)),
    "one_sided_book": _rows(*_book(1), _diff(2, ticks=100, lots=0)),
    "impossible_number": _rows(_row(TRADE, 0, 0, 1)),
    "empty_trade": _rows(_row(TRADE, 0, 5, 0)),
    "book_mismatch": _rows(
        *_book(1), _row(PARTIAL, 0, 100, 4, end=False, last=1), _row(PARTIAL, 1, 101, 5, last=1)
    ),
    "trade_id_gap": _rows(_row(TRADE, 0, 5, 1, first=4), _row(TRADE, 0, 5, 1, first=6)),
    "trade_id_back": _rows(_row(TRADE, 0, 5, 1, first=4), _row(TRADE, 0, 5, 1, first=4)),
}


@pytest.mark.parametrize("name", sorted(_CASES))
def test_each_issue_is_found_once(name: str) -> None:
    """Alone, counted once, and nothing else with it."""
    assert _found(_CASES[name], *FATAL) == {name: 1}


def test_every_issue_has_a_case() -> None:
    """But the book's capacity, which takes 16,384 far levels to exceed."""
    assert {issue.name for issue in ISSUES} == _CASES.keys() | {"too_many_levels"}


@pytest.mark.parametrize("name", sorted(FATAL - {"too_many_levels"}))
def test_fatal_issues_stop_with_their_place(name: str) -> None:
    """One line: where, what was expected, what was found, how to go on."""
    rows = _CASES[name]
    with pytest.raises(
        TapeError, match=rf"^row {len(rows) - 1}: expected .*, found .*--allow {name}$"
    ):
        _found(rows)


@pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="sorts 16,384 levels by hand: minutes as plain Python"
)
def test_more_levels_than_the_book_holds_are_found() -> None:
    """Levels far from the touch, each in a diff of its own."""
    far = [_diff(2 + n, ticks=10**7 + 2 * n, side=1) for n in range(16_400)]
    assert _found(_rows(*_book(1), *far), *FATAL).get("too_many_levels", 0) > 0


def test_clean_rows_raise_nothing() -> None:
    """A book that begins empty, changes, agrees with the venue's own, and trades."""
    rows = _rows(
        _row(SNAPSHOT, 0, 0, 0, flags=EMPTY, last=1),
        _row(DIFF, 0, 100, 5, end=False, first=2, last=2, prev=1),
        _row(DIFF, 1, 101, 5, first=2, last=2, prev=1),
        _row(PARTIAL, 0, 100, 5, end=False, last=2),
        _row(PARTIAL, 1, 101, 5, last=2),
        _row(TOP, 0, 100, 6, end=False, last=3),
        _row(TOP, 1, 0, 0, last=3),
        _row(TRADE, 1, 100, 1, first=7),
        _row(TRADE, 1, 100, 1, first=8, last=12),
        _row(TRADE, 1, 100, 1, first=13),
    )
    assert _found(rows) == {}


def test_a_book_is_kept_from_batch_to_batch() -> None:
    """The gap is between two calls, and counts go on."""
    validation = Validation()
    validation.check(_rows(*_book(1), _diff(2)), str)
    validation.check(_rows(_diff(4)), lambda at: f"line {at + 9}")
    (finding,) = validation.findings()
    assert (finding.issue.name, finding.times, finding.places) == ("sequence_gap", 1, ("line 9",))


def test_only_the_first_places_are_kept() -> None:
    """All are counted."""
    trades = [_row(TRADE, 0, 5, 0)] * 500
    validation = Validation()
    validation.check(_rows(*trades), str)
    (finding,) = validation.findings()
    assert (finding.times, finding.places) == (500, ("0", "1", "2"))


def test_unknown_issues_cannot_be_allowed() -> None:
    """The message names those that can."""
    with pytest.raises(TapeError, match=r"expected crossed_book.*found 'nonsense'"):
        Validation(["nonsense"])
