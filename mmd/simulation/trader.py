"""One engine on virtual time: does what the live driver does, in the same order.

Every input is journalled and applied, the engine decides once for all that came at one moment, and each command is
journalled before it is sent.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from mmd.core.commands import AmendOrder, CancelAll, CancelOrder, Command, QueryOrder, ResyncBook
from mmd.core.engine import Engine
from mmd.core.events import (
    Decision,
    Event,
    ModelSwap,
    OperatorAction,
    OperatorCommand,
    Timer,
)
from mmd.core.learned.served_model import ModelRole, ModelShelf
from mmd.core.market.record import MARKET, packed_view, unpack
from mmd.core.news import is_news
from mmd.core.ports import Journal
from mmd.core.spec import SessionSpec
from mmd.errors import JournalError
from mmd.jit.kernel import bind, new
from mmd.shell.start_barrier import StartBarrier
from mmd.simulation.agenda import NEVER
from mmd.simulation.link import Receiver
from mmd.simulation.market_frames import Frame
from mmd.simulation.order_gateway import OrderGateway
from mmd.simulation.process_time import Timeline
from mmd.simulation.venue import SimulatedVenue

TIMER_NS: Final = 100_000_000
_WORD = 8
_RISK_FREE = (CancelOrder, CancelAll, QueryOrder, ResyncBook, AmendOrder)


class VenueLink(Protocol):
    """A trader's connection to one venue."""

    @property
    def venue(self) -> SimulatedVenue:
        """Where to."""
        ...

    @property
    def gateway(self) -> OrderGateway:
        """The account there."""
        ...

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing about orders or the account is on its way."""
        ...

    def open(self, receiver: Receiver) -> None:
        """Connect."""
        ...

    def send(self, command: Command, sent_ns: int) -> None:
        """A request leaves the trader at a time."""
        ...


class Trader:
    """A session of the daemon, its engine and its links.

    Attributes:
        engine: the engine.
        links: by the venue's name.
        decisions, commands: how many there were.
        journal_up: whether the journal takes what it is given; without it only what takes risk away is sent.
        on_settled: called after each event and after each decision, e.g. to check invariants.
        on_command: called with each command before it is sent.
    """

    def __init__(
        self,
        spec: SessionSpec,
        links: Sequence[VenueLink],
        agenda: Timeline,
        *,
        journal: Journal | None = None,
        decision_ns: int = 0,
        models: ModelShelf | None = None,
    ) -> None:
        """A decision takes decision_ns: its commands leave that much later, and no other begins before.

        models are the champions of the session, of each of its instruments.
        """
        self.engine = Engine(spec, models)
        self._models = models
        self.links = {link.venue.name: link for link in links}
        self.decisions = self.commands = 0
        self.on_settled: Callable[[Trader], None] | None = None
        self.on_command: Callable[[Trader, Command], None] | None = None
        self.journal_up = True
        self._is_dead = False
        self._agenda = agenda
        self._journal = journal
        self._decision_ns = decision_ns
        self._busy_until_ns = 0
        self._decide_at_ns = NEVER
        self._links_by_instrument = [self.links[i.venue] for i in spec.instruments]
        self._market = new(MARKET)
        self._packed = packed_view(self._market)
        self._unpack = bind(unpack, self._market, 0)

    @property
    def name(self) -> str:
        """The account."""
        return next(iter(self.links.values())).gateway.account

    @property
    def is_at_rest(self) -> bool:
        """Whether all that was asked has been answered and all that happened is known."""
        for link in self.links.values():  # noqa: SIM110 - this is asked after every event
            if not link.is_at_rest:
                return False
        return True

    def open(self) -> None:
        """Put the models in place, connect everywhere and begin to keep time."""
        now_ns, champion = self._agenda.now_ns, ModelRole.CHAMPION
        for instrument in self.engine.instruments:
            for model in self._models or ():
                self.on_event(ModelSwap(now_ns, instrument.id, model.kind, champion, model.id))
        receiver = self.receiver()
        for link in self.links.values():
            link.open(receiver)
        self._agenda.at(self._agenda.now_ns + TIMER_NS, self._on_timer)

    def receiver(self) -> Receiver:
        """What the links talk to."""
        return _Gathered(self)

    def on_frame(self, frame: Frame) -> None:
        """Market data has come."""
        size = _WORD * len(frame)
        packed = memoryview(frame).cast("B")
        self._packed[:size] = packed
        status = self._unpack(self._market, size)
        assert status == 0, "the venue's frames are well formed"
        if self._journal is not None:
            self._record(self._journal.market, self._market)
        self.engine.apply_market(self._market)
        self._schedule()

    def on_event(self, event: Event) -> None:
        """Anything else has come."""
        if self._journal is not None:
            self._record(self._journal.event, event)
        self.engine.apply(event)
        if is_news(event):
            self._schedule()
        if self.on_settled is not None:
            self.on_settled(self)

    def die(self) -> None:
        """The process is gone: nothing is done any more."""
        self._is_dead = True

    def operate(self, action: OperatorAction, who: str) -> None:
        """A person wants something."""
        self.on_event(OperatorCommand(self._agenda.now_ns, action, who))

    def _on_timer(self, _: object) -> None:
        if self._is_dead:
            return
        self._agenda.at(self._agenda.now_ns + TIMER_NS, self._on_timer)
        self.on_event(Timer(self._agenda.now_ns))

    def _record(self, write: Callable[[Any], None], what: Any) -> None:
        """As the live driver: a journal that fails once is given up, and the session halts."""
        if self.journal_up:
            try:
                write(what)
            except JournalError:
                self.journal_up = False
                self._agenda.at(self._agenda.now_ns, self._halt)

    def _halt(self, _: object) -> None:
        if not self._is_dead:
            self.operate(OperatorAction.HALT, "journal")
            self._schedule()

    def _schedule(self) -> None:
        """Decide once all that is due now has come, or when the last decision is through."""
        if self._decide_at_ns == NEVER:
            self._decide_at_ns = max(self._agenda.now_ns, self._busy_until_ns)
            self._agenda.at(self._decide_at_ns, self._decide)

    def _decide(self, _: object) -> None:
        if self._is_dead:
            return
        now_ns = self._agenda.now_ns
        self._decide_at_ns = NEVER
        sent_ns = self._busy_until_ns = now_ns + self._decision_ns
        self.decisions += 1
        decision = Decision(now_ns, self.decisions)
        if self._journal is not None:
            self._record(self._journal.event, decision)
        for approved in self.engine.decide(decision):
            self._send(approved.command, sent_ns)
        if self.on_settled is not None:
            self.on_settled(self)

    def _send(self, command: Command, sent_ns: int) -> None:
        if self._journal is not None:
            self._record(self._journal.command, command)
            if not self.journal_up and not isinstance(command, _RISK_FREE):
                return
        self.commands += 1
        if self.on_command is not None:
            self.on_command(self, command)
        self._links_by_instrument[command.instrument].send(command, sent_ns)


class _Gathered:
    """What the links of a trader talk to: as the live group of venues, nothing is quoted before all are reconciled."""

    def __init__(self, trader: Trader) -> None:
        self.on_frame = trader.on_frame
        self._barrier = StartBarrier(trader.links, trader.on_event)

    def on_event(self, event: Event) -> None:
        self._barrier.on_event(event)
