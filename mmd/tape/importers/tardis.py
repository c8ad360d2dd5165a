"""Tardis downloadable CSV: incremental_book_L2, trades, quotes and book_ticker of one instrument, in any mix.

Rows of one message share their local_timestamp; a run of snapshot rows starts the book anew. Times are
microseconds. What a file holds is told by its first line. Changes before a file's first snapshot are left out, as the
documents ask.

Source: docs.tardis.dev, "Downloadable CSV files", data types and FAQ "How is the book reconstructed".
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, LEVELS_MAX, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.importers.decimals import Numbers
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame, Levels, merge
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.pairs import split_pair
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.text_lines import csv_rows
from mmd.tape.importers.two_pass import Nature, located, parsed, two_pass

_HEAD = ("exchange", "symbol", "timestamp", "local_timestamp")
_BOOK = (*_HEAD, "is_snapshot", "side", "price", "amount")
_TRADES = (*_HEAD, "id", "side", "price", "amount")
_QUOTES = (*_HEAD, "ask_amount", "ask_price", "bid_price", "bid_amount")
_KNOWN: dict[tuple[str, ...], str] = {
    _BOOK: "incremental_book_L2",
    _TRADES: "trades",
    _QUOTES: "quotes",
}
_SIDES = {"bid": 0, "buy": 0, "ask": 1, "sell": 1}
_AGGRESSORS = {"buy": 0, "sell": 1, "unknown": UNKNOWN_SIDE, "": UNKNOWN_SIDE}
_NS = 1_000
_Row = list[str]
_Lines = Iterator[tuple[int, _Row]]


def open_tardis(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Files of one exchange and symbol. At equal times trades come first: they cause the book's changes.

    Raises:
        TapeError: A file with other columns or another symbol.
    """
    kinds = [_kind_of(path) for path in files]
    order = sorted(range(len(files)), key=lambda n: kinds[n] != "trades")
    places = Places(files)
    exchange, symbol = _identity(files[0])

    def read(numbers: Numbers, left_out: Counter[str]) -> Iterator[Frame]:
        reader = _Reader(places, numbers, left_out, (exchange, symbol))
        streams: dict[str, list[Iterator[Frame]]] = {}
        for n in order:
            streams.setdefault(kinds[n], []).append(reader.frames(n, kinds[n], meter))
        return merge(*(_one_after_another(parts) for parts in streams.values()))

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        base, quote = split_pair(symbol)
        return found_instrument(exchange, symbol, base, quote, tick, lot)

    nature = Nature("tardis", has_recv_time=True)
    return two_pass(nature, places, options, meter, read, describe)


def _one_after_another(parts: Sequence[Iterator[Frame]]) -> Iterator[Frame]:
    """Files of the same kind follow each other, day by day."""
    for part in parts:
        yield from part


def _kind_of(path: Path) -> str:
    header = tuple(next(csv_rows(path, Meter()))[1])
    kind = _KNOWN.get(header)
    if kind is None:
        expected = " or ".join(_KNOWN.values())
        raise TapeError(
            f"{path}: line 1: expected the columns of {expected}, found {','.join(header)[:80]!r}"
        )
    return kind


def _identity(path: Path) -> tuple[str, str]:
    """Exchange and symbol by the first row."""
    rows = csv_rows(path, Meter())
    next(rows)
    first = next(rows, None)
    if first is None or len(first[1]) < len(_HEAD):
        raise TapeError(f"{path}: expected rows after its column names, found none")
    return first[1][0], first[1][1]


class _Reader:
    """Frames of one file of each kind."""

    def __init__(
        self,
        places: Places,
        numbers: Numbers,
        left_out: Counter[str],
        identity: tuple[str, str],
    ) -> None:
        self._places = places
        self._numbers = numbers
        self._left_out = left_out
        self._identity = identity

    def frames(self, file: int, kind: str, meter: Meter) -> Iterator[Frame]:
        """Frames of the file-th file."""
        path = self._places.files[file]
        lines = self._checked(path, csv_rows(path, meter))
        if kind == "incremental_book_L2":
            known = _messages(self._from_snapshot(lines))
            return parsed(path, known, lambda n, rows: self._book(file, n, rows))
        parse: Callable[[int, int, _Row], list[Frame]] = (
            self._trade if kind == "trades" else self._quote
        )
        return parsed(path, lines, lambda n, row: parse(file, n, row))

    def _checked(self, path: Path, lines: _Lines) -> _Lines:
        """Rows without the header, each with all its columns and of the one instrument."""
        next(lines)
        for number, row in lines:
            if len(row) != len(_BOOK):
                raise TapeError(
                    f"{path}: line {number}: expected {len(_BOOK)} columns, found {len(row)}"
                )
            if (row[0], row[1]) != self._identity:
                raise TapeError(
                    f"{path}: line {number}: expected {' '.join(self._identity)}, found {row[0]} {row[1]}; "
                    "import one instrument at a time"
                )
            yield number, row

    def _from_snapshot(self, lines: _Lines) -> _Lines:
        """Rows of a file from its first snapshot on: before that are changes of a book that nobody knows."""
        is_known = False
        for number, row in lines:
            is_known = is_known or row[4] == "true"
            if is_known:
                yield number, row
            else:
                self._left_out["changes before a file's first snapshot"] += 1

    def _book(self, file: int, number: int, rows: list[tuple[int, _Row]]) -> list[Frame]:
        """One message's levels."""
        sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for line, row in rows:
            try:
                level = (self._numbers.ticks(row[6]), self._numbers.lots(row[7]))
                sides[_side(_SIDES, row[5])].append(level)
            except ValueError as error:
                raise located(self._places.files[file], line, error) from error
        is_snapshot = rows[0][1][4] == "true"
        bids, asks = (self._best(side, n) for n, side in enumerate(sides)) if is_snapshot else sides
        kind = SNAPSHOT if is_snapshot else DIFF
        event_ns, recv_ns = _times(rows[-1][1])
        return [Frame(kind, self._places.at(file, number), event_ns, recv_ns, bids, asks)]

    def _best(self, levels: list[tuple[int, int]], side: int) -> Levels:
        """As many of a snapshot's levels as a book message may have."""
        if len(levels) <= LEVELS_MAX:
            return levels
        self._left_out["snapshot levels beyond the best 5000"] += len(levels) - LEVELS_MAX
        return sorted(levels, reverse=side == 0)[:LEVELS_MAX]

    def _trade(self, file: int, number: int, row: _Row) -> list[Frame]:
        level = [(self._numbers.ticks(row[6]), self._numbers.lots(row[7]))]
        event_ns, recv_ns = _times(row)
        trade_id = int(row[4]) if row[4].isdecimal() and len(row[4]) <= 18 else 0
        side = _side(_AGGRESSORS, row[5])
        place = self._places.at(file, number)
        return [Frame(TRADE, place, event_ns, recv_ns, level, first=trade_id, side=side)]

    def _quote(self, file: int, number: int, row: _Row) -> list[Frame]:
        event_ns, recv_ns = _times(row)
        best = [self._best_of(row[6], row[7]), self._best_of(row[5], row[4])]
        return [Frame(TOP, self._places.at(file, number), event_ns, recv_ns, best[:1], best[1:])]

    def _best_of(self, price: str, amount: str) -> tuple[int, int]:
        """One side of a quote; nothing is written for a side that is empty."""
        if not price or not amount:
            return 0, 0
        return self._numbers.ticks(price), self._numbers.lots(amount)


def _messages(lines: _Lines) -> Iterator[tuple[int, list[tuple[int, _Row]]]]:
    """Rows grouped into messages: of one local time, or one run of snapshot rows."""
    keyed = groupby(lines, key=lambda line: line[1][4] if line[1][4] == "true" else line[1][3])
    for _, group in keyed:
        rows = list(group)
        yield rows[0][0], rows


def _side(known: dict[str, int], text: str) -> int:
    side = known.get(text)
    if side is None:
        raise ValueError(f"expected a side of {', '.join(filter(None, known))}, found {text!r}")
    return side


def _times(row: _Row) -> tuple[int, int]:
    """Event and receive time; the event time is missing in some feeds."""
    recv_ns = int(row[3]) * _NS
    return (int(row[2]) * _NS if row[2] else 0), recv_ns
