"""Changes of a quote state are counted for ever and remembered for a while."""

from mmd.core.quoting.quote_changes import CHANGES_KEPT, QuoteChange, QuoteChanges
from mmd.core.quoting.quote_state import QuoteReason, QuoteState

ACTIVE, WITHDRAWN = QuoteState.ACTIVE, QuoteState.WITHDRAWN


def test_a_reader_gets_each_change_once() -> None:
    """It remembers how many it has seen."""
    changes = QuoteChanges()
    first = QuoteChange(1, WITHDRAWN, ACTIVE, QuoteReason.NONE)
    second = QuoteChange(2, ACTIVE, WITHDRAWN, QuoteReason.BOOK_STALE)
    changes.note(first)
    assert list(changes.since(0)) == [first]
    assert list(changes.since(1)) == []
    changes.note(second)
    assert list(changes.since(1)) == [second]
    assert list(changes.since(0)) == [first, second]
    assert changes.counts == {(ACTIVE, QuoteReason.NONE): 1, (WITHDRAWN, QuoteReason.BOOK_STALE): 1}


def test_a_reader_that_is_late_misses_the_oldest() -> None:
    """The counts miss nothing."""
    changes = QuoteChanges()
    for at in range(CHANGES_KEPT + 10):
        changes.note(QuoteChange(at, ACTIVE, WITHDRAWN, QuoteReason.BOOK_STALE))
    kept = list(changes.since(0))
    assert (kept[0].ts_ns, len(kept)) == (10, CHANGES_KEPT)
    assert sum(changes.counts.values()) == changes.total == CHANGES_KEPT + 10
