"""Two stream connections at once as one stream: what is said twice is dropped, nothing is left out.

A connection that will end is replaced by a new one before it does. While both are open, each instrument's
messages pass from whichever says them first. The new connection has joined an instrument once one of its
diffs continues, or repeats, what the book has; diffs of it that are ahead of the book are held until then.
"""

from collections import deque
from collections.abc import Callable, Iterable

from mmd.core.market.record import DIFF, TRADE, pack, packed_view, unpack
from mmd.core.units import InstrumentId
from mmd.jit.kernel import Rec, bind

_HELD_MAX = 1_024
_UNKNOWN = -1


class _Book:
    """How far one instrument's diffs have come."""

    __slots__ = ("held", "joined", "reached")

    def __init__(self) -> None:
        self.reached = _UNKNOWN
        self.joined = False
        self.held: deque[tuple[int, int, bytes]] = deque()  # prev, last, packed


class StreamOverlap:
    """Filters the messages of an old and a new connection; each call finds its message in `market`.

    `deliver(kind)` passes on the message that is in `market` at that moment.
    """

    def __init__(
        self,
        market: Rec,
        instruments: Iterable[InstrumentId],
        deliver: Callable[[int], None],
    ) -> None:
        """Begin with the old connection alone; call before the new one is opened."""
        self._market = market
        self._deliver = deliver
        self._packed = packed_view(market)
        self._pack = bind(pack, market)
        self._unpack = bind(unpack, market, 0)
        self._books = {int(i): _Book() for i in instruments}
        self._newest: dict[tuple[int, int], int] = {}

    def from_old(self, kind: int) -> None:
        """A message of the connection that goes."""
        if kind != DIFF:
            self._pass_newer(kind)
            return
        book = self._books[int(self._market["instrument"][0])]
        if self._last > book.reached:  # a gap is the book's to find, as at all times
            self._pass_diff(book)
        self._release_held(book)

    def from_new(self, kind: int) -> None:
        """A message of the connection that comes."""
        if kind != DIFF:
            self._pass_newer(kind)
            return
        book = self._books[int(self._market["instrument"][0])]
        if book.held or book.reached == _UNKNOWN or self._prev > book.reached:
            self._hold(book)
            return
        book.joined = True
        if self._last > book.reached:
            self._pass_diff(book)

    def in_step(self, *, settled: bool) -> bool:
        """Whether the old connection may go: every instrument is joined.

        With `settled`, i.e. after a while, it is enough that the new one has said nothing of a book: what
        does not change needs no joining.
        """
        return all(b.joined or (settled and not b.held) for b in self._books.values())

    def torn(self) -> list[InstrumentId]:
        """Instruments whose book misses what lies before the diffs held for it."""
        return [InstrumentId(i) for i, book in self._books.items() if book.held]

    @property
    def _last(self) -> int:
        return int(self._market["last"][0])

    @property
    def _prev(self) -> int:
        return int(self._market["prev"][0])

    def _pass_newer(self, kind: int) -> None:
        """Trades, tops and partial books: by their id, each once."""
        market = self._market
        identity = int(market["first" if kind == TRADE else "last"][0])
        key = kind, int(market["instrument"][0])
        if identity > self._newest.get(key, _UNKNOWN):
            self._newest[key] = identity
            self._deliver(kind)

    def _pass_diff(self, book: _Book) -> None:
        book.reached = self._last
        self._deliver(DIFF)

    def _hold(self, book: _Book) -> None:
        """Keep a diff that is ahead; one that does not follow the last makes the kept ones useless."""
        held = book.held
        if held and (self._prev > held[-1][1] or len(held) == _HELD_MAX):
            held.clear()
        held.append((self._prev, self._last, bytes(self._packed[: self._pack(self._market)])))

    def _release_held(self, book: _Book) -> None:
        """Pass on what the old connection has caught up with, stamped with the moment of release."""
        now_ns = int(self._market["ts_recv_ns"][0])
        while book.held and book.held[0][0] <= book.reached:
            _, last, packed = book.held.popleft()
            book.joined = True
            if last > book.reached:
                self._packed[: len(packed)] = packed
                broken = self._unpack(self._market, len(packed))
                assert broken == 0, "a packed record did not unpack"
                self._market["ts_recv_ns"] = now_ns
                self._pass_diff(book)
