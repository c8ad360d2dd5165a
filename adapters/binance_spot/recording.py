"""Raw frames recorded from Binance (spot, USD-M, COIN-M) as a tape: lines `<local time> <json>`, by the live codec.

Depth diffs go through the venue's own procedure: those that a snapshot contains are dropped, and the first
one used must reach past it. A recording without a snapshot begins with an empty book.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec

from adapters.binance_spot.book_sync import BookSync
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.raw_tape import split_symbol
from mmd.core.instrument import Instrument, Kind
from mmd.core.market.record import DIFF, SNAPSHOT
from mmd.errors import CodecError, TapeError
from mmd.jit.kernel import Rec
from mmd.tape.format import AFTER_GAP, TapeHeader
from mmd.tape.importers.decimals import GridFinder
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, as_told, found_instrument
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Batch, Source
from mmd.tape.importers.text_lines import byte_lines
from mmd.tape.packing import RowPacker
from mmd.tape.raw_frames import RawFrame, parse_frame

_BATCH_ROWS = 1 << 15
_OFF_BOOK = b'"X":"'
_ON_BOOK = b'"X":"MARKET"'
_CONTRACT_USD = {"BTCUSD": Decimal(100)}
_CONTRACT_USD_OTHER = Decimal(10)
_Rows = list[tuple[str, str]]


class _Data(msgspec.Struct):
    """Fields that depthUpdate and trade share letters in; other events' are not looked at."""

    e: str = ""
    s: str = ""
    ps: str = ""
    pu: int = -1
    b: _Rows | str | int = ""
    a: _Rows | str | int = ""
    p: str = ""
    q: str = ""
    X: str = ""


class _Frame(msgspec.Struct):
    """A combined-stream frame, or a REST snapshot."""

    data: _Data | None = None
    bids: _Rows = []
    asks: _Rows = []


_frames = msgspec.json.Decoder(_Frame)


class _Surveyed(NamedTuple):
    """What a first reading tells."""

    instrument: Instrument
    snapshots: int


def open_recording(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Raw frames of one symbol, in one file or several that follow each other.

    Raises:
        TapeError: A line that is no frame, or more than one symbol.
    """
    for path in files:
        meter.expect(path, passes=2)
    surveyed = _survey(files, options, meter)
    header = TapeHeader(
        instrument=surveyed.instrument,
        source="binance-raw",
        files=tuple(path.name for path in files),
        command=options.command,
        is_tick_inferred=options.tick is None,
        is_lot_inferred=options.lot is None,
    )
    places = Places(files)
    left_out: Counter[str] = Counter()
    conversion = _Conversion(surveyed, left_out)
    return Source(header, conversion.run(files, places, meter), places, left_out)


def _lines(files: Sequence[Path], meter: Meter) -> Iterator[tuple[int, int, Path, RawFrame]]:
    """(file, line, path, frame) of every line."""
    for n, path in enumerate(files):
        for number, line in byte_lines(path, meter):
            yield n, number, path, parse_frame(line, path, number)


def _survey(files: Sequence[Path], options: ImportOptions, meter: Meter) -> _Surveyed:
    """Read everything once for symbol, product and grid."""
    finder = GridFinder()
    symbols: set[str] = set()
    kind, snapshots = Kind.SPOT, 0
    for _, number, path, frame in _lines(files, meter):
        try:
            message = _frames.decode(frame.payload)
            data = message.data
            if data is None:
                snapshots += bool(message.bids or message.asks)
                _note_levels(finder, message.bids, message.asks)
            elif data.e in ("depthUpdate", "trade"):
                symbols.add(data.s)
                if data.ps:
                    kind = Kind.INVERSE
                elif (data.pu >= 0 or data.X) and kind is Kind.SPOT:
                    kind = Kind.LINEAR
                _note_event(finder, data)
        except (msgspec.DecodeError, ValueError) as error:
            raise TapeError(
                f"{path}: line {number}: expected a Binance frame, found {frame.payload[:60]!r} ({error})"
            ) from error
    if len(symbols) != 1:
        found = ", ".join(sorted(symbols)) or "none"
        raise TapeError(f"{files[0]}: expected depth or trade frames of one symbol, found {found}")
    return _Surveyed(_instrument(symbols.pop(), kind, finder, options), snapshots)


def _note_event(finder: GridFinder, data: _Data) -> None:
    if data.e == "trade" and data.X in ("", "MARKET"):
        finder.ticks(data.p)
        finder.lots(data.q)
    elif isinstance(data.b, list) and isinstance(data.a, list):
        _note_levels(finder, data.b, data.a)


def _note_levels(finder: GridFinder, bids: _Rows, asks: _Rows) -> None:
    for side in (bids, asks):
        for price, qty in side:
            finder.ticks(price)
            finder.lots(qty)


def _instrument(symbol: str, kind: Kind, finder: GridFinder, options: ImportOptions) -> Instrument:
    base, quote = split_symbol(symbol)
    venue = "binance_spot" if kind is Kind.SPOT else "binance_futures"
    found = found_instrument(venue, symbol, base, quote, finder.tick, finder.lot, kind)
    if kind is Kind.INVERSE:
        size = _CONTRACT_USD.get(f"{base}{quote}", _CONTRACT_USD_OTHER)
        found = msgspec.structs.replace(found, contract_size=size)
    return as_told(options, found)


class _Conversion:
    """The second reading: frames into rows, through the codec and the snapshot procedure."""

    def __init__(self, surveyed: _Surveyed, left_out: Counter[str]) -> None:
        self._instrument = surveyed.instrument
        self._snapshots_left = surveyed.snapshots
        self._has_snapshot = surveyed.snapshots > 0
        self._left_out = left_out
        self._codec = MarketCodec([surveyed.instrument])
        self._packer = RowPacker(_BATCH_ROWS)
        self._places: list[int] = []
        self._place = 0
        self._last_id = -1
        self._flags = 0
        self._diffs = self._diffs_written = 0
        self._sync = BookSync(self._codec.market, self._write, lambda: None)
        self._sync.on_connected()

    def run(self, files: Sequence[Path], places: Places, meter: Meter) -> Iterator[Batch]:
        """Yield batches until the last line."""
        for n, number, path, frame in _lines(files, meter):
            self._place = places.at(n, number)
            try:
                self._take(frame)
            except CodecError as error:
                raise TapeError(f"{path}: line {number}: {error}") from error
            if self._packer.is_full:
                yield self._batch()
        if len(self._packer):
            yield self._batch()
        if held := self._diffs - self._diffs_written:
            self._left_out["diffs that no snapshot joins"] += held

    def _batch(self) -> Batch:
        places, self._places = self._places, []
        return Batch(self._packer.take(), places)

    def _take(self, frame: RawFrame) -> None:
        payload = frame.payload
        if _OFF_BOOK in payload and _ON_BOOK not in payload:
            self._left_out["trades off the book (insurance fund, ADL)"] += 1
            return
        kind = self._codec.decode(payload, frame.ts_ns)
        if kind == 0:
            self._left_out[_stream_of(payload)] += 1
        elif kind == DIFF:
            self._on_diff()
        elif kind == SNAPSHOT:
            self._on_snapshot()
        else:
            self._write(self._codec.market)

    def _on_diff(self) -> None:
        self._diffs += 1
        if self._has_snapshot and not self._sync.live:
            self._sync.on_diff()
            return
        if self._last_id < 0:
            self._start_empty()
        self._write(self._codec.market)

    def _on_snapshot(self) -> None:
        self._snapshots_left -= 1
        if self._sync.live:
            self._left_out["snapshots that the diffs already tell"] += 1
        else:
            self._sync.on_snapshot(self._sync.wanted)

    def _start_empty(self) -> None:
        """Put an empty book before the first diff of a recording that has no snapshot."""
        market = self._codec.market
        row = market[0]
        saved = (int(row["kind"]), int(row["last"]), row["n"].tolist())
        row["kind"], row["last"], row["n"] = SNAPSHOT, row["prev"], 0
        self._write(market)
        row["kind"], row["last"], row["n"] = saved
        self._left_out["(no snapshot: the book fills up from its diffs)"] += 1

    def _write(self, market: Rec) -> None:
        """Put one frame on the tape; a hole before it is marked, and another snapshot waited for if there is one."""
        row = market[0]
        kind, prev, last = int(row["kind"]), int(row["prev"]), int(row["last"])
        if kind == DIFF:
            if 0 <= self._last_id < prev:
                self._flags = AFTER_GAP
                if self._snapshots_left > 0:
                    self._sync.on_gap()
                    self._sync.on_diff()
                    return
            self._diffs_written += 1
        if kind in (DIFF, SNAPSHOT):
            self._last_id = last
        rows = self._packer.add(market, self._flags if kind in (DIFF, SNAPSHOT) else 0)
        self._places.extend([self._place] * rows)
        if kind in (DIFF, SNAPSHOT):
            self._flags = 0


def _stream_of(payload: bytes) -> str:
    """What a frame that the codec does not use was, for the report."""
    head = payload[:120].decode(errors="replace")
    name = head.partition('"stream":"')[2].partition('"')[0].partition("@")[2]
    return f"{name} frames" if name else "frames that are no market data"
