"""How long venues take to answer an order, measured on our own."""

from collections.abc import Sequence
from typing import Final

from mmd.core.events import OrderAccepted
from mmd.core.maker import Maker
from mmd.core.orders.order_update import OrderEvent

_WEIGHT: Final = 0.2
"""Of the newest answer in the average."""


class OrderLatency:
    """Exponential average of the time from sending an order to the venue's acknowledgement.

    It is the round trip on purpose: the picture that an order is sent on was already one way old when it came,
    and the order takes the other way.

    Attributes:
        latency_ns: the average; the prior before the first answer.
        answers: how many it is made of.
    """

    def __init__(self, prior_ns: int) -> None:
        self.latency_ns = float(prior_ns)
        self.answers = 0

    def on_answer(self, took_ns: int) -> None:
        """Take in one round trip; the first replaces the prior."""
        weight = 1.0 if self.answers == 0 else _WEIGHT
        self.latency_ns += weight * (took_ns - self.latency_ns)
        self.answers += 1


class OrderLatencies:
    """Those of all venues of a session.

    Attributes:
        by_venue: one for each venue's name.
    """

    def __init__(self, makers: Sequence[Maker], prior_ns: int) -> None:
        self.by_venue = {m.instrument.venue: OrderLatency(prior_ns) for m in makers}
        self._makers = makers

    def of(self, maker: Maker) -> OrderLatency:
        """The latency of an instrument's venue."""
        return self.by_venue[maker.instrument.venue]

    def on_order(self, event: OrderEvent) -> None:
        """An order event that the maker has applied: the first answer to an order is measured."""
        if isinstance(event, OrderAccepted):
            maker = self._makers[event.instrument]
            order = maker.orders.get(event.client_order_id)
            if order is not None and order.changed_ns == event.ts_recv_ns:
                self.of(maker).on_answer(event.ts_recv_ns - order.sent_ns)
