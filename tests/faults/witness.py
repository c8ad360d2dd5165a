"""Reads a journal while a daemon writes it: what the daemon learned, and to the nanosecond when."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import crc32c

from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.events import Event, Fill, Reconciled
from mmd.core.units import ClientOrderId
from mmd.journal.format import (
    CHECKED_FROM,
    HEAD,
    SUFFIX,
    Kind,
    command_decoder,
    event_decoder,
    spec_decoder,
)

_POLL_S = 0.005
_CHUNK = 1 << 20


class Witness:
    """One session's journal.

    Attributes:
        session: its number.
        events: all but market data, in order.
        intents: client order ids of new orders.
        fills: by the venue's trade id.
        baseline_atoms: what was held when the session began to count, fills that were told before then included.
        early: ids of these fills.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = 0
        self.events: list[Event] = []
        self.intents: set[ClientOrderId] = set()
        self.fills: dict[int, Fill] = {}
        self.baseline_atoms: int | None = None
        self.early: frozenset[int] = frozenset()
        self._number, self._at = 1, 0

    def poll(self) -> None:
        """Take in what has been written since."""
        while True:
            path = self.folder / f"{self._number:06d}{SUFFIX}"
            try:
                with path.open("rb") as file:
                    begun = self._at
                    while self._read(os.pread(file.fileno(), _CHUNK, self._at)):
                        pass
            except FileNotFoundError:
                return
            following = self.folder / f"{self._number + 1:06d}{SUFFIX}"
            if self._at > begun:
                continue
            if not following.exists():
                return
            self._number, self._at = self._number + 1, 0

    async def event(
        self,
        *kinds: type,
        since_ns: int,
        holds: Callable[[Event], bool] = lambda _: True,
        timeout_s: float = 30.0,
    ) -> Event:
        """The first event of these kinds that became known after a time. Raises: TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                self.poll()
                for event in self.events:
                    if event.ts_recv_ns >= since_ns and isinstance(event, kinds) and holds(event):
                        return event
                await asyncio.sleep(_POLL_S)

    def _read(self, data: bytes) -> bool:
        """Take in the whole records at the start; whether there was one."""
        at = 0
        while at + HEAD.size <= len(data):
            length, checksum, _, kind = HEAD.unpack_from(data, at)
            end = at + HEAD.size + length
            if length == 0 or end > len(data):
                break
            if crc32c.crc32c(data[at + CHECKED_FROM : end]) != checksum:
                break  # being written
            self._take(kind, data[at + HEAD.size : end])
            at = end
        self._at += at
        return at > 0

    def _take(self, kind: int, body: bytes) -> None:
        if kind == Kind.HEADER:
            self.session = spec_decoder.decode(body).session
        elif kind == Kind.COMMAND:
            command = command_decoder.decode(body)
            if isinstance(command, PlaceOrder | ReplaceOrder):
                self.intents.add(command.client_order_id)
        elif kind == Kind.EVENT:
            event = event_decoder.decode(body)
            self.events.append(event)
            if isinstance(event, Fill):
                self.fills.setdefault(event.trade_id, event)
            elif isinstance(event, Reconciled) and self.baseline_atoms is None:
                self.baseline_atoms = event.base_atoms
                self.early = frozenset(self.fills)
