"""hftbacktest v2 events (npz or npy) as a tape: level 2, level 3 and trades, read a block at a time.

Only what is valid where it is received is used, in that order. Rows of one message share type, times and
`ival` (see `mmd.tape.hftbacktest_events`). A fill and the change or cancel that follows it are one execution.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from mmd.core.instrument import Instrument
from mmd.core.market.record import TRADE
from mmd.errors import TapeError
from mmd.tape import hftbacktest_events as hft
from mmd.tape.format import ORDER_ADD, ORDER_DELETE, ORDER_EXECUTE, ORDER_MODIFY
from mmd.tape.importers.decimals import Numbers
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame
from mmd.tape.importers.hftbacktest_depth import DepthEvents, Level
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.pairs import split_pair
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

_BLOCK = 1 << 15
_MEMBER = "data.npy"
_DEPTH_TYPES = (hft.DEPTH, hft.CLEAR, hft.DEPTH_SNAPSHOT, hft.BEST)
_ORDER_TYPES = {hft.ADD: ORDER_ADD, hft.MODIFY: ORDER_MODIFY, hft.CANCEL: ORDER_DELETE}
_FLOAT_DECIMALS = 10
"""Prices were decimal before they were floats; 0.1 * 3 is meant to be 0.3."""


class _Event(NamedTuple):
    """One event as plain numbers."""

    type: int
    exch_ns: int
    local_ns: int
    ival: int
    side: int
    price: str
    qty: str
    order_id: int


def open_hftbacktest(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Arrays that follow each other; --symbol, --venue, --tick and --lot say what they do not.

    Raises:
        TapeError: A file without an array of such events.
    """
    places = Places(files, unit="event")

    def read(numbers: Numbers, left_out: Counter[str]) -> Iterator[Frame]:
        reader = _Reader(places, numbers, left_out)
        for n in range(len(files)):
            yield from reader.frames(n, meter)

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        symbol = options.symbol or files[0].name.split("_")[0].split(".")[0].upper()
        base, quote = split_pair(symbol)
        return found_instrument("hftbacktest", symbol, base, quote, tick, lot)

    nature = Nature("hftbacktest", has_sequence=False, has_recv_time=True)
    return two_pass(nature, places, options, meter, read, describe)


class _Reader:
    """What events mean depends on the book and the orders before them."""

    def __init__(self, places: Places, numbers: Numbers, left_out: Counter[str]) -> None:
        self._places = places
        self._numbers = numbers
        self._left_out = left_out
        self._depth = DepthEvents()
        self._orders: dict[int, tuple[int, int]] = {}
        """Price and lots left after what was reported, by order id."""

    def frames(self, file: int, meter: Meter) -> Iterator[Frame]:
        """Frames of the file-th file."""
        path = self._places.files[file]
        messages = groupby(self._events(path, meter), key=lambda item: item[1][:4])
        grouped = ((rows[0][0], [e for _, e in rows]) for rows in (list(g) for _, g in messages))
        yield from parsed(path, grouped, lambda n, events: self._message(file, n, events), "event")
        yield from self._depth.flush()

    def _events(self, path: Path, meter: Meter) -> Iterator[tuple[int, _Event]]:
        """Events that are valid here, numbered from 1."""
        number = 0
        for block in _blocks(path, meter):
            ev = block["ev"]
            sides = np.where(ev & hft.BUY, 0, np.where(ev & hft.SELL, 1, UNKNOWN_SIDE))
            columns = (
                (ev & hft.TYPE_MASK).tolist(),
                block["exch_ts"].tolist(),
                block["local_ts"].tolist(),
                block["ival"].tolist(),
                sides.tolist(),
                [_text(px) for px in block["px"].tolist()],
                [_text(qty) for qty in block["qty"].tolist()],
                block["order_id"].tolist(),
            )
            here = (ev & hft.AT_LOCAL) != 0
            if not here.all():
                self._left_out["events for the exchange only"] += int((~here).sum())
            for is_here, fields in zip(here.tolist(), zip(*columns, strict=True), strict=True):
                number += 1
                if is_here:
                    yield number, _Event(*fields)

    def _message(self, file: int, number: int, events: list[_Event]) -> list[Frame]:
        """Frames of events of one type, time and id."""
        place, kind = self._places.at(file, number), events[0].type
        if kind in _DEPTH_TYPES:
            first = events[0]
            levels = [self._level(e) for e in events]
            head = (place, first.exch_ns, first.local_ns, first.ival)
            return self._depth.take(kind, head, levels)
        frames = self._depth.flush()
        for event in events:
            frames += self._single(place, event)
        return frames

    def _level(self, event: _Event) -> Level:
        if event.type == hft.CLEAR:
            ticks = self._numbers.ticks(event.price) if event.side != UNKNOWN_SIDE else 0
            return Level(event.side, ticks, 0)
        if event.side == UNKNOWN_SIDE:
            raise ValueError("expected BUY_EVENT or SELL_EVENT on a depth event, found neither")
        lots = self._numbers.lots(event.qty)
        ticks = self._numbers.ticks(event.price) if lots > 0 or event.type != hft.BEST else 0
        return Level(event.side, ticks, lots)

    def _single(self, place: int, event: _Event) -> list[Frame]:
        """A trade or an order event."""
        level = [(self._numbers.ticks(event.price), self._numbers.lots(event.qty))]
        times = (place, event.exch_ns, event.local_ns)
        if event.type == hft.TRADED:
            return [Frame(TRADE, *times, level, first=event.ival, side=event.side)]
        if event.type != hft.FILL and event.type not in _ORDER_TYPES:
            self._left_out[f"events of type {event.type}"] += 1
            return []
        judged = self._judged(event, *level[0])
        if judged is None:
            return []
        kind, lots = judged
        side = max(event.side, 0)
        bids = [(level[0][0], lots)]
        return [Frame(kind, *times, bids, side=side, order_id=event.order_id, first=event.ival)]

    def _judged(self, event: _Event, ticks: int, lots: int) -> tuple[int, int] | None:
        """Kind and lots of an order event; None for what a fill before it has told already."""
        known = self._orders.get(event.order_id)
        if event.type == hft.FILL:
            left = known[1] - lots if known is not None else 0
            self._orders[event.order_id] = (ticks, max(left, 0))
            return ORDER_EXECUTE, lots
        if event.type == hft.CANCEL:
            self._orders.pop(event.order_id, None)
            if known is None:
                return ORDER_DELETE, lots
            return (ORDER_DELETE, known[1]) if known[1] > 0 else None
        self._orders[event.order_id] = (ticks, lots)
        if event.type == hft.MODIFY and known is not None and known[0] == ticks:
            if known[1] == lots:
                return None
            if known[1] > lots:
                return ORDER_DELETE, known[1] - lots
        return _ORDER_TYPES[event.type], lots


def _text(value: float) -> str:
    """A float as the decimal that it stands for."""
    return f"{value:.{_FLOAT_DECIMALS}f}"


def _blocks(path: Path, meter: Meter) -> Iterator[hft.Events]:
    """Blocks of an array, without loading all of it."""
    try:
        with path.open("rb") as raw:
            meter.opened(raw)
            is_zip = zipfile.is_zipfile(raw)
            raw.seek(0)
            file = _member(raw, path) if is_zip else raw
            count = _array_length(file, path)
            while count > 0:
                block = _read_block(file, min(count, _BLOCK))
                count -= _BLOCK
                meter.report()
                yield block
            meter.closed(raw)
    except (EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise TapeError(
            f"{path}: expected a whole array, found it broken ({error}); copy it again"
        ) from error
    except OSError as error:
        raise TapeError(
            f"{path}: cannot be read ({error.strerror or error}); check the path"
        ) from error


def _read_block(file: BinaryIO, count: int) -> hft.Events:
    """The next events. Raises: EOFError if there are fewer."""
    data = file.read(count * hft.EVENT.itemsize)
    if len(data) < count * hft.EVENT.itemsize:
        raise EOFError(f"{count} more events were announced")
    return np.frombuffer(data, hft.EVENT)


def _member(raw: BinaryIO, path: Path) -> BinaryIO:
    archive = zipfile.ZipFile(raw)
    names = archive.namelist()
    if _MEMBER not in names:
        raise TapeError(f"{path}: expected an array 'data', found {', '.join(names)[:80]}")
    return cast("BinaryIO", archive.open(_MEMBER))


def _array_length(file: BinaryIO, path: Path) -> int:
    """Length of the array of events that begins here."""
    try:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
    except ValueError as error:
        raise TapeError(
            f"{path}: expected a numpy array of events, found none ({error})"
        ) from error
    if dtype != hft.EVENT or len(shape) != 1:
        raise TapeError(
            f"{path}: expected one row of events with fields {', '.join(hft.EVENT.names or ())}, found {dtype} of shape {shape}"
        )
    return int(shape[0])
