"""A tape in one compiled loop ends where the live market view ends, and samples what it saw on the way."""

import pytest

from mmd.core.market_view import MarketView
from mmd.tape.book_replay import BookReplay
from mmd.tape.frames import Frames
from mmd.tape.reader import Tape
from tests.bench.tape import synthetic_rows
from tests.tapes import write_tape


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Four seconds of diffs after a snapshot."""
    return write_tape(tmp_path_factory.mktemp("tape") / "x.tape.parquet", synthetic_rows(400))


def test_ends_as_the_live_view_does(tape: Tape) -> None:
    """Book, features, flow, volatility and touch are the same bytes, frame by frame or all at once."""
    replay, view = BookReplay(), MarketView()
    replay.run(tape)
    for market in Frames(tape):
        assert market["kind"][0] != 0
        view.apply(market, int(market["ts_recv_ns"][0]))
    for name in ("book", "features", "flow", "vol", "touch"):
        assert getattr(replay, name).tobytes() == getattr(view, name).tobytes(), name
    tally = replay.tally[0]
    assert (tally["frames"], tally["refused"], tally["trades"]) == (401, 0, 0)
    assert tally["levels"] == tape.header.counts.rows


def test_samples_show_the_book_of_their_moment(tape: Tape) -> None:
    """At the end of each tenth of a second: the best levels that frame-by-frame replay has then."""
    *at_ends, _ = BookReplay().samples(tape, 10**8)  # the last is of the tape's end
    at_second = {s.ts_ns: s for s in at_ends}
    first_ns = tape.header.counts.first_ns
    view = MarketView()
    compared = 0
    for market in Frames(tape):
        now_ns = int(market["ts_recv_ns"][0])
        due_ns = first_ns + (now_ns - first_ns) // 10**8 * 10**8
        sample = at_second.pop(due_ns, None) if now_ns > first_ns else None
        if sample is not None:
            book = view.book[0]
            assert (sample.bid, sample.ask) == (book["vpx"][0, 0], book["vpx"][1, 0])
            assert sample.depth_bid_lots == book["vsz"][0, : book["nview"][0]].sum()
            compared += 1
        view.apply(market, now_ns)
    assert compared >= 35
