"""What imports and backtests say of damaged recordings: python -m tests.bench.broken_tapes RAW.gz.

RAW is raw frames (`mmd import binance-raw`). Each way of breaking it must be refused with its place, and leave no file.
Exit code 1 where one is not.
"""

import gzip
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from adapters.registry import RECORDING_FORMATS
from mmd.backtest.run import BacktestRequest, run_backtest
from mmd.errors import MmdError
from mmd.tape.importers.formats import FORMATS
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions
from mmd.tape.importing import import_tape

RAW = "binance-raw"
_SHOWN = 170


class Told(NamedTuple):
    """What came of one way of breaking."""

    way: str
    message: str
    left: list[str]
    """Files that should not be there."""

    @property
    def is_sound(self) -> bool:
        """Whether it was refused, and left nothing."""
        return bool(self.message) and not self.left


def _shuffled(lines: list[bytes]) -> list[bytes]:
    head, rest = lines[:1], lines[1:]
    random.Random(7).shuffle(rest)
    return head + rest


def _crossed(lines: list[bytes]) -> list[bytes]:
    """A diff bids far above every ask."""
    at = next(i for i in range(len(lines) // 2, len(lines)) if b'"b":[]' in lines[i])
    return [*lines[:at], lines[at].replace(b'"b":[]', b'"b":[["99","1"]]'), *lines[at + 1 :]]


def _cut_line(lines: list[bytes]) -> list[bytes]:
    return [*lines[:500], lines[500][:70] + b"\n", *lines[501:]]


WAYS: dict[str, Callable[[list[bytes]], bytes]] = {
    "ends inside the compressed data": lambda lines: gzip.compress(b"".join(lines))[:-3000],
    "a line is cut": lambda lines: b"".join(_cut_line(lines)),
    "lines are shuffled": lambda lines: b"".join(_shuffled(lines)),
    "the book crosses": lambda lines: b"".join(_crossed(lines)),
    "a wrong tick is given": b"".join,
    "nothing in it": lambda _: b"",
    "no market data": lambda lines: lines[0].replace(b'"bids"', b'"asdf"'),
    "another format is named": b"".join,
    "binary": lambda _: bytes(range(256)) * 40,
}
_OPTIONS = {"a wrong tick is given": ImportOptions(tick=Decimal("0.01"))}
_FORMAT = {"another format is named": "tardis"}


def refusals(raw: Path) -> Iterator[Told]:
    """Break a recording in every way and import it; then break the tape."""
    lines = gzip.decompress(raw.read_bytes()).splitlines(keepends=True)
    for way, broken in WAYS.items():
        with tempfile.TemporaryDirectory() as name:
            source, out = Path(name) / "broken.dat", Path(name) / "out.tape.parquet"
            source.write_bytes(broken(lines))
            yield _refused(way, partial(_import, way, source, out), Path(name), {source.name})
    with tempfile.TemporaryDirectory() as name:
        tape, cut = Path(name) / "whole.tape.parquet", Path(name) / "cut.tape.parquet"
        _import("whole", raw, tape)
        whole = tape.read_bytes()
        for way, data in (
            ("a tape that is cut", whole[:-2000]),
            ("a tape with a damaged page", whole[:400] + bytes(200) + whole[600:]),
        ):
            cut.write_bytes(data)
            request = BacktestRequest(tape=cut, journal=None)
            yield _refused(way, partial(run_backtest, request), Path(name), {tape.name, cut.name})


def _import(way: str, source: Path, out: Path) -> None:
    name = _FORMAT.get(way, RAW)
    found = RECORDING_FORMATS.get(name) or FORMATS[name]
    opened = found.importer()([source], _OPTIONS.get(way, ImportOptions()), Meter())
    import_tape(opened, out)


def _refused(way: str, run: Callable[[], object], folder: Path, known: set[str]) -> Told:
    message = ""
    try:
        run()
    except MmdError as error:
        message = str(error).replace(f"{folder}/", "")
    return Told(way, message, sorted({p.name for p in folder.iterdir()} - known))


def main(raw: Path) -> int:
    """Print the table; returns the exit code."""
    table = Table("broken how", "what is said", "left behind", title=f"{raw.name}, broken")
    told = list(refusals(raw))
    for one in told:
        table.add_row(
            one.way, one.message[:_SHOWN] or "NOT REFUSED", ", ".join(one.left) or "nothing"
        )
    Console(width=150).print(table)
    return int(not all(one.is_sound for one in told))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
