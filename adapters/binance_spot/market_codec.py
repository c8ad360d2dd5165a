"""Binance spot market data: frames in, market events out.

The compiled scan reads what the venue normally writes; everything else is read exactly, and judged there.
"""

from collections.abc import Sequence
from functools import partial

from adapters.binance_spot.exact_decode import decode_exact, decode_snapshot_exact, fold
from adapters.binance_spot.frame_fields import INSTRUMENTS_MAX, SCAN, SYMBOL_MAX
from adapters.binance_spot.frame_scan import scan_frame
from mmd.core.instrument import Instrument
from mmd.core.market.record import MARKET
from mmd.core.units import InstrumentId
from mmd.jit.kernel import Rec, bind, new
from mmd.jit.places import places

_ANY = -1


class MarketCodec:
    """Decoder of the streams of a set of instruments.

    Attributes:
        market: MARKET record that the next decode overwrites; undefined after a CodecError.
    """

    __slots__ = ("_by_id", "_by_symbol", "_rows", "_scan", "_scan_frame", "market")

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        """Compile the scan and lay out the instruments' symbols and grids."""
        assert 0 < len(instruments) <= INSTRUMENTS_MAX, f"expected 1..{INSTRUMENTS_MAX} instruments"
        self.market: Rec = new(MARKET)
        self._by_symbol = {fold(i.symbol): i for i in instruments}
        self._by_id = {i.id: i for i in instruments}
        self._rows = {i.id: row for row, i in enumerate(instruments)}
        assert len(self._by_symbol) == len(instruments), "expected each symbol once"
        self._scan = _scan_record(instruments)
        at = places(scan=self._scan, market=self.market)
        self._scan_frame = partial(bind(scan_frame, at, b"", 0, _ANY), at)

    def decode(self, frame: bytes, ts_recv_ns: int) -> int:
        """Read one WebSocket text frame, received at engine time ts_recv_ns, into `market`.

        Returns:
            Its kind: DIFF, TOP, TRADE, PARTIAL (or SNAPSHOT, for a bare book of the only instrument);
            0 for a frame that is no market data of ours, e.g. the answer to a subscription.

        Raises:
            CodecError: malformed, off the instrument's grid, or of an unknown symbol.

        Source: Binance spot API, "WebSocket Streams".
        """
        kind = self._scan_frame(frame, ts_recv_ns, _ANY)
        if kind != 0:
            return kind
        kind = decode_exact(frame, self.market, self._by_symbol)
        self.market["ts_recv_ns"] = ts_recv_ns
        return kind

    def decode_snapshot(self, body: bytes, instrument: InstrumentId, ts_recv_ns: int) -> None:
        """Read the answer to a REST depth request into `market` as a SNAPSHOT.

        Raises:
            CodecError: malformed or off the instrument's grid.

        Source: Binance spot API, "Order book" (GET /api/v3/depth).
        """
        if self._scan_frame(body, ts_recv_ns, self._rows[instrument]) != 0:
            return
        decode_snapshot_exact(body, self.market, self._by_id[instrument])
        self.market["ts_recv_ns"] = ts_recv_ns


def _scan_record(instruments: Sequence[Instrument]) -> Rec:
    """SCAN record with the tables of these instruments."""
    scan: Rec = new(SCAN)
    row = scan[0]
    row["n"] = len(instruments)
    for k, instrument in enumerate(instruments):
        symbol = fold(instrument.symbol)
        assert 0 < len(symbol) <= SYMBOL_MAX, (
            f"expected 1..{SYMBOL_MAX} bytes of symbol: {symbol!r}"
        )
        row["id"][k], row["grid"][k], row["symbol_len"][k] = (
            instrument.id,
            instrument.grid,
            len(symbol),
        )
        row["symbol"][k, : len(symbol)] = list(symbol)
    return scan
