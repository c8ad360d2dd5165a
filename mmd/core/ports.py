"""What the core's surroundings must provide: the seams between engine, venues and clocks."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mmd.core.commands import Approved, Command
from mmd.core.events import Decision, Event, OrderStatus
from mmd.core.instrument import Instrument
from mmd.core.trades_told import TradesTold
from mmd.core.units import InstrumentId

if TYPE_CHECKING:  # it would load the compiler into processes that need none
    from mmd.jit.kernel import Rec


class Clock(Protocol):
    """Time as the driver sees it; the core never does."""

    def monotonic_ns(self) -> int:
        """Engine time: never goes back."""
        ...

    def unix_ns(self) -> int:
        """Wall time, for signing and for people."""
        ...


class Pen(Protocol):
    """What puts an ordinary decision and its first order on record in the call that takes it."""

    def bound(self, places: "Rec", instrument: InstrumentId) -> Callable[..., int]:
        """`mmd.core.decision.decide` of these places, for an instrument, and what it decided put on record."""
        ...

    def begin(self, decision: Decision) -> None:
        """A decision is about to be taken, which is not on record yet."""
        ...

    def end(self) -> None:
        """The decision is on record, or has to be put there otherwise: from here on nothing is written."""
        ...

    def wrote(self, order_id: int) -> bool:
        """Whether an order is on record already, and its decision; said once."""
        ...


class Journal(Protocol):
    """Where every input and every intent is put on record. All raise JournalError when it cannot be."""

    @property
    def pen(self) -> Pen | None:
        """What writes for the engine, where there is such a thing."""
        ...

    def market(self, market: "Rec") -> None:
        """A market record."""
        ...

    def event(self, event: Event) -> None:
        """Any other event."""
        ...

    def command(self, command: Command, decision: Decision | None = None) -> None:
        """An intent; only then may it be sent. Before it the decision that it comes from, unless that is on record."""
        ...


class EventSink(Protocol):
    """Where a venue puts what happened, in the order in which it became known."""

    def on_market(self, market: "Rec") -> None:
        """One market-data record; valid only during the call."""
        ...

    def on_event(self, event: Event) -> None:
        """Any other event."""
        ...


class Sender(Protocol):
    """Where approved commands go."""

    def send(self, command: Approved[Command]) -> None:
        """Write a command to the wire now; what cannot be sent is reported as an event, soon."""
        ...


class DeadMansSwitch(Protocol):
    """A venue's own: cancel-all-after, or cancel on disconnect. Refreshed by the engine's loop; both raise VenueError."""

    async def refresh(self, timeout_s: float) -> None:
        """Have the venue cancel all of our orders unless this is called again within that time."""
        ...

    async def disarm(self) -> None:
        """Our orders are gone: nothing is to be cancelled."""
        ...


class Venue(Protocol):
    """One exchange, connected. All methods but `send` may take as long as the network does."""

    @property
    def name(self) -> str:
        """The key under which it is configured."""
        ...

    @property
    def is_observing(self) -> bool:
        """Whether there is no account: no orders, and no PrivateUp."""
        ...

    @property
    def switches(self) -> Sequence[DeadMansSwitch]:
        """The venue's own dead-man's switch where it has one; none: only the guardian covers it."""
        ...

    @property
    def unknown_events(self) -> Mapping[str, int]:
        """By venue, messages of kinds that its adapter does not know, all passed over."""
        ...

    async def load(self) -> Sequence[Instrument]:
        """Fetch the instruments' rules. Raises: VenueError, InstrumentError."""
        ...

    def expect_stragglers(self, sent_ns: int) -> None:
        """Say, once loaded, when a process before this one may have sent its last order: it may still arrive."""
        ...

    def resume_trades(self, told: Mapping[InstrumentId, TradesTold]) -> None:
        """Say, once loaded, which trades earlier sessions have on record: those since are told as Fills at the start."""
        ...

    async def run(self, sink: EventSink) -> None:
        """Keep every connection alive until cancelled; reconnects by itself."""
        ...

    def send(self, command: Approved[Command]) -> None:
        """Write a command to the wire now, or report it as rejected or timed out through the sink."""
        ...

    async def open_orders_ours(self) -> Sequence[OrderStatus]:
        """Working orders with our ids, of this session or another, as the venue lists them. Raises: VenueError."""
        ...

    async def cancel_ours(self) -> None:
        """Take back all of them, by whatever road still works. Raises: VenueError."""
        ...

    async def balances(self) -> dict[str, tuple[int, int]]:
        """Free and locked atoms by asset, as the venue states them. Raises: VenueError."""
        ...

    async def close(self) -> None:
        """Release every connection."""
        ...
