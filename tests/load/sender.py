"""A process that writes depth diffs of many instruments to a socket, at a pace or as fast as they are read."""

import multiprocessing
import socket
import time
from multiprocessing.process import BaseProcess
from typing import Final

from adapters.binance_spot.sandbox_connection import frame_of

_BATCH_S: Final = 0.01
_MID_TICKS: Final = 10_000
_LEVELS: Final = 20


def symbol_of(number: int) -> str:
    """L000USDT and so on."""
    return f"L{number:03d}USDT"


def snapshot(number: int) -> bytes:
    """The book that an instrument's diffs continue."""
    bids = ",".join(f'["{(_MID_TICKS - 1 - k) / 100:.2f}","5.000"]' for k in range(_LEVELS))
    asks = ",".join(f'["{(_MID_TICKS + 1 + k) / 100:.2f}","5.000"]' for k in range(_LEVELS))
    del number
    return f'{{"lastUpdateId":0,"bids":[{bids}],"asks":[{asks}]}}'.encode()


def diff(number: int, update_id: int, now_us: int) -> bytes:
    """One change of the touch: its quantity always, its price in every fourth."""
    moved = update_id // 4 % 2
    bid, ask = _MID_TICKS - 1 - moved, _MID_TICKS + 1 + (1 - moved)
    bids = f'["{bid / 100:.2f}","{1 + update_id % 7}.000"],["{(_MID_TICKS - 1) / 100:.2f}","{0 if moved else 3}.000"]'
    asks = f'["{ask / 100:.2f}","{1 + update_id % 5}.000"],["{(_MID_TICKS + 1) / 100:.2f}","{3 if moved else 0}.000"]'
    symbol = symbol_of(number)
    return (
        f'{{"stream":"{symbol.lower()}@depth@100ms","data":{{"e":"depthUpdate","E":{now_us},"s":"{symbol}",'
        f'"U":{update_id},"u":{update_id},"b":[{bids}],"a":[{asks}]}}}}'
    ).encode()


def start(instruments: int, per_s: float | None, frames: int) -> tuple[BaseProcess, socket.socket]:
    """Send so many frames in all, per_s in a second over all instruments (None: as fast as they are read)."""
    ours, theirs = socket.socketpair()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_send, args=(theirs, instruments, per_s, frames), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _send(out: socket.socket, instruments: int, per_s: float | None, frames: int) -> None:
    sent, ids, began = 0, [0] * instruments, time.monotonic()
    batch = 200 if per_s is None else max(1, round(per_s * _BATCH_S))
    while sent < frames:
        now_us = time.time_ns() // 1_000
        parts = []
        for k in range(sent, min(sent + batch, frames)):
            at = k % instruments
            ids[at] += 1
            parts.append(frame_of(diff(at, ids[at], now_us)))
        out.sendall(b"".join(parts))
        sent += len(parts)
        if per_s is not None:
            time.sleep(max(0.0, began + sent / per_s - time.monotonic()))
    out.close()
