"""Two connections as one: whatever the order of arrival, every message once, in order, with none left out."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.binance_spot.stream_overlap import StreamOverlap
from mmd.core.market.record import DIFF, MARKET, PARTIAL, TOP, TRADE
from mmd.jit.kernel import new


class Line:
    """An overlap with its deliveries as lists."""

    def __init__(self, *instruments: int) -> None:
        self.market = new(MARKET)
        self.out: list[tuple[int, int, int]] = []
        self.stamps: list[int] = []
        self.now = 0
        self.overlap = StreamOverlap(self.market, instruments or (3,), self._deliver)

    def _deliver(self, kind: int) -> None:
        m = self.market
        assert int(m["kind"][0]) == kind
        identity = int(m["first" if kind == TRADE else "last"][0])
        self.out.append((kind, int(m["instrument"][0]), identity))
        self.stamps.append(int(m["ts_recv_ns"][0]))

    def say(self, source: str, first: int, last: int = 0, instrument: int = 3, kind: int = DIFF):
        self.now += 1
        m = self.market
        m["kind"], m["instrument"], m["ts_recv_ns"] = kind, instrument, self.now
        m["first"], m["last"], m["prev"] = first, last or first, first - 1
        m["n"][0] = 1, 0
        m["px"][0, 0, 0] = last or first
        getattr(self.overlap, f"from_{source}")(kind)

    @property
    def diffs(self) -> list[int]:
        return [identity for kind, _, identity in self.out if kind == DIFF]


def test_new_connection_behind_the_old_joins_by_repeating():
    """What it says again is dropped; the next is its own."""
    line = Line()
    line.say("old", 1)
    line.say("old", 2)
    line.say("new", 2)
    assert line.overlap.in_step(settled=False)
    line.say("new", 3)
    line.say("old", 3)
    line.say("old", 4)
    assert line.diffs == [1, 2, 3, 4]


def test_new_connection_ahead_of_the_old_waits_for_it():
    """Its diffs are held until the old one has said what lies before them, then released as of now."""
    line = Line()
    line.say("new", 3)
    line.say("new", 4, 6)
    assert line.diffs == []
    assert not line.overlap.in_step(settled=True)
    line.say("old", 1)
    line.say("old", 2)
    assert line.diffs == [1, 2, 3, 6]
    assert line.stamps == [3, 4, 4, 4]
    assert line.overlap.in_step(settled=False)


def test_quiet_instruments_are_joined_by_time():
    """Nothing said on the new connection means that nothing has changed."""
    line = Line(3, 4)
    line.say("old", 1)
    line.say("new", 1)
    assert not line.overlap.in_step(settled=False)
    assert line.overlap.in_step(settled=True)
    line.say("new", 9, instrument=4)
    assert not line.overlap.in_step(settled=True)
    assert line.overlap.torn() == [4]


def test_a_gap_of_the_old_connection_is_the_books_to_find():
    """It is passed on as it came."""
    line = Line()
    line.say("old", 1)
    line.say("old", 5)
    assert line.diffs == [1, 5]


def test_a_gap_of_the_new_connection_spoils_what_was_held():
    """Only what follows the gap can still be joined."""
    line = Line()
    line.say("old", 1)
    line.say("new", 3)
    line.say("new", 9)
    line.say("old", 2, 8)
    assert line.diffs == [1, 8, 9]


@pytest.mark.parametrize("kind", [TRADE, TOP, PARTIAL])
def test_other_messages_pass_once_whoever_says_them_first(kind: int):
    """By id, for each kind and instrument apart."""
    line = Line(3, 4)
    for source, identity in (("old", 5), ("new", 5), ("new", 6), ("old", 6), ("old", 7)):
        line.say(source, identity, kind=kind)
    line.say("new", 5, kind=kind, instrument=4)
    assert line.out == [(kind, 3, 5), (kind, 3, 6), (kind, 3, 7), (kind, 4, 5)]


@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=30),
    joined_at=st.integers(0, 10),
    moves=st.lists(st.booleans(), max_size=80),
)
def test_every_interleaving_gives_the_same_diffs(sizes, joined_at, moves):
    """The new connection starts anywhere; the two advance in any order; all diffs come out, once, in order."""
    edges = np.cumsum([0, *sizes]).tolist()
    diffs = [(a + 1, b) for a, b in pairwise(edges)]
    line = Line()
    old, fresh = iter(diffs), iter(diffs[joined_at:])
    for is_old in moves:
        said = next(old if is_old else fresh, None)
        if said is not None:
            line.say("old" if is_old else "new", *said)
    for said in old:
        line.say("old", *said)
    for said in fresh:
        line.say("new", *said)
    assert line.diffs == edges[1:]
    assert line.overlap.torn() == []
    assert line.overlap.in_step(settled=True)
    assert line.overlap.in_step(settled=False) == (joined_at < len(diffs))
