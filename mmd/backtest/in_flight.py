"""What is on its way between daemon and exchange: requests one way, answers the other, each in order."""

from collections import deque
from functools import partial

import msgspec
import numpy as np

from mmd.backtest.feed import NEVER
from mmd.backtest.settings import BacktestSettings
from mmd.core.commands import Command
from mmd.core.events import Event
from mmd.exchange.fills.latency import arrive, new_latency
from mmd.jit.kernel import bind


class InFlight:
    """The two channels of order entry.

    Attributes:
        entry, response: LATENCY records of the channels.
        entry_due_ns, response_due_ns: when the next request reaches the exchange, the next answer us; NEVER if none.
    """

    def __init__(self, settings: BacktestSettings, rng: np.random.Generator) -> None:
        """The channels' delays are drawn from rng: entry first, then response."""
        entry, response = (new_latency(x, rng) for x in (settings.entry, settings.response))
        self.entry, self.response = entry, response
        self._enter = partial(bind(arrive, entry, 0), entry)
        self._answer = partial(bind(arrive, response, 0), response)
        self._requests: deque[tuple[int, Command]] = deque()
        self._answers: deque[Event] = deque()
        self.entry_due_ns = NEVER
        self.response_due_ns = NEVER

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._requests and not self._answers

    def send(self, command: Command, now_ns: int) -> None:
        """A request leaves the daemon."""
        self.resume_request(self._enter(now_ns), command)

    def resume_request(self, arrives_ns: int, command: Command) -> None:
        """A request is on its way, and known to arrive then; those that arrive earlier come first."""
        if not self._requests:
            self.entry_due_ns = arrives_ns
        self._requests.append((arrives_ns, command))

    def next_request(self) -> Command:
        """Take the request that is due at entry_due_ns."""
        _, command = self._requests.popleft()
        self.entry_due_ns = self._requests[0][0] if self._requests else NEVER
        return command

    def answer(self, event: Event) -> None:
        """An answer leaves the exchange at the time that it states."""
        self.resume_answer(
            msgspec.structs.replace(event, ts_recv_ns=self._answer(event.ts_recv_ns))
        )

    def resume_answer(self, event: Event) -> None:
        """An answer is on its way, and known to arrive at the time that it states; earlier ones come first."""
        if not self._answers:
            self.response_due_ns = event.ts_recv_ns
        self._answers.append(event)

    def next_answer(self) -> Event:
        """Take the answer that is due at response_due_ns."""
        event = self._answers.popleft()
        self.response_due_ns = self._answers[0].ts_recv_ns if self._answers else NEVER
        return event
