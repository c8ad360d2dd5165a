"""Which trades earlier sessions have, read back from their journals."""

from pathlib import Path

from mmd.core.events import Event, Fill, Reconciled, Timer
from mmd.core.trades_told import TradesTold
from mmd.core.units import InstrumentId, Side, client_order_id
from mmd.journal.trades_on_record import trades_on_record
from mmd.journal.writer import JournalWriter
from tests.session import instrument, session_spec

ZERO, ONE = InstrumentId(0), InstrumentId(1)
TWO = (instrument(), instrument(id=ONE, symbol="ODDUSDT", base="ODD"))


def traded(trade_id: int, at: InstrumentId = ZERO) -> Fill:
    """One of our trades."""
    order = client_order_id(7, 1)
    return Fill(1, at, order, 11, trade_id, Side.BUY, 100, 1, True, 0, "USDT", 5)


def settled(trade_id: int | None, at: InstrumentId = ZERO) -> Reconciled:
    """A reconciliation that told all trades up to one."""
    return Reconciled(1, "embedded", at, 500, trade_id)


def session(folder: Path, *events: Event, segment_bytes: int = 1, **spec: object) -> Path:
    """A session over two instruments; a segment for each event where nothing else is said."""
    whole = session_spec(**({"instruments": TWO, "target_atoms": (None, None)} | spec))
    with JournalWriter(folder, whole, segment_bytes=segment_bytes, sync_ns=10**7) as journal:
        for event in events:
            journal.event(Timer(1))
            journal.event(event)
    return folder


def on_record(*sessions: Path) -> dict[InstrumentId, TradesTold]:
    """Of both instruments."""
    return trades_on_record(sessions, TWO, "embedded")


def test_the_last_reconciliation_counts_and_what_was_told_after_it(tmp_path: Path) -> None:
    """Fills before it are in it; of the other instrument there is none to begin at."""
    events = settled(3), traded(4), settled(5), traded(7), traded(8), traded(9, ONE)
    for size in (1, 1 << 20):
        found = on_record(session(tmp_path / str(size), *events, segment_bytes=size))
        assert found == {ZERO: TradesTold(5, frozenset({7, 8}))}


def test_a_session_that_came_to_no_reconciliation_adds_to_the_one_before(tmp_path: Path) -> None:
    """It was killed after it had told a part of what it had missed."""
    first = session(tmp_path / "1", settled(5), settled(-1, ONE), traded(6))
    second = session(tmp_path / "2", traded(7), traded(8))
    assert on_record(first, second) == {
        ZERO: TradesTold(5, frozenset({6, 7, 8})),
        ONE: TradesTold(-1),
    }


def test_what_a_reconciliation_contains_is_left_out(tmp_path: Path) -> None:
    """The venue tells a trade once more after it was reconciled."""
    assert on_record(session(tmp_path / "1", settled(5), traded(4))) == {ZERO: TradesTold(5)}


def test_sessions_of_old_and_of_other_environments_say_nothing(tmp_path: Path) -> None:
    """An old journal does not know up to where trades were told."""
    newer = session(tmp_path / "1", settled(5))
    old = session(tmp_path / "2", settled(None), traded(6))
    assert on_record(newer, old) == {}
    other = session(tmp_path / "3", settled(9), environment="paper")
    assert on_record(newer, other) == {ZERO: TradesTold(5)}
    assert on_record() == {}
