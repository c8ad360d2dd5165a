"""Binance's public data (data.binance.vision): trades or aggTrades, and bookTicker, as CSV or zip of it.

Spot files have no column names and count in milliseconds until 2024, in microseconds since; futures files
name their columns. There is no level 2 in this collection: bookDepth holds sums by percentage.

Source: github.com/binance/binance-public-data, README.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from mmd.core.instrument import Instrument, Kind
from mmd.core.market.record import TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.importers.decimals import Numbers
from mmd.tape.importers.frame_rows import Frame, merge
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.pairs import split_pair
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.text_lines import csv_rows, member_name
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

_TRADES, _AGGREGATES, _TICKER = "trades", "aggTrades", "bookTicker"
_COLUMNS = {_TRADES: (6, 7), _AGGREGATES: (7, 8), _TICKER: (7,)}
_NAME = re.compile(r"(?P<symbol>[A-Z0-9_]+?)-(?P<kind>trades|aggTrades|bookTicker|\w+)-")
_MICROSECONDS_FROM = 10**14
_MAKER = {"true": 1, "True": 1, "false": 0, "False": 0}


def open_binance_csv(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Files of one symbol, named as the venue names them (BTCUSDT-aggTrades-2024-08-08.zip).

    Raises:
        TapeError: A file of another kind, or trades told twice (trades and aggTrades).
    """
    named = [_named(path) for path in files]
    kinds = [kind for _, kind in named]
    symbols = {symbol for symbol, _ in named}
    if len(symbols) > 1:
        raise TapeError(
            f"{files[0]}: expected files of one symbol, found {', '.join(sorted(symbols))}"
        )
    if _TRADES in kinds and _AGGREGATES in kinds:
        raise TapeError(
            f"{files[0]}: expected trades or aggTrades, found both; they tell the same trades"
        )
    places = Places(files)
    symbol = named[0][0]

    def read(numbers: Numbers, _: Counter[str]) -> Iterator[Frame]:
        reader = _Reader(places, numbers)
        trades = [n for n, kind in enumerate(kinds) if kind != _TICKER]
        tickers = [n for n, kind in enumerate(kinds) if kind == _TICKER]
        runs = ([reader.frames(n, kinds[n], meter) for n in run] for run in (trades, tickers))
        return merge(*((frame for part in run for frame in part) for run in runs))

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        base, quote = split_pair(symbol)
        kind = Kind.INVERSE if "USD_" in symbol else Kind.SPOT
        return found_instrument("binance", symbol, base, quote, tick, lot, kind)

    nature = Nature("binance-csv", has_sequence=_TICKER in kinds)
    return two_pass(nature, places, options, meter, read, describe)


def _named(path: Path) -> tuple[str, str]:
    """Symbol and kind by a file's name, or its member's."""
    match = _NAME.match(member_name(path))
    if match is None or match["kind"] not in _COLUMNS:
        found = match["kind"] if match is not None else path.name
        raise TapeError(
            f"{path}: expected a file named like BTCUSDT-aggTrades-2024-08-08.zip of {', '.join(_COLUMNS)}, found {found!r}"
        )
    return match["symbol"], match["kind"]


class _Reader:
    """Frames of one file of each kind."""

    def __init__(self, places: Places, numbers: Numbers) -> None:
        self._places = places
        self._numbers = numbers

    def frames(self, file: int, kind: str, meter: Meter) -> Iterator[Frame]:
        """Frames of the file-th file."""
        path = self._places.files[file]
        parse = {_TRADES: self._trade, _AGGREGATES: self._aggregate, _TICKER: self._ticker}[kind]
        rows = _without_names(csv_rows(path, meter))

        def checked(number: int, row: list[str]) -> list[Frame]:
            if len(row) not in _COLUMNS[kind]:
                raise ValueError(
                    f"expected {_COLUMNS[kind][0]} columns of {kind}, found {len(row)}"
                )
            return [parse(self._places.at(file, number), row)]

        return parsed(path, rows, checked)

    def _trade(self, place: int, row: list[str]) -> Frame:
        """id, price, quantity, quote quantity, time, whether the buyer is the maker."""
        level = [(self._numbers.ticks(row[1]), self._numbers.lots(row[2]))]
        side = _MAKER[row[5]]
        return Frame(TRADE, place, _ns(row[4]), bids=level, first=int(row[0]), side=side)

    def _aggregate(self, place: int, row: list[str]) -> Frame:
        """Aggregate id, price, quantity, first and last trade id, time, whether the buyer is the maker."""
        level = [(self._numbers.ticks(row[1]), self._numbers.lots(row[2]))]
        side, first, last = _MAKER[row[6]], int(row[3]), int(row[4])
        return Frame(TRADE, place, _ns(row[5]), bids=level, first=first, last=last, side=side)

    def _ticker(self, place: int, row: list[str]) -> Frame:
        """Update id, best bid price and quantity, best ask price and quantity, transaction and event time."""
        bid = [(self._numbers.ticks(row[1]), self._numbers.lots(row[2]))]
        ask = [(self._numbers.ticks(row[3]), self._numbers.lots(row[4]))]
        return Frame(TOP, place, _ns(row[5]), bids=bid, asks=ask, last=int(row[0]))


def _without_names(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Rows but the first where that names columns."""
    for number, row in rows:
        if number > 1 or row[0].isdecimal():
            yield number, row


def _ns(text: str) -> int:
    """Milliseconds or microseconds since 1970 in nanoseconds."""
    stamp = int(text)
    return stamp * (1_000 if stamp >= _MICROSECONDS_FROM else 1_000_000)
