"""JSON files of Binance's own messages without receive times: a depth snapshot, depth diffs, (aggregate) trades.

A snapshot file is one object with lastUpdateId, the others are arrays of events. Diffs that the snapshot
contains are left out; it stands at the time of the first diff that reaches past it.

Source: Binance spot API, "How to manage a local order book correctly".
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from adapters.binance_spot.raw_tape import split_symbol
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.errors import TapeError
from mmd.tape.importers.decimals import Numbers
from mmd.tape.importers.frame_rows import Frame, Levels, merge
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

_NS_PER_MS = 1_000_000
_Rows = list[tuple[str, str]]


class _Snapshot(msgspec.Struct):
    snapshot_id: int = msgspec.field(name="lastUpdateId")
    bids: _Rows
    asks: _Rows


class _Diff(msgspec.Struct, tag_field="e", tag="depthUpdate"):
    E: int
    s: str
    U: int
    u: int
    b: _Rows
    a: _Rows


class _Trade(msgspec.Struct, tag_field="e", tag="trade"):
    E: int
    s: str
    t: int
    p: str
    q: str
    m: bool


class _Aggregate(msgspec.Struct, tag_field="e", tag="aggTrade"):
    E: int
    s: str
    f: int
    l: int  # noqa: E741 - the venue's name
    p: str
    q: str
    m: bool


_Event = _Diff | _Trade | _Aggregate
_file: msgspec.json.Decoder[_Snapshot | list[_Event]] = msgspec.json.Decoder(
    _Snapshot | list[_Event]
)


class _Read(NamedTuple):
    """What the files hold; an hour of a pair is a few megabytes."""

    snapshot: tuple[int, _Snapshot] | None
    lists: list[tuple[int, list[_Event]]]


def open_json_messages(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Files of one symbol, of one stretch of time.

    Raises:
        TapeError: A file that is no such JSON, a second snapshot, or two symbols.
    """
    contents = _read_all(files, meter)
    symbols = {event.s for _, events in contents.lists for event in events}
    if len(symbols) != 1:
        found = ", ".join(sorted(symbols)) or "none"
        raise TapeError(f"{files[0]}: expected events of one symbol, found {found}")
    symbol = symbols.pop()
    places = Places(files, unit="event")

    def read(numbers: Numbers, left_out: Counter[str]) -> Iterator[Frame]:
        return _Stream(contents, places, numbers, left_out).frames()

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        base, quote = split_symbol(symbol)
        return found_instrument("binance_spot", symbol, base, quote, tick, lot)

    nature = Nature("binance-json", has_sequence=True)
    return two_pass(nature, places, options, meter, read, describe)


def _read_all(files: Sequence[Path], meter: Meter) -> _Read:
    snapshot = None
    lists: list[tuple[int, list[_Event]]] = []
    for n, path in enumerate(files):
        meter.expect(path)
        decoded = _decoded(path)
        if isinstance(decoded, list):
            lists.append((n, decoded))
        elif snapshot is None:
            snapshot = (n, decoded)
        else:
            raise TapeError(
                f"{path}: expected one snapshot, found a second; import one stretch at a time"
            )
    return _Read(snapshot, lists)


def _decoded(path: Path) -> _Snapshot | list[_Event]:
    try:
        data = path.read_bytes()
        return _file.decode(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TapeError(
            f"{path}: expected a whole gzip file, found it broken ({error}); copy it again"
        ) from error
    except OSError as error:
        raise TapeError(
            f"{path}: cannot be read ({error.strerror or error}); check the path"
        ) from error
    except msgspec.DecodeError as error:
        raise TapeError(
            f"{path}: expected a depth snapshot or an array of depthUpdate, trade or aggTrade, found {error}"
        ) from error


class _Stream:
    """The files' frames in order of time."""

    def __init__(
        self, contents: _Read, places: Places, numbers: Numbers, left_out: Counter[str]
    ) -> None:
        self._contents = contents
        self._places = places
        self._numbers = numbers
        self._left_out = left_out

    def frames(self) -> Iterator[Frame]:
        """All frames; trades before the diffs of the same millisecond."""
        lists = sorted(
            self._contents.lists, key=lambda item: any(isinstance(e, _Diff) for e in item[1][:1])
        )
        return merge(*(self._events(n, events) for n, events in lists))

    def _events(self, file: int, events: list[_Event]) -> Iterator[Frame]:
        path = self._places.files[file]
        frames = parsed(
            path,
            enumerate(events, 1),
            lambda number, event: [self._frame(self._places.at(file, number), event)],
            unit="event",
        )
        is_diffs = bool(events) and isinstance(events[0], _Diff)
        return self._after_snapshot(frames) if is_diffs else frames

    def _after_snapshot(self, diffs: Iterator[Frame]) -> Iterator[Frame]:
        """The snapshot before the first diff that reaches past it."""
        if self._contents.snapshot is None:
            yield from diffs
            return
        file, snapshot = self._contents.snapshot
        is_open = False
        for diff in diffs:
            if not is_open and diff.last <= snapshot.snapshot_id:
                self._left_out["diffs that the snapshot contains"] += 1
                continue
            if not is_open:
                yield self._snapshot(file, snapshot, diff.ts_event_ns)
                is_open = True
            yield diff

    def _snapshot(self, file: int, snapshot: _Snapshot, ts_ns: int) -> Frame:
        place = self._places.at(file, 1)
        bids, asks = self._levels(snapshot.bids), self._levels(snapshot.asks)
        return Frame(SNAPSHOT, place, ts_ns, bids=bids, asks=asks, last=snapshot.snapshot_id)

    def _frame(self, place: int, event: _Event) -> Frame:
        ts_ns = event.E * _NS_PER_MS
        if isinstance(event, _Diff):
            ids: dict[str, Any] = {"first": event.U, "last": event.u, "prev": event.U - 1}
            return Frame(
                DIFF, place, ts_ns, bids=self._levels(event.b), asks=self._levels(event.a), **ids
            )
        level = self._levels([(event.p, event.q)])
        first, last = (event.f, event.l) if isinstance(event, _Aggregate) else (event.t, 0)
        return Frame(TRADE, place, ts_ns, bids=level, first=first, last=last, side=int(event.m))

    def _levels(self, rows: _Rows) -> Levels:
        return [(self._numbers.ticks(p), self._numbers.lots(q)) for p, q in rows]
