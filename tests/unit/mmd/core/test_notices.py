"""Notices are kept, counted and read once."""

from mmd.core.notices import NOTICES_KEPT, NoticeKind, Notices
from mmd.core.units import InstrumentId

ZERO = InstrumentId(0)


def test_a_reader_sees_each_notice_once():
    """By what it had seen before."""
    notices = Notices()
    notices.add(1, NoticeKind.POSITION_OLD, ZERO, "one")
    seen = notices.total
    notices.add(2, NoticeKind.HEDGE_LATE, ZERO, "two")
    assert [n.text for n in notices.since(seen)] == ["two"]
    assert list(notices.since(notices.total)) == []
    assert notices.counts[NoticeKind.HEDGE_LATE] == 1


def test_the_oldest_are_forgotten():
    """Whoever looks too seldom misses some; the counts do not."""
    notices = Notices()
    for i in range(NOTICES_KEPT + 5):
        notices.add(i, NoticeKind.HEDGE_DONE, ZERO, str(i))
    assert [n.ts_ns for n in notices.since(0)] == list(range(5, NOTICES_KEPT + 5))
    assert notices.total == NOTICES_KEPT + 5
