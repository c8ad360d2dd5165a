"""A venue that says what is not so: a man in the middle, in a thread of its own, changes single messages on their way to the daemon."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from tests.frame_proxy import PARTIAL, FrameProxy
from tests.monitoring.stack import Stack

LIES = 5
"""Messages that are changed: a comparison takes two pictures of the same update."""
START_S = 10.0


class Liar:
    """What changes messages while there are lies left.

    Attributes:
        port: the daemon's way to the exchange.
    """

    def __init__(self) -> None:
        self.port = 0
        self._left = 0
        self._lie: Callable[[str], str | None] | None = None

    def tell(self, lie: Callable[[str], str | None], times: int) -> None:
        """Change the next messages that the lie is about; of others it returns None."""
        self._lie, self._left = lie, times

    def rewrite(self, text: str) -> str:
        """A message as the daemon gets it."""
        if self._left == 0 or self._lie is None:
            return text
        changed = self._lie(text)
        if changed is None:
            return text
        self._left -= 1
        return changed


@contextlib.contextmanager
def liar_before(address: str) -> Iterator[Liar]:
    """Stand before the exchange at an address until the block ends."""
    liar, loop, stop, ready = Liar(), asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def serve() -> None:
        async with FrameProxy(address) as proxy:
            proxy.rewrite = liar.rewrite
            liar.port = proxy.port
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(START_S), f"expected a proxy before {address} within {START_S} s, found none"
    try:
        yield liar
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def about_sizes(stack: Stack) -> None:
    """The top 20 has a size that the book has not."""
    _liar(stack).tell(_wrong_size, LIES)


def about_fills(stack: Stack) -> None:
    """Of the next fill, that it was of ten times as much."""
    _liar(stack).tell(_too_large_a_fill, 1)


def _wrong_size(text: str) -> str | None:
    if PARTIAL not in text:
        return None
    message = json.loads(text)
    second = message["data"]["bids"][1]
    second[1] = _times(second[1], 10)
    return json.dumps(message)


def _too_large_a_fill(text: str) -> str | None:
    message: dict[str, Any] = json.loads(text)
    event = message.get("event")
    if event is None or event.get("x") != "TRADE":
        return None
    for name in ("l", "z"):
        event[name] = _times(event[name], 10)
    return json.dumps(message)


def _times(number: str, factor: int) -> str:
    return f"{Decimal(number) * factor:f}"


def _liar(stack: Stack) -> Liar:
    assert isinstance(stack.middle, Liar), "the session has nobody between daemon and exchange"
    return stack.middle
