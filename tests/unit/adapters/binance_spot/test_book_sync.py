"""The snapshot procedure: what is released, in which order, and when a snapshot is asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.binance_spot import book_sync
from adapters.binance_spot.book_sync import BookSync, SyncState
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT
from mmd.jit.kernel import new


class Harness:
    """A BookSync with a record of its own; released messages and requests are lists."""

    def __init__(self) -> None:
        self.market = new(MARKET)
        self.released: list[tuple[int, int, int, int]] = []
        self.requests: list[int] = []
        self.sync = BookSync(self.market, self._release, self._request)
        self.now_ns = 0

    def _release(self, market) -> None:
        fields = ("kind", "prev", "last", "ts_recv_ns")
        self.released.append(tuple(int(market[f][0]) for f in fields))

    def _request(self) -> None:
        self.requests.append(self.sync.wanted)

    def _fill(self, kind: int, prev: int, last: int) -> None:
        self.now_ns += 1
        self.market["kind"], self.market["prev"], self.market["last"] = kind, prev, last
        self.market["first"], self.market["ts_recv_ns"] = prev + 1, self.now_ns
        self.market["n"] = 1
        self.market["px"][0, :, 0] = last
        self.market["sz"][0, :, 0] = 1

    def diff(self, prev: int, last: int) -> None:
        self._fill(DIFF, prev, last)
        if self.sync.live:
            self._release(self.market)
        else:
            self.sync.on_diff()

    def snapshot(self, last: int, request: int | None = None) -> None:
        self._fill(SNAPSHOT, 0, last)
        self.sync.on_snapshot(self.sync.wanted if request is None else request)

    @property
    def ids(self) -> list[tuple[int, int, int]]:
        return [r[:3] for r in self.released]


def connected() -> Harness:
    harness = Harness()
    harness.sync.on_connected()
    assert harness.requests == [1]
    return harness


def test_snapshot_between_buffered_diffs():
    """Diffs that the snapshot contains are dropped, the rest follows it, later ones pass."""
    h = connected()
    for diff in ((10, 12), (12, 15), (15, 17)):
        h.diff(*diff)
    h.snapshot(13)
    assert h.ids == [(SNAPSHOT, 0, 13), (DIFF, 12, 15), (DIFF, 15, 17)]
    assert h.sync.live
    h.diff(17, 18)
    assert h.ids[-1] == (DIFF, 17, 18)


def test_snapshot_on_the_border_between_two_diffs():
    """lastUpdateId + 1 = U of the first diff kept: the wording 'contains lastUpdateId' would refuse it."""
    h = connected()
    h.diff(10, 12)
    h.diff(12, 15)
    h.snapshot(12)
    assert h.ids == [(SNAPSHOT, 0, 12), (DIFF, 12, 15)]


def test_snapshot_newer_than_the_stream_waits_for_the_diff_that_continues_it():
    """Nothing is released before a diff joins."""
    h = connected()
    h.diff(10, 12)
    h.snapshot(20)
    assert h.sync.state is SyncState.BRIDGING
    h.diff(12, 20)
    assert h.released == []
    h.diff(20, 21)
    assert h.ids == [(SNAPSHOT, 0, 20), (DIFF, 20, 21)]
    assert h.requests == [1]


def test_snapshot_before_any_diff():
    """A quiet book: the snapshot waits for the first diff."""
    h = connected()
    h.snapshot(20)
    assert not h.sync.live
    h.diff(19, 23)
    assert h.ids == [(SNAPSHOT, 0, 20), (DIFF, 19, 23)]


def test_snapshot_older_than_the_stream_is_asked_for_again():
    """A stale answer is thrown away; what was kept stays for the next one."""
    h = connected()
    h.diff(10, 12)
    h.snapshot(9)
    assert h.requests == [1, 2]
    h.diff(12, 13)
    h.snapshot(12)
    assert h.ids == [(SNAPSHOT, 0, 12), (DIFF, 12, 13)]


def test_stale_and_repeated_answers_are_ignored():
    """Only the answer to the request that is wanted counts, and only once."""
    h = connected()
    h.diff(10, 12)
    h.snapshot(9)
    h.snapshot(11, request=1)
    assert h.released == []
    h.snapshot(11)
    released = list(h.released)
    h.snapshot(11, request=2)
    h.snapshot(500, request=0)
    assert h.released == released
    assert h.sync.live


def test_gap_found_by_the_engine_starts_over():
    """After on_gap diffs are kept again; a second on_gap meanwhile changes nothing."""
    h = connected()
    h.diff(10, 12)
    h.snapshot(11)
    h.sync.on_gap()
    h.sync.on_gap()
    assert h.requests == [1, 2]
    assert not h.sync.live
    h.released.clear()
    h.diff(30, 31)
    h.snapshot(30)
    assert h.ids == [(SNAPSHOT, 0, 30), (DIFF, 30, 31)]


def test_gap_among_kept_diffs_drops_the_ones_before_it():
    """A snapshot from before the hole is too old for what is left."""
    h = connected()
    h.diff(10, 12)
    h.diff(20, 22)
    h.snapshot(11)
    assert h.released == []
    assert h.requests == [1, 2]
    h.snapshot(21)
    assert h.ids == [(SNAPSHOT, 0, 21), (DIFF, 20, 22)]


def test_gap_while_a_snapshot_waits():
    """A held snapshot that a hole has made useless is replaced."""
    h = connected()
    h.snapshot(20)
    h.diff(25, 26)
    assert h.requests == [1, 2]
    h.snapshot(25)
    assert h.ids == [(SNAPSHOT, 0, 25), (DIFF, 25, 26)]


def test_disconnect_forgets_everything():
    """Nothing is kept or wanted while the stream is down; an answer on its way is ignored."""
    h = connected()
    h.diff(10, 12)
    h.sync.on_disconnected()
    assert h.sync.wanted == 0
    h.snapshot(11, request=1)
    h.diff(12, 13)
    h.sync.on_connected()
    h.diff(40, 41)
    h.snapshot(40)
    assert h.ids == [(SNAPSHOT, 0, 40), (DIFF, 40, 41)]


def test_released_messages_carry_the_time_of_their_release():
    """Engine time never goes back: kept diffs are stamped again."""
    h = connected()
    h.diff(10, 12)
    h.diff(12, 14)
    h.snapshot(10)
    assert {r[3] for r in h.released} == {h.now_ns}


def test_overflow_starts_over(monkeypatch):
    """The buffer is bounded; beyond it the procedure begins again with a new request."""
    monkeypatch.setattr(book_sync, "_DIFFS_MAX", 5)
    h = connected()
    for i in range(6):
        h.diff(i, i + 1)
    assert h.requests == [1, 2]
    h.snapshot(3, request=1)
    h.diff(6, 7)
    h.snapshot(6)
    assert h.ids == [(SNAPSHOT, 0, 6), (DIFF, 6, 7)]


def test_engine_that_finds_a_gap_in_what_is_released_stops_the_release():
    """A ResyncBook out of the release itself restarts the procedure; nothing more passes."""
    h = connected()
    release = h.sync._release

    def resync_on_diff(market) -> None:
        release(market)
        if int(market["kind"][0]) == DIFF:
            h.sync.on_gap()

    h.sync._release = resync_on_diff
    h.diff(10, 12)
    h.diff(12, 13)
    h.snapshot(11)
    assert h.ids == [(SNAPSHOT, 0, 11), (DIFF, 10, 12)]
    assert h.requests == [1, 2]


@settings(max_examples=200)
@given(data=st.data())
def test_whatever_happens_the_released_sequence_is_whole(data):
    """Lost diffs, late and stale snapshots, reconnects, gaps: each release run starts with a snapshot, is
    joined to it, and contains no hole that the stream itself did not have."""
    h = connected()
    now, lost = 100, set()
    for _ in range(data.draw(st.integers(5, 40))):
        action = data.draw(st.sampled_from("dddddlssgr"))
        if action in "dl":
            span = data.draw(st.integers(1, 3))
            if action == "d":
                h.diff(now, now + span)
            else:
                lost.add(now + span)
            now += span
        elif action == "s":
            h.snapshot(now - data.draw(st.integers(-2, 6)))
        elif action == "g":
            h.sync.on_gap()
        else:
            h.sync.on_disconnected()
            h.sync.on_connected()
    last = None
    for kind, prev, end in h.ids:
        if kind == SNAPSHOT:
            last, fresh = end, True
            continue
        assert last is not None
        if fresh:
            assert prev <= last < end
        else:
            assert prev == last or prev in lost or any(last < gone <= prev for gone in lost)
        last, fresh = end, False
