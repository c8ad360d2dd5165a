"""LOBSTER: a message file (order by order) and the orderbook file beside it (the best levels after each message).

Messages become order events and trades, the orderbook's rows a snapshot and diffs: the book on the tape is
LOBSTER's own, level by level. Prices are dollars times 10,000, times seconds since midnight in New York.

Source: lobsterdata.com, "Data structure" (info/DataStructure.php).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, zip_longest
from pathlib import Path

from mmd.core.instrument import Instrument
from mmd.core.market.record import TRADE
from mmd.errors import TapeError
from mmd.tape.format import OFF_BOOK, ORDER_ADD, ORDER_DELETE, ORDER_EXECUTE
from mmd.tape.importers.decimals import Numbers, units
from mmd.tape.importers.depth_diff import DepthDiff
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame, Levels
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.midnights import day_of, midnight_ns
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.text_lines import csv_rows
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

ZONE = "America/New_York"
_SUBMITTED, _REDUCED, _DELETED, _EXECUTED, _HIDDEN, _CROSS, _HALT = 1, 2, 3, 4, 5, 6, 7
_ORDER_KINDS = {
    _SUBMITTED: ORDER_ADD,
    _REDUCED: ORDER_DELETE,
    _DELETED: ORDER_DELETE,
    _EXECUTED: ORDER_EXECUTE,
}
_ABSENT = 9_999_999_999
"""Price of a level that is not there; negative on the bid side."""
_MESSAGE = re.compile(r"_message(?=[_.])")
_NANO_DECIMALS = 9


def open_lobster(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Message files, each with its orderbook file named too or beside it.

    Raises:
        TapeError: A file without its partner, or a row that is not as LOBSTER's.
    """
    pairs = _pairs(files)
    places = Places(tuple(chain.from_iterable(pairs)))
    days = [day_of(message, message.name, options.day) for message, _ in pairs]

    def read(numbers: Numbers, left_out: Counter[str]) -> Iterator[Frame]:
        for n, ((message, book), day) in enumerate(zip(pairs, days, strict=True)):
            yield from _Day(2 * n, places, day, numbers, left_out).frames(message, book, meter)

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        symbol = pairs[0][0].name.partition("_")[0]
        return found_instrument("nasdaq", symbol, symbol, "USD", tick, lot)

    return two_pass(Nature("lobster"), places, options, meter, read, describe)


def _pairs(files: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Message and orderbook files of each day."""
    messages = [path for path in files if _MESSAGE.search(path.name)]
    books = {path.name for path in files} - {path.name for path in messages}
    if not messages:
        raise TapeError(
            f"{files[0]}: expected a LOBSTER file named like AAPL_2012-06-21_..._message_10.csv"
        )
    pairs = []
    for message in messages:
        book = message.with_name(_MESSAGE.sub("_orderbook", message.name))
        if not book.is_file():
            raise TapeError(
                f"{message}: expected its orderbook file {book.name} beside it, found none"
            )
        books.discard(book.name)
        pairs.append((message, book))
    if books:
        raise TapeError(
            f"{min(books)}: expected its message file too; name that, it finds this one"
        )
    return pairs


class _Day:
    """One pair of files."""

    def __init__(
        self, file: int, places: Places, day: date, numbers: Numbers, left_out: Counter[str]
    ) -> None:
        self._file = file
        self._places = places
        self._midnight_ns = midnight_ns(day, ZONE)
        self._numbers = numbers
        self._left_out = left_out
        self._depth = DepthDiff()

    def frames(self, message: Path, book: Path, meter: Meter) -> Iterator[Frame]:
        """Frames of both files, line by line together."""

        def rows() -> Iterator[tuple[int, tuple[list[str], list[str]]]]:
            for left, right in zip_longest(csv_rows(message, meter), csv_rows(book, meter)):
                if left is None or right is None:
                    number, longer = (right or left)[0], message if right is None else book
                    raise TapeError(
                        f"{longer}: line {number}: expected as many lines as its partner file has, found more"
                    )
                yield left[0], (left[1], right[1])

        return parsed(message, rows(), self._parse)

    def _parse(self, number: int, line: tuple[list[str], list[str]]) -> list[Frame]:
        message, book = line
        if len(message) != 6:
            raise ValueError(f"expected 6 columns, found {len(message)}")
        ts_ns = self._midnight_ns + units(message[0], _NANO_DECIMALS)
        place = self._places.at(self._file, number)
        frames = self._message(message, place, ts_ns)
        change = self._depth.update(*self._levels(book))
        if change is not None:
            frames.append(Frame(change.kind, place, ts_ns, bids=change.bids, asks=change.asks))
        return frames

    def _message(self, message: list[str], place: int, ts_ns: int) -> list[Frame]:
        """Order event and trade of a message."""
        event, order_id, shares, price, direction = map(int, message[1:6])
        if event == _HALT:
            self._left_out["trading halt messages"] += 1
            return []
        if event not in _ORDER_KINDS and event not in (_HIDDEN, _CROSS):
            raise ValueError(f"expected an event type of 1 to 7, found {event}")
        if direction not in (-1, 1):
            raise ValueError(f"expected a direction of -1 or 1, found {direction}")
        level = [(self._ticks(price), self._numbers.lots(str(shares)))]
        side = 0 if direction == 1 else 1
        kind = _ORDER_KINDS.get(event)
        frames = []
        if kind is not None:
            frames.append(Frame(kind, place, ts_ns, bids=level, side=side, order_id=order_id))
        if event in (_EXECUTED, _HIDDEN, _CROSS):
            aggressor = UNKNOWN_SIDE if event == _CROSS else 1 - side
            flags = 0 if event == _EXECUTED else OFF_BOOK
            frames.append(Frame(TRADE, place, ts_ns, bids=level, side=aggressor, flags=flags))
        return frames

    def _levels(self, row: list[str]) -> tuple[Levels, Levels]:
        """Bids and asks of an orderbook row: ask price, ask size, bid price, bid size, level by level."""
        if len(row) % 4 != 0:
            raise ValueError(f"expected 4 orderbook columns a level, found {len(row)}")
        asks = [(int(row[i]), row[i + 1]) for i in range(0, len(row), 4)]
        bids = [(int(row[i]), row[i + 1]) for i in range(2, len(row), 4)]
        return self._present(bids), self._present(asks)

    def _present(self, levels: list[tuple[int, str]]) -> Levels:
        lots = self._numbers.lots
        return [(self._ticks(p), lots(q)) for p, q in levels if abs(p) != _ABSENT]

    def _ticks(self, price: int) -> int:
        """A price in ten-thousandths of a dollar."""
        return self._numbers.ticks(f"{price // 10_000}.{price % 10_000:04d}")
