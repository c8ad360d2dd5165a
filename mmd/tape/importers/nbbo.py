"""US equities: the national best bid and offer, and all trades, as CSV in zips (kdb-style tick files).

A quote row names one side (the other is zeros), so the NBBO is the last bid row with the last ask row.
Times are milliseconds since midnight in New York, prices dollars times 10,000. Trades tell no aggressor.
Columns: time, bid, bid size, ask, ask size, exchange, condition, flag; time, price, size, exchange, condition, flag.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from mmd.core.instrument import Instrument
from mmd.core.market.record import TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.format import OFF_BOOK
from mmd.tape.importers.decimals import Numbers
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame, merge
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.midnights import day_of, midnight_ns
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.text_lines import csv_rows, member_name
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

_ZONE = "America/New_York"
_NS_PER_MS = 1_000_000
_NAME = re.compile(r"\d{8}_(?P<symbol>[A-Za-z.]+)_(?P<kind>Quote|Trade)", re.IGNORECASE)
_QUOTE_COLUMNS, _TRADE_COLUMNS = 8, 6


class _File(NamedTuple):
    """One zip."""

    number: int
    path: Path
    symbol: str
    is_quotes: bool
    midnight_ns: int


def open_nbbo(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Zips of quotes and trades, of one day or several.

    Raises:
        TapeError: A file whose member is not named like 20131007_bac_Quote_Tick.csv, or two symbols.
    """
    named = [_named(number, path, options) for number, path in enumerate(files)]
    symbols = {file.symbol for file in named}
    if len(symbols) > 1:
        raise TapeError(
            f"{files[0]}: expected files of one symbol, found {', '.join(sorted(symbols))}"
        )
    places = Places(files)
    days = sorted({file.midnight_ns for file in named})

    def read(numbers: Numbers, left_out: Counter[str]) -> Iterator[Frame]:
        for day in days:
            of_day = sorted((f for f in named if f.midnight_ns == day), key=lambda f: f.is_quotes)
            yield from merge(
                *(_Reader(file, places, numbers, left_out).frames(meter) for file in of_day)
            )

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        symbol = named[0].symbol
        return found_instrument("nbbo", symbol, symbol, "USD", tick, lot)

    return two_pass(Nature("nbbo"), places, options, meter, read, describe)


def _named(number: int, path: Path, options: ImportOptions) -> _File:
    name = member_name(path)
    match = _NAME.search(name)
    if match is None:
        raise TapeError(
            f"{path}: expected a file named like 20131007_bac_Quote_Tick.csv, found {name!r}"
        )
    began_ns = midnight_ns(day_of(path, name, options.day), _ZONE)
    return _File(number, path, match["symbol"].upper(), match["kind"].lower() == "quote", began_ns)


class _Reader:
    """Frames of one file; the best bid and ask are those of this day only."""

    def __init__(
        self, file: _File, places: Places, numbers: Numbers, left_out: Counter[str]
    ) -> None:
        self._file = file
        self._places = places
        self._numbers = numbers
        self._left_out = left_out
        self._best = [(0, 0), (0, 0)]

    def frames(self, meter: Meter) -> Iterator[Frame]:
        """All frames of the file."""
        parse = self._quote if self._file.is_quotes else self._trade
        return parsed(self._file.path, csv_rows(self._file.path, meter), parse)

    def _quote(self, number: int, row: list[str]) -> list[Frame]:
        if len(row) != _QUOTE_COLUMNS:
            raise ValueError(f"expected {_QUOTE_COLUMNS} columns of a quote, found {len(row)}")
        bid, ask = int(row[1]), int(row[3])
        if bid == 0 and ask == 0:
            self._left_out["quote rows without a price"] += 1
            return []
        if bid != 0:
            self._best[0] = (self._ticks(bid), self._numbers.lots(row[2]))
        if ask != 0:
            self._best[1] = (self._ticks(ask), self._numbers.lots(row[4]))
        place = self._places.at(self._file.number, number)
        return [Frame(TOP, place, self._ns(row[0]), bids=self._best[:1], asks=self._best[1:])]

    def _trade(self, number: int, row: list[str]) -> list[Frame]:
        if len(row) != _TRADE_COLUMNS:
            raise ValueError(f"expected {_TRADE_COLUMNS} columns of a trade, found {len(row)}")
        level = [(self._ticks(int(row[1])), self._numbers.lots(row[2]))]
        flags = 0 if row[5] == "0" else OFF_BOOK
        place = self._places.at(self._file.number, number)
        ts_ns = self._ns(row[0])
        return [Frame(TRADE, place, ts_ns, bids=level, side=UNKNOWN_SIDE, flags=flags)]

    def _ns(self, text: str) -> int:
        return self._file.midnight_ns + int(text) * _NS_PER_MS

    def _ticks(self, price: int) -> int:
        return self._numbers.ticks(f"{price // 10_000}.{price % 10_000:04d}")
