"""Gemini CSV: best bid and ask with sizes once a second, and trades with the maker's side.

Columns: time_seconds, bid_price_bid_size, ask_price_ask_size ("2271.58_1.6477"); and time_seconds, price, size,
is_buyer_maker. Times are seconds since 1970, of trades with milliseconds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from mmd.core.instrument import Instrument
from mmd.core.market.record import TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.importers.decimals import Numbers, units
from mmd.tape.importers.frame_rows import Frame, merge
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.pairs import split_pair
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.text_lines import csv_rows, first_line
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

_QUOTES = "time_seconds,bid_price_bid_size,ask_price_ask_size"
_TRADES = "time_seconds,price,size,is_buyer_maker"
_SYMBOL = "ETHUSD"
_NANO_DECIMALS = 9


def open_gemini(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """One or both files of any number of days, in order; --symbol where it is not ETHUSD.

    Raises:
        TapeError: A file with other columns.
    """
    kinds = [_kind_of(path) for path in files]
    places = Places(files)

    def read(numbers: Numbers, _: Counter[str]) -> Iterator[Frame]:
        reader = _Reader(places, numbers)
        runs = (
            [n for n, known in enumerate(kinds) if known == kind] for kind in (_TRADES, _QUOTES)
        )
        return merge(*((f for n in run for f in reader.frames(n, kinds[n], meter)) for run in runs))

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        symbol = options.symbol or _SYMBOL
        base, quote = split_pair(symbol)
        return found_instrument("gemini", symbol, base, quote, tick, lot)

    return two_pass(Nature("gemini"), places, options, meter, read, describe)


def _kind_of(path: Path) -> str:
    header = first_line(path)
    if header not in (_QUOTES, _TRADES):
        raise TapeError(f"{path}: line 1: expected {_QUOTES} or {_TRADES}, found {header[:80]!r}")
    return header


class _Reader:
    """Frames of one file of each kind."""

    def __init__(self, places: Places, numbers: Numbers) -> None:
        self._places = places
        self._numbers = numbers

    def frames(self, file: int, kind: str, meter: Meter) -> Iterator[Frame]:
        """Frames of the file-th file."""
        path = self._places.files[file]
        rows = csv_rows(path, meter)
        next(rows)
        parse = self._quote if kind == _QUOTES else self._trade

        def checked(number: int, row: list[str]) -> list[Frame]:
            expected = kind.count(",") + 1
            if len(row) != expected:
                raise ValueError(f"expected {expected} columns, found {len(row)}")
            return [parse(self._places.at(file, number), row)]

        return parsed(path, rows, checked)

    def _quote(self, place: int, row: list[str]) -> Frame:
        bid, ask = self._best(row[1]), self._best(row[2])
        return Frame(TOP, place, units(row[0], _NANO_DECIMALS), bids=[bid], asks=[ask])

    def _trade(self, place: int, row: list[str]) -> Frame:
        level = [(self._numbers.ticks(row[1]), self._numbers.lots(row[2]))]
        side = int(row[3])
        if side not in (0, 1):
            raise ValueError(f"expected is_buyer_maker to be 0 or 1, found {row[3]!r}")
        return Frame(TRADE, place, units(row[0], _NANO_DECIMALS), bids=level, side=side)

    def _best(self, text: str) -> tuple[int, int]:
        """Ticks and lots of a text like 2271.58_1.6477."""
        price, separator, size = text.partition("_")
        if not separator:
            raise ValueError(f"expected price_size, found {text!r}")
        return self._numbers.ticks(price), self._numbers.lots(size)
