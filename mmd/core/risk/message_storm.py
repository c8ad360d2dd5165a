"""Watches how much market data comes: a storm of it makes us cautious, before what we quote on is old."""

from mmd.core.risk.caution import Caution
from mmd.core.risk.levels import Raiser
from mmd.core.risk.reasons import LevelReason
from mmd.core.spec import RiskSpec
from mmd.core.units import NANOS_PER_SECOND


class MessageStorm:
    """Raises CAUTIOUS while one instrument brings more messages a second than the limit, and for a time after.

    In a storm many messages share a decision, and whoever makes it may know more than we do. Where data comes faster
    than it is worked off it grows old besides, which the limits of latency and of the book's age see to.

    Attributes:
        messages: that had ever come by the last step.
        stepped_ns: when that was; 0 before the first.
        per_s: messages a second between the last two steps.
    """

    def __init__(self, levels: Raiser, risk: RiskSpec) -> None:
        self.messages = self.stepped_ns = 0
        self.per_s = 0.0
        self._per_s_max = risk.feed_messages_per_s_max
        self._caution = Caution(levels, LevelReason.MESSAGE_STORM, risk.caution_hold_ns)

    def on_step(self, messages: int, now_ns: int) -> bool:
        """Judge what came since the last step, a second ago or more; returns whether the level rose."""
        came, elapsed_ns = messages - self.messages, now_ns - self.stepped_ns
        is_first = self.stepped_ns == 0
        self.messages, self.stepped_ns = messages, now_ns
        if is_first or self._per_s_max == 0:
            return False
        self.per_s = came * NANOS_PER_SECOND / elapsed_ns
        is_bad = came * NANOS_PER_SECOND > self._per_s_max * elapsed_ns
        return self._caution.on_time(now_ns, is_bad=is_bad)

    def follow(self, messages: int, now_ns: int) -> None:
        """Steps were taken elsewhere, none of them in a storm or soon after one: the last one's facts."""
        self.messages, self.stepped_ns = messages, now_ns
