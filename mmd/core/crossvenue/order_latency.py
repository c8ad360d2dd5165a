"""How long a venue takes to answer an order, measured on our own."""

from typing import Final

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
