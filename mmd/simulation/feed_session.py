"""Market data of one connection with faults: the adapter's own snapshot procedure between network and engine."""

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from adapters.binance_spot.book_sync import BookSync
from mmd.core.events import Event, FeedDown, FeedUp
from mmd.core.market.record import DIFF, MARKET, pack, packed_view, unpack
from mmd.core.units import InstrumentId
from mmd.jit.kernel import Rec, bind, new, sample
from mmd.simulation.channel import Carrier, Channel
from mmd.simulation.fault import FaultKind
from mmd.simulation.market_frames import Frame, receive
from mmd.simulation.process_time import Timeline
from mmd.simulation.venue import SimulatedVenue
from mmd.simulation.weather import Weather, feed_carrier

_MS: Final = 1_000_000
SILENCE_NS: Final = 30_000 * _MS
"""As the adapter's silence_timeout_s."""
_KIND_BITS: Final = 0xFF
_BOOK_KINDS: Final = frozenset({1, 2, 3})
_SNAPSHOT_FIRST_MS: Final = 500
_SNAPSHOT_LONGEST_MS: Final = 8_000


class _Book:
    """One instrument: its number here and at the venue, and the procedure."""

    def __init__(self, at: InstrumentId, market: int, session: "FeedSession") -> None:
        self.at, self.market = at, market
        self.record: Rec = new(MARKET)
        self.sync = BookSync(self.record, session.release, partial(session.fetch, self))
        self.packed = packed_view(self.record)
        self.unpack = bind(unpack, self.record, 0)
        self.old: Frame | None = None
        self.is_fetching = False
        self.wait_ms = _SNAPSHOT_FIRST_MS
        self.updated_ns = 0


class FeedSession:
    """Keeps a market-data connection up, as StreamFeed and BookSnapshots of the adapter do.

    Attributes:
        is_up: whether the connection is open.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        instruments: dict[int, InstrumentId],
        calm: Sequence[Carrier],
        weather: Weather,
        deliver: Callable[[Frame], None],
        tell: Callable[[Event], None],
        time: Timeline,
    ) -> None:
        """Instruments are the trader's by the venue's number; calm carries the feed, requests and answers."""
        feed, self._out, self._back = calm
        self._venue, self._agenda = venue, time
        self._weather = weather
        self._deliver, self._tell = deliver, tell
        self._channel: Channel[tuple[int, Frame]]
        self._channel = Channel(self._agenda, feed_carrier(feed, weather), self._on_frame)
        self._books = {m: _Book(at, m, self) for m, at in instruments.items()}
        self._by_id = {book.at: book for book in self._books.values()}
        self._pack = bind(pack, sample(MARKET))
        self._heard_ns = 0
        self._is_closed = False
        self.is_up = False

    def open(self, _: object = None) -> None:
        """Connect, once nothing keeps the venue from being reached."""
        if self._is_closed:
            return
        until_ns = max(
            self._weather.until_ns(FaultKind.FEED_DOWN),
            self._weather.until_ns(FaultKind.FEED_SILENT),
        )
        if until_ns > self._agenda.now_ns:
            self._agenda.at(until_ns + 100 * _MS, self.open)
            return
        self.is_up = True
        self._heard_ns = self._agenda.now_ns
        for book in self._books.values():
            self._tell(FeedUp(self._agenda.now_ns, book.at))
            book.sync.on_connected()
        self._agenda.at(self._agenda.now_ns + SILENCE_NS, self._watch)

    def close(self) -> None:
        """The process is gone."""
        self._is_closed, self.is_up = True, False
        self._channel.cut()

    def lose(self, reason: str) -> None:
        """The connection is gone; another is made."""
        if not self.is_up:
            return
        self.is_up = False
        self._channel.cut()
        for book in self._books.values():
            book.sync.on_disconnected()
            self._tell(FeedDown(self._agenda.now_ns, book.at, reason))
        self._agenda.at(self._agenda.now_ns + 100 * _MS, self.open)

    def publish(self, market: int, frame: Frame) -> None:
        """Market data leaves the venue."""
        if self.is_up and market in self._books:
            self._channel.send((market, frame), self._agenda.now_ns)

    def resync(self, at: InstrumentId) -> None:
        """The engine's book broke."""
        self._by_id[at].sync.on_gap()

    def age_ns(self, at: InstrumentId) -> int:
        """How long ago the engine was handed anything about a book."""
        return self._agenda.now_ns - self._by_id[at].updated_ns

    def keep_snapshots(self) -> None:
        """From here on, snapshots that are asked for while SNAPSHOT_OLD holds show the books of now."""
        for book in self._books.values():
            book.old = self._venue.snapshot(book.market)

    def release(self, market: Rec) -> None:
        """Hand over what the procedure held back."""
        frame = array("q")
        frame.frombytes(bytes(packed_view(market)[: self._pack(market)]))
        self._pass(self._by_id[InstrumentId(int(market["instrument"][0]))], frame)

    def fetch(self, book: _Book) -> None:
        """Fetch a snapshot; while one is being fetched nobody else needs to."""
        if not book.is_fetching:
            book.is_fetching = True
            self._ask(book)

    def _ask(self, book: _Book) -> None:
        asked = book.sync.wanted
        (due_ns,) = self._out(self._agenda.now_ns)
        self._venue.agenda.at(due_ns, partial(self._take, book), asked)

    def _take(self, book: _Book, asked: int) -> None:
        """The request is at the venue."""
        frame = self._venue.snapshot(book.market)
        if self._weather.has(FaultKind.SNAPSHOT_OLD) and book.old is not None:
            frame = book.old
        (due_ns,) = self._back(self._agenda.now_ns)
        due_ns += self._weather.draw(FaultKind.SNAPSHOT_LATE, 0, 4_000) * _MS
        self._agenda.at(due_ns, partial(self._answer, book), (asked, frame))

    def _answer(self, book: _Book, answer: tuple[int, Frame]) -> None:
        """An answer that does not help is followed by another question, later each time."""
        if self._is_closed:
            return
        asked, frame = answer
        if not self._weather.has(FaultKind.REST_DOWN):
            self._load(book, frame)
            book.sync.on_snapshot(asked)
        if book.sync.wanted > 0:
            self._agenda.at(self._agenda.now_ns + book.wait_ms * _MS, self._again, book)
            book.wait_ms = min(2 * book.wait_ms, _SNAPSHOT_LONGEST_MS)
            return
        book.is_fetching, book.wait_ms = False, _SNAPSHOT_FIRST_MS

    def _again(self, book: _Book) -> None:
        if book.sync.wanted > 0 and not self._is_closed:
            self._ask(book)
        else:
            book.is_fetching = False

    def _on_frame(self, sent: tuple[int, Frame]) -> None:
        market, frame = sent
        book = self._books[market]
        self._heard_ns = self._agenda.now_ns
        if frame[0] & _KIND_BITS == DIFF and not book.sync.live:
            self._load(book, frame)
            book.sync.on_diff()
        else:
            self._pass(book, receive(frame, book.at, self._agenda.now_ns))

    def _load(self, book: _Book, frame: Frame) -> None:
        """Put a frame where the procedure finds it."""
        packed = receive(frame, book.at, self._agenda.now_ns).tobytes()
        book.packed[: len(packed)] = packed
        status = book.unpack(book.record, len(packed))
        assert status == 0, "the venue's frames are well formed"

    def _pass(self, book: _Book, frame: Frame) -> None:
        if frame[0] & _KIND_BITS in _BOOK_KINDS:
            book.updated_ns = self._agenda.now_ns
        self._deliver(frame)

    def _watch(self, _: object) -> None:
        """Replace a connection on which nothing has come for long."""
        if not self.is_up:
            return
        silent_ns = self._agenda.now_ns - self._heard_ns
        if silent_ns >= SILENCE_NS:
            self.lose("silent")
        else:
            self._agenda.at(self._agenda.now_ns + SILENCE_NS - silent_ns, self._watch)
