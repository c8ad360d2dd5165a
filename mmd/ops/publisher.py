"""Shows the daemon's picture to the ops process, taken and encoded piece by piece: market data waits for a piece, not for all.

An instrument's piece takes about a millisecond of the engine's loop, which goes round between two of them. Where there
are many instruments only some are taken anew each time; the others are shown as they were.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from mmd.ops.picture import Picture
from mmd.ops.shared_state import SharedStateWriter
from mmd.ops.state import InstrumentState

AT_ONCE: Final = 8
"""Instruments taken anew for one publication: with fifty of them, four publications a second show none older than 2 s."""
_encoder = msgspec.msgpack.Encoder()


class Publisher:
    """Keeps the shared picture up to date."""

    def __init__(self, writer: SharedStateWriter, picture: Picture) -> None:
        self._writer = writer
        self._picture = picture
        self._pieces: list[msgspec.Raw] = []
        self._next = 0

    async def publish(self) -> None:
        """Take what is due and show it, with the session as it is at the end."""
        takes = self._picture.instruments
        for take in takes[len(self._pieces) :]:  # the first time
            self._pieces.append(_piece(take))
            await asyncio.sleep(0)
        for _ in range(min(AT_ONCE, len(takes))):
            at, self._next = self._next, (self._next + 1) % len(takes)
            self._pieces[at] = _piece(takes[at])
            await asyncio.sleep(0)
        session = self._picture.session()
        await asyncio.sleep(0)
        self._writer.publish(replace(session, instruments=self._pieces))


def _piece(take: Callable[[], InstrumentState]) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(take()))
