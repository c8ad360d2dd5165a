"""What is said of the way from one picture to the next."""

from msgspec.structs import replace

from mmd.core.units import Side
from mmd.ops.event_log import KEPT, EventLog
from mmd.ops.state import State
from tests.ops_state import quoting, state_of


def after(state: State, **changes: object) -> State:
    """The same with the first instrument changed."""
    return replace(state, instruments=[replace(state.instruments[0], **changes)])


async def test_each_fill_is_told_once() -> None:
    """And nothing where nothing has changed."""
    bench = quoting()
    log = EventLog()
    assert [e.kind for e in log.follow(state_of(bench))] == ["session"]
    assert log.follow(state_of(bench)) == []
    best = next(i for i, o in bench.open.items() if o is bench.best(Side.SELL))
    bench.fill(best)
    (told,) = [e for e in log.follow(state_of(bench)) if e.kind == "fill"]
    assert told.instrument == "embedded:MMDUSDT"
    assert told.text.startswith("sold ")
    assert [e for e in log.follow(state_of(bench)) if e.kind == "fill"] == []


async def test_levels_quote_states_feed_and_journal_are_told_with_their_weight() -> None:
    """What a person must see is bad, what is over is good."""
    state = state_of(quoting())
    row = state.instruments[0]
    log = EventLog()
    log.follow(state)
    bad = replace(
        after(
            state,
            quote_state="WITHDRAWN",
            reason="BOOK_STALE",
            book=replace(row.book, gaps=row.book.gaps + 1, synced=False),
            orders_rejected=row.orders_rejected + 2,
        ),
        risk_level="HALTED",
        risk_reason="OPERATOR",
        journal_up=False,
    )
    told = {e.kind: (e.weight, e.text) for e in log.follow(bad)}
    assert told["level"] == ("bad", f"risk level {state.risk_level} → HALTED (OPERATOR)")
    assert told["journal"][0] == "bad"
    assert told["quotes"] == ("caution", f"quotes {row.quote_state} → WITHDRAWN (BOOK_STALE)")
    assert told["feed"] == ("bad", "book not in sync")
    assert told["orders"] == ("caution", "2 orders rejected")
    assert {e.kind: e.weight for e in log.follow(state)}["level"] == "good"


async def test_numbers_have_no_gaps_and_the_log_is_bounded() -> None:
    """The oldest lines go."""
    state = state_of(quoting())
    log = EventLog()
    for turn in range(KEPT + 20):
        log.follow(replace(state, risk_level="NORMAL" if turn % 2 else "CAUTIOUS"))
    numbers = [e.number for e in log.kept]
    assert len(numbers) == KEPT
    assert numbers == list(range(numbers[0], numbers[0] + KEPT))
