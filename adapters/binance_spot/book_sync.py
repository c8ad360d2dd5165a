"""One instrument's book synchronisation: which diffs may reach the engine, and after which snapshot.

The documented procedure (web-socket-streams.md, "How to manage a local order book correctly") as a state
machine without I/O:

    DOWN -> COLLECTING   the stream is open: diffs are kept, a snapshot is wanted
    COLLECTING -> BRIDGING   a snapshot is here, but no diff that continues it yet
    COLLECTING | BRIDGING -> LIVE   a kept diff has first <= snapshot.last + 1 <= last: all is released
    any -> COLLECTING   the engine found a gap, the buffer overflowed, or the snapshot is too old

A diff that does not follow the one before it makes the earlier ones useless, so they are dropped; the
snapshot is then judged against what is left.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum

from mmd.core.market.record import pack, packed_view, unpack
from mmd.jit.kernel import Rec, bind

_DIFFS_MAX = 4_096
_BYTES_MAX = 16 * 2**20


class SyncState(Enum):
    """Where the procedure stands."""

    DOWN = 0
    COLLECTING = 1
    BRIDGING = 2
    LIVE = 3


class BookSync:
    """Holds back one instrument's diffs until a snapshot joins them.

    `market` is the codec's record: every call finds the message at hand there, and releases leave through
    it. `release(market)` hands one message to the engine. `request_snapshot()` asks the shell for one; the
    answer, whenever it comes, is `on_snapshot` with `wanted` as it was when the request was made.
    """

    def __init__(
        self,
        market: Rec,
        release: Callable[[Rec], None],
        request_snapshot: Callable[[], None],
    ) -> None:
        """Start with the stream down."""
        self._market = market
        self._packed = packed_view(market)
        self._pack = bind(pack, market)
        self._unpack = bind(unpack, market, 0)
        self._release = release
        self._request_snapshot = request_snapshot
        self._state = SyncState.DOWN
        self._diffs: deque[tuple[int, int, bytes]] = deque()  # prev, last, packed
        self._bytes = 0
        self._snapshot = b""
        self._snapshot_last = 0
        self.live = False
        """Diffs may pass; the only thing to check per frame."""
        self.wanted = 0
        """Number of the snapshot request that counts; 0 while none is wanted."""
        self.requests = 0
        """Snapshots requested so far."""

    @property
    def state(self) -> SyncState:
        """Where the procedure stands."""
        return self._state

    def on_connected(self) -> None:
        """The stream is open: start from nothing."""
        self._restart()

    def on_disconnected(self) -> None:
        """The stream is gone: nothing passes, nothing is wanted."""
        self._clear()
        self._enter(SyncState.DOWN)
        self.wanted = 0

    def on_gap(self) -> None:
        """The engine's book broke: start again, unless that is under way already."""
        if self.live:
            self._restart()

    def on_diff(self) -> None:
        """Keep the diff in the record; only called while not `live`."""
        if self._state is SyncState.DOWN:
            return
        prev, last = int(self._market["prev"][0]), int(self._market["last"][0])
        if self._diffs and prev > self._diffs[-1][1]:
            self._drop_diffs()
        packed = bytes(self._packed[: self._pack(self._market)])
        self._diffs.append((prev, last, packed))
        self._bytes += len(packed)
        if len(self._diffs) > _DIFFS_MAX or self._bytes > _BYTES_MAX:
            self._restart()
        elif self._state is SyncState.BRIDGING:
            self._bridge()

    def on_snapshot(self, request: int) -> None:
        """Judge the snapshot in the record, the answer to `request`; one that nobody waits for is ignored."""
        if request == 0 or request != self.wanted:
            return
        self.wanted = 0
        self._snapshot = bytes(self._packed[: self._pack(self._market)])
        self._snapshot_last = int(self._market["last"][0])
        self._enter(SyncState.BRIDGING)
        self._bridge()

    def _bridge(self) -> None:
        """Drop what the snapshot contains; then wait, ask again, or go live."""
        while self._diffs and self._diffs[0][1] <= self._snapshot_last:
            self._bytes -= len(self._diffs.popleft()[2])
        if not self._diffs:
            return
        if self._diffs[0][0] > self._snapshot_last:  # prev is first - 1: the snapshot is too old
            self._want_snapshot()
        else:
            self._go_live()

    def _go_live(self) -> None:
        """Release the snapshot and the diffs that follow it, stamped with the moment of their release."""
        now_ns = int(self._market["ts_recv_ns"][0])
        diffs, snapshot = list(self._diffs), self._snapshot
        self._clear()
        self._enter(SyncState.LIVE)
        for packed in (snapshot, *(diff[2] for diff in diffs)):
            if not self.live:  # the engine found a gap in what was released
                return
            self._packed[: len(packed)] = packed
            broken = self._unpack(self._market, len(packed))
            assert broken == 0, "a packed record did not unpack"
            self._market["ts_recv_ns"] = now_ns
            self._release(self._market)

    def _restart(self) -> None:
        self._clear()
        self._want_snapshot()

    def _want_snapshot(self) -> None:
        self._snapshot = b""
        self._enter(SyncState.COLLECTING)
        self.requests += 1
        self.wanted = self.requests
        self._request_snapshot()

    def _clear(self) -> None:
        self._snapshot = b""
        self._drop_diffs()

    def _drop_diffs(self) -> None:
        self._diffs.clear()
        self._bytes = 0

    def _enter(self, state: SyncState) -> None:
        self._state = state
        self.live = state is SyncState.LIVE
