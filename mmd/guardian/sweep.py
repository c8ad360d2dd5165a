"""Taking back every order of ours at a venue until the venue itself lists none, and none can follow.

An order that the dead daemon sent last may arrive up to the receive window later: only a list that was asked for after
that says the last word. Strangers' orders are never touched: orders are cancelled one by one, each by its name.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol

from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import MmdError

_PAUSE_S: Final = 0.1
_PAUSE_LONGEST_S: Final = 2.0
_LOOK_AGAIN_S: Final = 0.5
"""Between lists that show nothing: each takes from the share of the rate limit."""


class OwnOrder(NamedTuple):
    """A working order of ours, as the venue names it."""

    symbol: str
    client_order_id: str


class OwnOrders(Protocol):
    """Our orders at one venue, asked for over a connection of the guardian's own. All raise VenueError."""

    @property
    def name(self) -> str:
        """The venue's, as it is configured."""
        ...

    @property
    def straggle_s(self) -> float:
        """How long a request that was sent may still be on its way."""
        ...

    async def working(self) -> Sequence[OwnOrder]:
        """Those that work, of any session; orders of strangers are left out."""
        ...

    async def cancel(self, order: OwnOrder) -> None:
        """Take one back; that it is gone already is no error."""
        ...

    async def keep_ready(self) -> None:
        """Be able to ask at once: connected, and with the clocks compared."""
        ...

    async def close(self) -> None:
        """Release the connection."""
        ...


class Tally:
    """What became of one venue's sweep.

    Attributes:
        canceled, failures: orders that were taken back, requests that failed.
        clear_ns: when the venue listed none for the first time; 0 before.
        confirmed: whether it listed none when nothing could be on its way any more.
        error: the last failure's text.
    """

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.canceled = self.failures = self.clear_ns = 0
        self.confirmed = False
        self.error = ""


async def sweep(
    orders: OwnOrders,
    is_wanted: Callable[[], bool],
    clock: Clock,
    sleep: Callable[[float], Awaitable[None]],
    tally: Tally,
) -> None:
    """Cancel and look again until it is confirmed, or nobody wants it any more.

    Args:
        orders: where.
        is_wanted: false once the daemon is back and sees to its orders itself.
        clock: of this process.
        sleep: another one where time is virtual.
        tally: what came of it so far.
    """
    settled_ns = clock.monotonic_ns() + int(orders.straggle_s * NANOS_PER_SECOND)
    pause_s = _PAUSE_S
    while is_wanted():
        asked_ns = clock.monotonic_ns()
        failures = tally.failures
        left = await _take_back(orders, is_wanted, tally)
        if tally.failures > failures:
            tally.clear_ns = 0
            await sleep(pause_s)
            pause_s = min(2.0 * pause_s, _PAUSE_LONGEST_S)
            continue
        pause_s = _PAUSE_S
        if left > 0:
            tally.clear_ns = 0
            continue
        tally.clear_ns = tally.clear_ns or clock.monotonic_ns()
        if asked_ns >= settled_ns:
            tally.confirmed = True
            return
        rest_s = (settled_ns - clock.monotonic_ns()) / NANOS_PER_SECOND
        await sleep(min(max(rest_s, _PAUSE_S), _LOOK_AGAIN_S))


async def _take_back(orders: OwnOrders, is_wanted: Callable[[], bool], tally: Tally) -> int:
    """Cancel what works now; returns how many were found. One failure does not spare the other orders."""
    try:
        working = await orders.working()
    except MmdError as error:
        _note(tally, error)
        return 0
    for order in working:
        if not is_wanted():
            break
        try:
            await orders.cancel(order)
            tally.canceled += 1
        except MmdError as error:
            _note(tally, error)
    return len(working)


def _note(tally: Tally, error: MmdError) -> None:
    tally.failures += 1
    tally.error = str(error)
