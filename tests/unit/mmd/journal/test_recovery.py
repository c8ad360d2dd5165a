"""Inventory is measured from the same holdings after a restart."""

from pathlib import Path

import pytest

from mmd.core.commands import CancelOrder, PlaceOrder
from mmd.core.events import DayMark, Decision, Reconciled, Timer
from mmd.core.trading_day import DayState
from mmd.core.units import ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.errors import JournalError
from mmd.journal.recovery import Moment, day_state, inventory_targets, last_order_sent
from mmd.journal.writer import JournalWriter
from tests.session import instrument, session_spec

TWO = (instrument(), instrument(id=InstrumentId(1), symbol="ODDUSDT", base="ODD"))


def written(folder: Path, *reconciled: tuple[int, int], **spec: object) -> Path:
    """A session over two instruments with these (instrument, holdings) reconciliations."""
    whole = session_spec(**({"instruments": TWO, "target_atoms": (None, None)} | spec))
    with JournalWriter(folder, whole, segment_bytes=1, sync_ns=10**7) as journal:
        for number, (which, atoms) in enumerate(reconciled):
            journal.event(Timer(number))
            journal.event(Reconciled(number, "embedded", InstrumentId(which), atoms))
    return folder


def test_the_first_holdings_found_are_the_target(tmp_path: Path) -> None:
    """Later reconciliations contain our own trades, and say nothing of it."""
    session = written(tmp_path / "s", (0, 500), (1, 70), (0, 900))
    assert inventory_targets(session) == {("embedded", "MMDUSDT"): 500, ("embedded", "ODDUSDT"): 70}


def test_a_carried_target_is_carried_on(tmp_path: Path) -> None:
    """Over any number of restarts, also where the session never came to reconcile."""
    session = written(tmp_path / "s", (0, 900), target_atoms=(500, 0))
    assert inventory_targets(session) == {("embedded", "MMDUSDT"): 500, ("embedded", "ODDUSDT"): 0}
    failed = written(tmp_path / "t", target_atoms=(500, None))
    assert inventory_targets(failed) == {("embedded", "MMDUSDT"): 500}


def test_what_was_never_reconciled_has_no_target(tmp_path: Path) -> None:
    """It is measured from what is found next time."""
    assert inventory_targets(written(tmp_path / "s", (1, 70))) == {("embedded", "ODDUSDT"): 70}


def test_a_journal_that_does_not_verify_is_refused(tmp_path: Path) -> None:
    """A position must not be guessed."""
    session = written(tmp_path / "s", (0, 500))
    segment = session / "000001.mmdj"
    data = bytearray(segment.read_bytes())
    data[20] ^= 1
    segment.write_bytes(data)
    with pytest.raises(JournalError, match="does not verify"):
        inventory_targets(session)


DAY = 1_700_000_000 // 86_400
NOW_NS = 1_700_000_000 * 10**9


def marked(folder: Path, *marks: tuple[int, int], **spec: object) -> Path:
    """A session with these (pnl, peak) marks of the day in which it began, and more behind them."""
    with JournalWriter(folder, session_spec(**spec), segment_bytes=1, sync_ns=10**7) as journal:
        for number, (pnl, peak) in enumerate(marks):
            journal.event(DayMark(number, DAY, "USDT", pnl, peak))
            journal.event(Timer(number))
    return folder


def carried(pnl: int, peak: int, day: int = DAY) -> DayState:
    """As a session hands it over."""
    return DayState(day=day, currency="USDT", pnl_atoms=pnl, peak_atoms=peak)


def test_the_last_mark_of_the_last_session_is_the_days_state(tmp_path: Path) -> None:
    """Of several marks and sessions."""
    sessions = [marked(tmp_path / "a", (1, 2), (3, 4)), marked(tmp_path / "b", (5, 6), (-7, 6))]
    assert day_state(sessions, NOW_NS, 0) == carried(-7, 6)
    assert day_state(sessions[:1], NOW_NS, 0) == carried(3, 4)
    assert day_state([], NOW_NS, 0) is None


def test_a_session_that_came_to_no_mark_hands_on_what_it_was_given(tmp_path: Path) -> None:
    """A loss is not forgotten by crashing at once; one that had nothing leaves the word to the one before."""
    lost = marked(tmp_path / "a", (-9, 0))
    assert day_state([lost, marked(tmp_path / "b")], NOW_NS, 0) == carried(-9, 0)
    given = marked(tmp_path / "c", day=carried(-8, 1))
    assert day_state([lost, given], NOW_NS, 0) == carried(-8, 1)


def test_another_day_counts_from_nothing(tmp_path: Path) -> None:
    """Marks of yesterday end the search, and so does a session of yesterday without any."""
    lost = marked(tmp_path / "a", (-9, 0))
    assert day_state([lost], NOW_NS + 86_400 * 10**9, 0) is None
    before = marked(tmp_path / "b", started_unix_ns=NOW_NS - 86_400 * 10**9)
    assert day_state([lost, before], NOW_NS, 0) is None


def test_a_mark_in_an_earlier_segment_is_found(tmp_path: Path) -> None:
    """The last segment may hold none."""
    folder = tmp_path / "a"
    with JournalWriter(folder, session_spec(), segment_bytes=1, sync_ns=10**7) as journal:
        journal.event(DayMark(1, DAY, "USDT", -4, 0))
        journal._roll()
        journal.event(Timer(2))
    assert len(list(folder.iterdir())) == 2
    assert day_state([folder], NOW_NS, 0) == carried(-4, 0)


def ordering(folder: Path, *decided_ns: int, **spec: object) -> Path:
    """A session that placed an order at each of these times, and cancelled at one after them."""
    order_id, at = ClientOrderId(1), InstrumentId(0)
    with JournalWriter(folder, session_spec(**spec), segment_bytes=1, sync_ns=10**7) as journal:
        for number, ns in enumerate(decided_ns):
            journal.event(Decision(ns, number))
            journal.command(PlaceOrder(at, order_id, Side.BUY, 1, 1, TimeInForce.POST_ONLY))
        journal.event(Decision(10**12, 99))
        journal.command(CancelOrder(at, order_id))
    return folder


def test_the_last_new_order_is_found_whatever_came_after_it(tmp_path: Path) -> None:
    """Its decision's time by both clocks; sessions of other environments and old files are not read."""
    clocks = {"started_unix_ns": 10**15, "started_monotonic_ns": 100, "environment": "live"}
    sessions = [
        ordering(tmp_path / "a", 200, 700, **clocks),
        ordering(tmp_path / "b", 900, environment="sandbox"),
    ]
    written_ns = sessions[0].joinpath("000001.mmdj").stat().st_mtime_ns
    now = Moment(written_ns, 0)
    assert last_order_sent(sessions, now, "live") == Moment(10**15 + 600, 700)
    assert last_order_sent(sessions, now, "paper") is None
    assert last_order_sent([ordering(tmp_path / "c", **clocks)], now, "live") is None
    assert last_order_sent(sessions, Moment(written_ns + 10**13, 0), "live") is None


@pytest.mark.parametrize(
    ("now", "age_ns"),
    [
        (Moment(5_000, 5_000), 4_000),
        (Moment(1_500, 5_000), 500),  # the wall clock was set back
        (Moment(9_000, 1_500), 500),  # and forward
        (Moment(500, 5_000), 0),
        (Moment(9_000, 200), 8_000),  # the machine was started anew
    ],
)
def test_an_age_is_never_overstated_by_a_clock(now: Moment, age_ns: int) -> None:
    """The smaller of both, where both can tell."""
    assert Moment(1_000, 1_000).age_ns(now) == age_ns
