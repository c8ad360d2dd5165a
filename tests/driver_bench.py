"""An EngineBench whose market goes through the live driver: a journal that remembers, a venue that only listens."""

from types import SimpleNamespace

from mmd.core.commands import Approved, Command
from mmd.core.engine import Engine
from mmd.core.events import Decision, Event
from mmd.core.learned.served_model import ModelSource
from mmd.core.market.record import MARKET, pack, packed_view
from mmd.core.spec import SessionSpec
from mmd.errors import JournalError
from mmd.jit.kernel import Rec, bind, new
from mmd.shell.driver import Driver
from tests.engine_bench import EngineBench

_PACK = bind(pack, new(MARKET))


class HandClock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def unix_ns(self) -> int:
        return self.now_ns


class ListJournal:
    """Keeps records in memory, in one list with what was sent; may break."""

    pen = None

    def __init__(self) -> None:
        self.records: list[object] = []
        self.broken = False
        self.breaks_at_command = False
        self.bytes_written = 0

    def market(self, market: Rec) -> None:
        self._append(bytes(packed_view(market)[: _PACK(market)]))

    def event(self, event: Event) -> None:
        self._append(event)

    def command(self, command: Command, decision: Decision | None = None) -> None:
        if decision is not None:
            self._append(decision)
        self.broken = self.broken or self.breaks_at_command
        self._append(command)

    def _append(self, record: object) -> None:
        if self.broken:
            raise JournalError("no space left on device; free some")
        self.records.append(record)


class ListeningVenue:
    """Writes down what it was told to send, behind what the journal holds at that moment."""

    name = "embedded"

    def __init__(self, journal: ListJournal) -> None:
        self._journal = journal
        self.sent: list[Command] = []

    def send(self, approved: Approved[Command]) -> None:
        self.sent.append(approved.command)
        self._journal.records.append(("sent", approved.command))


class DriverBench(EngineBench):
    """Start it inside a running loop; `engine` of the base class is the driver's entrance."""

    def __init__(
        self,
        spec: SessionSpec | None = None,
        journal: object = None,
        models: ModelSource | None = None,
    ) -> None:
        super().__init__(spec, models)
        self.real_engine: Engine = self.engine
        self.clock = HandClock()
        self.clock.now_ns = self.now_ns
        self.journal = ListJournal() if journal is None else journal
        self.driver = Driver(self.real_engine, self.journal, self.clock)  # type: ignore[arg-type]
        self.venue = ListeningVenue(ListJournal() if journal is not None else self.journal)  # type: ignore[arg-type]
        self.engine = SimpleNamespace(
            apply=self.driver.on_event, apply_market=self.driver.on_market
        )  # type: ignore[assignment]

    def start(self) -> None:
        """Begin to keep time."""
        self.driver.start([self.venue])  # type: ignore[list-item]

    def pass_time(self, ms: float) -> None:
        super().pass_time(ms)
        self.clock.now_ns = self.now_ns
