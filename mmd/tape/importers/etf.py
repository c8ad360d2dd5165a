"""Parquet of an exchange's ten-level snapshots (every few seconds), and optionally of its unsigned trades.

Columns: Datetime, Bid[0..9], BidQty[0..9], Ask[0..9], AskQty[0..9]; and Datetime, Price, Volume. Times are the
exchange's wall clock (Shanghai). The book is a snapshot each morning and the differences after it. Trades
carry no side: their aggressor is unknown.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from mmd.core.instrument import Instrument
from mmd.core.market.record import TRADE
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import TapeError
from mmd.tape.importers.decimals import Numbers
from mmd.tape.importers.depth_diff import DepthDiff
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame, Levels, merge
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

_AHEAD_OF_UTC_NS = 8 * 3_600 * NANOS_PER_SECOND
"""Shanghai, all year, since 1991."""
_SYMBOL, _QUOTE = "510050", "CNY"
_LEVELS = 10
_BATCH = 1 << 14
_DAY_NS = 86_400 * NANOS_PER_SECOND
_BOOK = (
    "Datetime",
    *(f"{name}[{n}]" for name in ("Bid", "BidQty", "Ask", "AskQty") for n in range(_LEVELS)),
)
_TRADES = ("Datetime", "Price", "Volume")


def open_etf(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Snapshots, with or without trades; --symbol where it is not 510050.

    Raises:
        TapeError: A file with other columns.
    """
    columns = [_columns_of(path) for path in files]
    places = Places(files, unit="row")

    def read(numbers: Numbers, left_out: Counter[str]) -> Iterator[Frame]:
        reader = _Reader(numbers, left_out)
        order = sorted(range(len(files)), key=lambda n: columns[n] == _BOOK)
        return merge(*(reader.frames(places, n, columns[n], meter) for n in order))

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        symbol = options.symbol or _SYMBOL
        return found_instrument("sse", symbol, symbol, _QUOTE, tick, lot)

    return two_pass(Nature("etf"), places, options, meter, read, describe)


def _columns_of(path: Path) -> tuple[str, ...]:
    names = set(_opened(path).schema_arrow.names)
    for columns in (_BOOK, _TRADES):
        if names.issuperset(columns):
            return columns
    raise TapeError(
        f"{path}: expected columns Datetime, Bid[0].. AskQty[9] or Datetime, Price, Volume, found {', '.join(sorted(names))[:80]}"
    )


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except OSError as error:
        raise TapeError(
            f"{path}: cannot be read ({error.strerror or error}); check the path"
        ) from error
    except pa.ArrowException as error:
        raise TapeError(f"{path}: expected a Parquet file, found {str(error)[:80]!r}") from error


class _Reader:
    """Frames of one file of each kind."""

    def __init__(self, numbers: Numbers, left_out: Counter[str]) -> None:
        self._numbers = numbers
        self._left_out = left_out
        self._depth = DepthDiff()
        self._day = -1

    def frames(
        self, places: Places, file: int, columns: tuple[str, ...], meter: Meter
    ) -> Iterator[Frame]:
        """Frames of the file-th file."""
        path = places.files[file]
        parse = self._book if columns == _BOOK else self._trade
        rows = _rows(path, columns, meter)
        return parsed(path, rows, lambda n, row: parse(places.at(file, n), row), unit="row")

    def _book(self, place: int, row: tuple[int, list[float]]) -> list[Frame]:
        ts_ns, cells = row
        if ts_ns // _DAY_NS != self._day:  # a session begins with a whole book
            self._day = ts_ns // _DAY_NS
            self._depth.forget()
        bids = self._levels(cells[:_LEVELS], cells[_LEVELS : 2 * _LEVELS])
        asks = self._levels(cells[2 * _LEVELS : 3 * _LEVELS], cells[3 * _LEVELS :])
        change = self._depth.update(bids, asks)
        if change is None:
            self._left_out["snapshots that change nothing"] += 1
            return []
        return [Frame(change.kind, place, ts_ns, bids=change.bids, asks=change.asks)]

    def _trade(self, place: int, row: tuple[int, list[float]]) -> list[Frame]:
        ts_ns, (price, volume) = row
        level = [(self._numbers.ticks(repr(price)), self._numbers.lots(repr(volume)))]
        return [Frame(TRADE, place, ts_ns, bids=level, side=UNKNOWN_SIDE)]

    def _levels(self, prices: list[float], sizes: list[float]) -> Levels:
        """Levels that are there: an exchange writes zeros for those that are not."""
        ticks, lots = self._numbers.ticks, self._numbers.lots
        pairs = zip(prices, sizes, strict=True)
        return [(ticks(repr(p)), lots(repr(q))) for p, q in pairs if p > 0 and q > 0]


def _rows(
    path: Path, columns: tuple[str, ...], meter: Meter
) -> Iterator[tuple[int, tuple[int, list[float]]]]:
    """(row from 1, (nanoseconds since 1970, the other columns)), a batch in memory at a time."""
    number = 0
    try:
        with path.open("rb") as raw, _opened(path) as file:
            meter.opened(raw)
            total, size = file.metadata.num_rows, path.stat().st_size
            for batch in file.iter_batches(_BATCH, columns=list(columns)):
                local = (
                    batch.column("Datetime").cast(pa.timestamp("ns")).to_numpy(zero_copy_only=False)
                )
                cells = np.column_stack([batch.column(name).to_numpy() for name in columns[1:]])
                for stamp, row in zip(local.astype(np.int64).tolist(), cells.tolist(), strict=True):
                    number += 1
                    yield number, (stamp - _AHEAD_OF_UTC_NS, row)
                raw.seek(size * number // total)
                meter.report()
            meter.closed(raw)
    except (OSError, pa.ArrowException) as error:
        raise TapeError(
            f"{path}: expected a whole Parquet file, found it broken after row {number} ({error})"
        ) from error
