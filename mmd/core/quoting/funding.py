"""Funding of a perpetual as the quotes see it: a drift of what is held, for as long as the rate stands.

It is a perpetual drift, the only kind that the optimal quotes may lean on: a forecast of the next second belongs in fair
value. Holding a long position at a positive rate loses rate * mid an interval, as if the mid fell by so much.
Source: Guéant, Lehalle and Fernandez-Tapia (2013), prices with a trend: mu replaces inventory q by q - mu / (gamma sigma^2).
"""

from typing import Final

from mmd.core.events import FundingRate
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec

_RATE_UNIT: Final = 1e-9


class Funding:
    """What the venue said last, and what it means for one instrument's quotes.

    Attributes:
        rate: of the position's notional, once an interval; positive: longs pay. None before the venue said anything.
        interval_s: between two payments.
        next_unix_ns: when the next one is.
    """

    def __init__(self, quote: Rec, *, is_quoted: bool) -> None:
        """`quote` is the QUOTE record whose drift follows the rate, if it is to be quoted with."""
        self.rate: float | None = None
        self.interval_s = 0.0
        self.next_unix_ns = 0
        self._quote = quote
        self._is_quoted = is_quoted

    def on_rate(self, event: FundingRate, mid_half_ticks: int) -> None:
        """The venue stated a rate; at a mid of 0 there is no price yet that it could be a share of."""
        assert event.interval_ns > 0, f"funding every {event.interval_ns} ns"
        self.rate = event.rate_e9 * _RATE_UNIT
        self.interval_s = event.interval_ns / NANOS_PER_SECOND
        self.next_unix_ns = event.next_unix_ns
        if self._is_quoted:
            self._quote["drift"] = -self.rate * (mid_half_ticks / 2) / self.interval_s
