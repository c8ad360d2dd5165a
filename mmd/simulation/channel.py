"""One way of a connection on virtual time: messages that a carrier delays, and may lose or double."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

import numpy as np

from mmd.exchange.fills.latency import Latency, arrive, new_latency
from mmd.jit.kernel import bind
from mmd.simulation.process_time import Timeline

Carrier = Callable[[int], Sequence[int]]
"""When a message that leaves at a time arrives: never, once, or several times."""
MessageT = TypeVar("MessageT")


def carrier(latency: Latency, rng: np.random.Generator) -> Carrier:
    """A carrier that keeps the order of messages and loses none."""
    record = new_latency(latency, rng)
    arrival = partial(bind(arrive, record, 0), record)
    return lambda sent_ns: (arrival(sent_ns),)


class Channel(Generic[MessageT]):
    """Hands messages over when they arrive.

    Attributes:
        carrier: replace it to make the connection worse.
        in_flight: messages on their way.
    """

    def __init__(
        self, agenda: Timeline, carrier: Carrier, deliver: Callable[[MessageT], None]
    ) -> None:
        self.carrier = carrier
        self.in_flight = 0
        self._agenda = agenda
        self._deliver = deliver
        self._epoch = 0

    def send(self, message: MessageT, sent_ns: int) -> None:
        """A message leaves."""
        for due_ns in self.carrier(sent_ns):
            self.in_flight += 1
            self._agenda.at(due_ns, self._arrive, (self._epoch, message))

    def cut(self) -> None:
        """The connection breaks: what is on its way is lost."""
        self._epoch += 1
        self.in_flight = 0

    def _arrive(self, sent: tuple[int, MessageT]) -> None:
        epoch, message = sent
        if epoch == self._epoch:
            self.in_flight -= 1
            self._deliver(message)
