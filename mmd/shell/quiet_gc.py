"""Keeps the garbage collector out of the hot path: frozen at the start, then run when nothing is ready.

A full collection can take tens of milliseconds; reference counting frees what the hot path makes, so a
collection every few seconds in a quiet moment is enough.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

PERIOD_S = 5.0


@contextmanager
def quiet_collections(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Collect young objects on a timer inside the block, never in between."""
    gc.collect()
    gc.freeze()
    gc.disable()
    handle: list[asyncio.TimerHandle] = []

    def collect() -> None:
        gc.collect(1)
        handle[:] = [loop.call_later(PERIOD_S, collect)]

    handle.append(loop.call_later(PERIOD_S, collect))
    try:
        yield
    finally:
        handle[0].cancel()
        gc.enable()
        gc.unfreeze()
