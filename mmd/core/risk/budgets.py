"""The rate budgets' token buckets as a record, and what takes tokens out of them.

A bucket is the moment at which it would be full again, exact in nanoseconds and a rest: one token takes
interval / gain nanoseconds to come back, and the rest counts in 1 / gain of a nanosecond. What is missing from a
full bucket is that moment less the present; a bucket is empty where it misses `full`.
Source: the generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A).
"""

from typing import Final

from mmd.core.risk.reasons import RiskReason
from mmd.jit.kernel import Rec, kernel, layout, leaf

BUCKETS_MAX: Final = 24
TAKEN: Final = -1

BUDGETS = layout(
    ("n", "i8"),
    ("has_reserve", "i8"),  # 1 = a budget of orders keeps tokens back for urgent takers
    ("venue", "i8", (BUCKETS_MAX,)),  # whose it is, by number
    ("counts", "i8", (BUCKETS_MAX,)),  # what it counts: 0 orders, 1 request weight
    ("interval_ns", "i8", (BUCKETS_MAX,)),
    ("gain", "i8", (BUCKETS_MAX,)),  # tokens gained per interval
    ("full_ns", "i8", (BUCKETS_MAX, 2)),  # missing where empty, for ordinary and for urgent takers
    ("full_rest", "i8", (BUCKETS_MAX, 2)),
    ("at_ns", "i8", (BUCKETS_MAX,)),  # when it is full again
    ("at_rest", "i8", (BUCKETS_MAX,)),
    ("next_ns", "i8", (BUCKETS_MAX,)),  # what a take in progress would make of it
    ("next_rest", "i8", (BUCKETS_MAX,)),
    ("price", "i8", (2, 2)),  # of a placed and of a replacing order: orders, weight
    # What else an approved order changes for all that follow
    ("last_id", "i8"),  # its own id: later ones have larger ones
    ("orders_left", "i8"),  # by the order-to-trade limit
    ("verdicts", "i8", (len(RiskReason),)),  # how many commands had each reason
)
"""All budgets of a session, those of its venues side by side, and what else its gate counts."""


@leaf
def take(
    b: Rec,
    venue: int,
    orders: int,
    weight: int,
    now_ns: int,
    urgent: bool,  # noqa: FBT001 - a kernel
) -> int:
    """Take tokens from every budget of a venue or from none; returns TAKEN, or what the first short one counts."""
    for i in range(b.n):
        tokens = orders if b.counts[i] == 0 else weight
        if b.venue[i] != venue:
            tokens = 0
        at_ns, rest = b.at_ns[i], b.at_rest[i]
        if tokens > 0:
            if at_ns < now_ns:
                at_ns, rest = now_ns, 0
            credit = tokens * b.interval_ns[i]
            whole = credit // b.gain[i]
            rest += credit - whole * b.gain[i]
            at_ns += whole
            if rest >= b.gain[i]:
                at_ns += 1
                rest -= b.gain[i]
            missing_ns, kind = at_ns - now_ns, int(urgent)
            full_ns = b.full_ns[i, kind]
            if missing_ns > full_ns or (missing_ns == full_ns and rest > b.full_rest[i, kind]):
                counts: int = b.counts[i]
                return counts
        b.next_ns[i], b.next_rest[i] = at_ns, rest
    for i in range(b.n):
        b.at_ns[i], b.at_rest[i] = b.next_ns[i], b.next_rest[i]
    return TAKEN


@kernel
def take_from(budgets: Rec, venue: int, orders: int, weight: int, now_ns: int, urgent: int) -> int:
    """As `take`, of a record; urgent is 0 or 1."""
    return take(budgets[0], venue, orders, weight, now_ns, urgent == 1)
