"""What is put on record by the call that decides is what the driver would have put there, byte for byte."""

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.commands import Approved, Command, ReplaceOrder
from mmd.core.events import Decision, Event
from mmd.jit.kernel import Rec
from mmd.journal.format import HEAD
from mmd.journal.pen import Pen
from mmd.journal.segment import FULL, Segment
from mmd.shell.driver import Driver
from tests.engine_bench import EngineBench
from tests.session import quoting, session_spec

SPEC = session_spec(quoting=quoting(requote_tolerance_bps=0, refresh_delay_ms=0))
STEPS = {
    "up": lambda b: b.shift(3),
    "down": lambda b: b.shift(-3),
    "far up": lambda b: b.shift(1_500),
    "gap": lambda b: b.diff({}, {}, gap=2),
    "snapshot": lambda b: b.snapshot(),
    "fill": lambda b: b.open and b.fill(min(b.open)),
    "nothing": lambda _: None,
    "second": lambda b: (b.pass_time(1_000), b.tick()),
}


class SmallJournal:
    """Segments in memory, each with room for a dozen records; with a pen or without."""

    def __init__(self, size: int, *, has_pen: bool) -> None:
        self.pen = Pen() if has_pen else None
        self._size = size
        self.ended: list[bytes] = []
        self.by_hand: list[Command] = []
        self._begin(0)

    def _begin(self, sequence: int) -> None:
        self.memory = bytearray(self._size)
        self.segment = Segment(self.memory, sequence)
        if self.pen is not None:
            self.pen.turn_to(self.segment.end)

    def _append(self, appended: int) -> bool:
        if appended == FULL:
            self.ended.append(bytes(self.memory))
            self._begin(self.segment.sequence)
        return appended != FULL

    def market(self, market: Rec) -> None:
        self._append(self.segment.market(market)) or self.segment.market(market)

    def event(self, event: Event) -> None:
        self._append(self.segment.event(event)) or self.segment.event(event)

    def command(self, command: Command, decision: Decision | None = None) -> None:
        self.by_hand.append(command)
        self._append(self.segment.command(command, decision)) or self.segment.command(
            command, decision
        )


class Live:
    """An engine behind its driver, and a venue that obeys."""

    def __init__(self, size: int, *, has_pen: bool) -> None:
        self.bench = EngineBench(SPEC)
        self.journal = SmallJournal(size, has_pen=has_pen)
        clock = SimpleNamespace(monotonic_ns=lambda: self.bench.now_ns)
        self.driver = Driver(self.bench.engine, self.journal, clock)
        self.driver.venues = [self]
        self.sent: list[Command] = []
        self.bench.bring_up()

    def send(self, approved: Approved[Command]) -> None:
        assert HEAD.unpack_from(self.journal.memory, 0)[0] > 0, "sent before it was on record"
        self.sent.append(approved.command)

    def step(self, name: str) -> list[Command]:
        """Something happens, a decision is taken, its commands are obeyed."""
        self.bench.pass_time(20)
        STEPS[name](self.bench)
        self.sent = []
        self.driver.decide()
        for command in self.sent:
            self.bench.obey(command)
        return self.sent


@settings(deadline=None, max_examples=15)
@given(st.sampled_from([600, 1 << 16]), st.lists(st.sampled_from(sorted(STEPS)), max_size=15))
def test_the_journal_is_the_same_with_a_pen(size: int, names: list[str]) -> None:
    """Decisions and intents, their order and their checksums, across the ends of segments."""
    ours, theirs = Live(size, has_pen=True), Live(size, has_pen=False)
    for name in ["nothing", "up", *names, "down"]:
        assert ours.step(name) == theirs.step(name)
        assert ours.journal.memory == theirs.journal.memory, name
    assert ours.journal.ended == theirs.journal.ended


def test_the_first_order_of_an_ordinary_decision_is_written_where_it_is_made() -> None:
    """The others by the driver, one by one."""
    live = Live(1 << 16, has_pen=True)
    live.step("nothing")
    live.journal.by_hand.clear()
    sent = live.step("up")
    assert isinstance(sent[0], ReplaceOrder)
    assert live.journal.by_hand == sent[1:]


def test_without_a_segment_nothing_is_written() -> None:
    """The journal is closed: the driver is told of no order, and asks the journal itself."""
    live = Live(1 << 16, has_pen=True)
    live.step("nothing")
    assert live.journal.pen is not None
    live.journal.pen.turn_to(None)
    live.journal.by_hand.clear()
    sent = live.step("up")
    assert live.journal.by_hand == sent


def test_an_order_is_told_once() -> None:
    """A cancel of it, which has its number too, is another command."""
    live = Live(1 << 16, has_pen=True)
    live.step("nothing")
    pen, bench = live.journal.pen, live.bench
    assert pen is not None
    bench.pass_time(20)
    bench.shift(3)
    decision = Decision(bench.now_ns, 99)
    pen.begin(decision)
    first = next(bench.engine.decide(decision)).command
    assert isinstance(first, ReplaceOrder)
    assert pen.wrote(first.client_order_id)
    assert not pen.wrote(first.client_order_id)
