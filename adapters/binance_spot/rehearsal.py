"""What the hot path of this venue runs through, without its sockets, for `mmd.shell.rehearsal`."""

from collections.abc import Iterator
from itertools import cycle

from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.decimal_grid import InstrumentGrids
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.order_codec import OrderEncoder
from mmd.core.commands import Command
from mmd.core.instrument import Instrument
from mmd.jit.kernel import Rec
from mmd.shell.rehearsal import LEVELS
from mmd.shell.text_frames import FrameCutter, masked_text

_MESSAGE_MAX = 1 << 20
_NANOS_PER_MS = 1_000_000
_LENGTH_16 = b"\x81\x7e"


class BinanceSpotStage:
    """A market of `LEVELS` levels a side that jumps between two prices, and requests that nobody gets."""

    def __init__(self, instrument: Instrument, mid_ticks: int, step_ticks: int) -> None:
        """Its frames continue `snapshot_at(mid_ticks)`."""
        self._codec = MarketCodec([instrument])
        self._encoder = OrderEncoder([instrument], "rehearsal", HmacSigner("rehearsal"), 2000)
        self._cutter = FrameCutter(_MESSAGE_MAX)
        self._moves: Iterator[str] = cycle(_moves(instrument, mid_ticks, step_ticks))
        self._update_id = 1
        self._request_id = 0

    def frame(self, now_ns: int) -> bytes:
        """The next depth frame, in its WebSocket frame."""
        update_id = self._update_id = self._update_id + 1
        text = (next(self._moves) % (now_ns // _NANOS_PER_MS, update_id, update_id)).encode()
        return _LENGTH_16 + len(text).to_bytes(2) + text

    def decode(self, frame: bytes, ts_recv_ns: int) -> Rec:
        """The market record of a frame."""
        data, cuts = self._cutter.cut(frame)
        for _, _, payload, end in cuts:
            self._codec.decode(data[payload:end], ts_recv_ns)
        return self._codec.market

    def encode(self, command: Command) -> bytes:
        """A request, signed, in its WebSocket frame."""
        self._request_id += 1
        return masked_text(self._encoder.encode(command, self._request_id, 1_700_000_000_000))


def _moves(instrument: Instrument, mid_ticks: int, step_ticks: int) -> tuple[str, str]:
    """Depth frames from the first price to the second and back, with slots for time and update ids."""
    here, there = ([_side(mid_ticks + move, sign) for sign in (-1, 1)] for move in (0, step_ticks))
    return _frame(instrument, here, there), _frame(instrument, there, here)


def _side(mid_ticks: int, sign: int) -> dict[int, int]:
    return {mid_ticks + sign * away: 1_000 for away in range(1, LEVELS + 1)}


def _frame(instrument: Instrument, old: list[dict[int, int]], new: list[dict[int, int]]) -> str:
    grids = InstrumentGrids(instrument)
    bids, asks = (
        ",".join(
            f'["{grids.ticks.text(ticks)}","{grids.lots.text(lots)}"]'
            for ticks, lots in ({px: 0 for px in before if px not in after} | after).items()
        )
        for before, after in zip(old, new, strict=True)
    )
    symbol = instrument.symbol
    return (
        f'{{"stream":"{symbol.lower()}@depth@100ms","data":{{"e":"depthUpdate","E":%d,"s":"{symbol}",'
        f'"U":%d,"u":%d,"b":[{bids}],"a":[{asks}]}}}}'
    )
