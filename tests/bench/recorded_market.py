"""Recorded frames of two spot markets for the benchmark: few levels changed at a time, as nearly always."""

from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest

from mmd.core.instrument import Instrument
from mmd.tape.raw_frames import read_frames
from tests.recordings import recording
from tests.session import instrument

_SNAPSHOT = b'{"lastUpdateId"'


class RecordedMarket(NamedTuple):
    """An instrument, the book at the start, and the frames that follow."""

    instrument: Instrument
    snapshot: bytes
    frames: list[bytes]


class _Recording(NamedTuple):
    path: str
    base: str
    tick_size: str
    lot_size: str


_RECORDINGS = (
    _Recording("binance-raw/spot-btcusdt-20240808.gz", "BTC", "0.01", "0.00001"),
    _Recording("binance-spot-nexousdt/nexousdt_20240723.dat.gz", "NEXO", "0.001", "0.01"),
)


def markets(count: int) -> list[RecordedMarket]:
    """Those whose recordings are there, with so many frames of each at most."""
    found = []
    for name, base, tick_size, lot_size in _RECORDINGS:
        try:
            path = recording(name)
        except pytest.skip.Exception:
            continue
        traded = instrument(
            symbol=f"{base}USDT",
            base=base,
            tick_size=Decimal(tick_size),
            lot_size=Decimal(lot_size),
        )
        found.append(_market(traded, path, count))
    return found


def _market(traded: Instrument, path: Path, count: int) -> RecordedMarket:
    # What came before the snapshot was answered may be what continues it.
    payloads = [frame.payload for frame in islice(read_frames([path]), count)]
    (snapshot,) = (payload for payload in payloads if payload.startswith(_SNAPSHOT))
    payloads.remove(snapshot)
    return RecordedMarket(traded, snapshot, payloads)
