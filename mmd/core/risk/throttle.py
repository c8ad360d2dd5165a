"""Rate budgets: token buckets that mirror each venue's own counters.

A bucket holds `burst` tokens and gains `limit - burst` per interval, so that no window of one interval,
wherever it starts, sees more than `limit`: whether the venue counts in fixed or in sliding windows. The
last `reserve` tokens are for commands that reduce risk.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import partial
from typing import NamedTuple

import msgspec

from mmd.core.events import RateUsage
from mmd.core.risk.budgets import BUCKETS_MAX, BUDGETS, TAKEN, take_from
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, bind, new

_FULL_NS_MAX = 2**61
"""73 years: a bucket that would take longer to fill up holds a little less."""


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
    """One budget at work: a row of the BUDGETS record, which is charged by `mmd.core.risk.budgets.take`."""

    __slots__ = ("_at", "_b", "budget", "counts", "venue")

    def __init__(self, record: Rec, at: int, budget: Budget, venue: int = 0) -> None:
        """Start full, in row `at` of the record."""
        self.budget = budget
        self.venue = venue
        self.counts = int(budget.counts)
        self._b = record[0]
        self._at = at
        self._b["counts"][at] = self.counts
        self._b["venue"][at] = venue
        self._b["interval_ns"][at] = budget.interval_ns
        self._set_limit(budget.limit)

    @property
    def capacity(self) -> int:
        """Tokens in a full bucket."""
        return self._capacity(urgent=True) // self.budget.interval_ns

    def available(self, now_ns: int, *, urgent: bool = False) -> int:
        """Tokens that may be taken now; urgent ones may use the reserve too."""
        credit = self._capacity(urgent=urgent) - self._missing(now_ns)
        return credit // self.budget.interval_ns

    def on_usage(self, used: int, limit: int, now_ns: int) -> None:
        """The venue's own count: adopt a limit below ours, and never believe in more than it leaves."""
        credit = self._capacity(urgent=True) - self._missing(now_ns)
        if limit >= 2:
            self._set_limit(min(limit, self.budget.limit))
        capacity = self._capacity(urgent=True)
        room = max(self._limit - used, 0) * self.budget.interval_ns
        missing_ns, rest = divmod(capacity - min(credit, room, capacity), self._gain)
        self._b["at_ns"][self._at], self._b["at_rest"][self._at] = now_ns + missing_ns, rest

    @property
    def _gain(self) -> int:
        """Tokens per interval, so credit per nanosecond: a token is worth interval_ns."""
        return int(self._b["gain"][self._at])

    @property
    def _limit(self) -> int:
        return self._gain + self.capacity

    def _capacity(self, *, urgent: bool) -> int:
        """Credit of a full bucket, less the reserve where it may not be used."""
        at = self._at, int(urgent)
        return int(self._b["full_ns"][at]) * self._gain + int(self._b["full_rest"][at])

    def _missing(self, now_ns: int) -> int:
        """Credit that a full bucket has and this one has not."""
        at_ns, rest = int(self._b["at_ns"][self._at]), int(self._b["at_rest"][self._at])
        return max((at_ns - now_ns) * self._gain + rest, 0)

    def _set_limit(self, limit: int) -> None:
        burst = min(self.budget.burst_tokens, limit - 1)
        reserve = self.budget.reserve * burst // self.budget.burst_tokens
        gain = limit - burst
        self._b["gain"][self._at] = gain
        for kind, tokens in enumerate((burst - reserve, burst)):
            full_ns, rest = divmod(tokens * self.budget.interval_ns, gain)
            self._b["full_ns"][self._at, kind] = min(full_ns, _FULL_NS_MAX)
            self._b["full_rest"][self._at, kind] = rest


class Throttle:
    """All budgets of a session: each venue's own, or one set that all of them share.

    Attributes:
        record: BUDGETS record that orders are charged to.
        buckets: a view of each.
    """

    def __init__(
        self, budgets: Sequence[Budget], by_venue: Mapping[str, Sequence[Budget]] | None = None
    ) -> None:
        """Start with every bucket full; without budgets nothing is limited.

        Args:
            budgets: what every venue shares; not used where each has its own.
            by_venue: those of each venue, by name; None where they share.

        Raises:
            ConfigError: more than fit.
        """
        sets = {"": budgets} if by_venue is None else by_venue
        every = [(number, b) for number, own in enumerate(sets.values()) for b in own]
        if len(every) > BUCKETS_MAX:
            raise ConfigError(
                f"expected at most {BUCKETS_MAX} rate budgets, found {len(every)} of {len(sets)} venues: trade fewer"
            )
        self._numbers = {} if by_venue is None else {name: n for n, name in enumerate(by_venue)}
        self.record: Rec = new(BUDGETS)
        self.record["n"] = len(every)
        reserves = (b.reserve for _, b in every if b.counts is Counted.ORDERS)
        self.record["has_reserve"] = max(reserves, default=0) > 0
        self.buckets = tuple(
            TokenBucket(self.record, at, b, number) for at, (number, b) in enumerate(every)
        )
        self._take = partial(bind(take_from, self.record, 0, 0, 0, 0, 0), self.record)

    def number_of(self, venue: str) -> int:
        """By what number a venue's budgets are charged; 0 for all where they share."""
        return self._numbers.get(venue, 0)

    def available(
        self, counts: Counted, now_ns: int, *, urgent: bool = False, venue: int = 0
    ) -> int | None:
        """Tokens left of a kind in a venue's tightest budget; None where the kind has no budget."""
        left = [
            b.available(now_ns, urgent=urgent)
            for b in self.buckets
            if b.counts == counts and b.venue == venue
        ]
        return min(left, default=None)

    def take(
        self, cost: Cost, now_ns: int, *, urgent: bool = False, venue: int = 0
    ) -> Counted | None:
        """Take the whole cost from every budget of a venue or nothing; the kind that ran short, None if taken."""
        short = self._take(venue, cost.orders, cost.weight, now_ns, urgent)
        return None if short == TAKEN else Counted(short)

    def on_usage(self, event: RateUsage) -> bool:
        """Correct the budget that the event is about; returns False if it is none of ours."""
        venue = self.number_of(event.venue)
        for bucket in self.buckets:
            budget = bucket.budget
            is_meant = budget.name == event.budget and budget.interval_ns == event.interval_ns
            if is_meant and bucket.venue == venue:
                bucket.on_usage(event.used, event.limit, event.ts_recv_ns)
                return True
        return False
