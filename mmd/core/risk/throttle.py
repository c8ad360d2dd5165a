"""Rate budgets: token buckets in integer nanoseconds that mirror the venue's own counters.

A bucket holds `burst` tokens and gains `limit - burst` per interval, so that no window of one interval,
wherever it starts, sees more than `limit`: whether the venue counts in fixed or in sliding windows. The
last `reserve` tokens are for commands that reduce risk.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec

from mmd.core.events import RateUsage
from mmd.errors import ConfigError


class Counted(IntEnum):
    """What a budget counts; also the index into a Cost."""

    ORDERS = 0
    WEIGHT = 1


class Cost(NamedTuple):
    """What a command takes from the budgets of each kind."""

    orders: int
    weight: int


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One limit of the venue.

    Attributes:
        name: as in the RateUsage events of the venue's adapter.
        counts: orders or request weight.
        limit: at most this many in any interval.
        interval_ns: length of the venue's window.
        burst: how many may go at once; half the limit by default.
        reserve: how many of the burst only risk-reducing commands may use.

    Raises:
        ConfigError: numbers that make no bucket.
    """

    name: str
    counts: Counted
    limit: int
    interval_ns: int
    burst: int | None = None
    reserve: int = 0

    def __post_init__(self) -> None:
        """Refuse a bucket that never refills or never lets anything through."""
        if self.limit < 2 or self.interval_ns < 1:
            raise ConfigError(
                f"budget {self.name}: expected limit >= 2 and interval_ns >= 1, found {self.limit} and "
                f"{self.interval_ns}: use the venue's published limits"
            )
        if not 0 <= self.reserve < self.burst_tokens < self.limit:
            raise ConfigError(
                f"budget {self.name}: expected 0 <= reserve < burst < limit, found {self.reserve}, "
                f"{self.burst_tokens} and {self.limit}: change them in the settings"
            )

    @property
    def burst_tokens(self) -> int:
        """Capacity of the bucket."""
        return self.limit // 2 if self.burst is None else self.burst


class TokenBucket:
    """One budget at work, in integers: refilling is exact, and costs nothing.

    Kept is the moment at which the bucket would be full again, times the tokens gained per interval; what is
    missing from a full bucket now is that less the present. A token counts interval_ns.
    Source: the generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A).
    """

    __slots__ = (
        "_capacity",
        "_full_at",
        "_gain",
        "_interval_ns",
        "_limit",
        "_ordinary",
        "_reserved",
        "budget",
        "counts",
    )

    def __init__(self, budget: Budget) -> None:
        """Start full."""
        self.budget = budget
        self.counts = int(budget.counts)
        self._interval_ns = budget.interval_ns
        self._reserved = budget.reserve * budget.interval_ns
        self._full_at = 0
        self._set_limit(budget.limit)

    @property
    def capacity(self) -> int:
        """Tokens in a full bucket."""
        return self._capacity // self._interval_ns

    def available(self, now_ns: int, *, urgent: bool = False) -> int:
        """Tokens that may be taken now; urgent ones may use the reserve too."""
        credit = self._capacity - self._missing(now_ns)
        return (credit - (0 if urgent else self._reserved)) // self._interval_ns

    def credit(self, tokens: int) -> int:
        """What `take` takes for so many tokens."""
        return tokens * self._interval_ns

    def take(self, credit: int, now_ns: int, urgent: bool) -> bool:  # noqa: FBT001 - hot
        """Use credit up if so much may be taken now; returns whether it was."""
        now, full_at = now_ns * self._gain, self._full_at
        full_at = (full_at if full_at > now else now) + credit  # noqa: FURB136 - max is a call
        if full_at - now > (self._capacity if urgent else self._ordinary):
            return False
        self._full_at = full_at
        return True

    def give_back(self, credit: int) -> None:
        """Undo a take, at the same time as it."""
        self._full_at -= credit

    def on_usage(self, used: int, limit: int, now_ns: int) -> None:
        """The venue's own count: adopt a limit below ours, and never believe in more than it leaves."""
        credit = self._capacity - self._missing(now_ns)
        if limit >= 2:
            self._set_limit(min(limit, self.budget.limit))
        room = max(self._limit - used, 0) * self._interval_ns
        credit = min(credit, room, self._capacity)
        self._full_at = now_ns * self._gain + self._capacity - credit

    def _set_limit(self, limit: int) -> None:
        burst = min(self.budget.burst_tokens, limit - 1)
        self._limit = limit
        self._gain = limit - burst  # tokens per interval, so credit per nanosecond
        self._capacity = burst * self._interval_ns
        self._ordinary = self._capacity - self._reserved

    def _missing(self, now_ns: int) -> int:
        """Credit that a full bucket has and this one has not."""
        return max(self._full_at - now_ns * self._gain, 0)


class Throttle:
    """All budgets of one venue."""

    def __init__(self, budgets: Sequence[Budget]) -> None:
        """Start with every bucket full; without budgets nothing is limited."""
        self.buckets = tuple(TokenBucket(budget) for budget in budgets)
        self._shares: dict[Cost, tuple[tuple[TokenBucket, int], ...]] = {}
        """Of each cost seen, what it takes from which bucket."""

    def available(self, counts: Counted, now_ns: int, *, urgent: bool = False) -> int | None:
        """Tokens left of a kind in its tightest budget; None where the kind has no budget."""
        left = [b.available(now_ns, urgent=urgent) for b in self.buckets if b.counts == counts]
        return min(left, default=None)

    def take(self, cost: Cost, now_ns: int, *, urgent: bool = False) -> Counted | None:
        """Take the whole cost from every budget or nothing; returns the kind that ran short, None if taken."""
        shares = self._shares.get(cost)
        if shares is None:
            shares = self._shares[cost] = self._shares_of(cost)
        for bucket, credit in shares:
            if not bucket.take(credit, now_ns, urgent):
                for paid, back in shares:
                    if paid is bucket:
                        break
                    paid.give_back(back)
                return bucket.budget.counts
        return None

    def _shares_of(self, cost: Cost) -> tuple[tuple[TokenBucket, int], ...]:
        charged = (b for b in self.buckets if cost[b.counts] > 0)
        return tuple((b, b.credit(cost[b.counts])) for b in charged)

    def on_usage(self, event: RateUsage) -> bool:
        """Correct the budget that the event is about; returns False if it is none of ours."""
        for bucket in self.buckets:
            budget = bucket.budget
            if budget.name == event.budget and budget.interval_ns == event.interval_ns:
                bucket.on_usage(event.used, event.limit, event.ts_recv_ns)
                return True
        return False
