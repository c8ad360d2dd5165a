"""A timer of the engine in the compiled loop, for as long as it would only estimate and find nothing to do.

What a timer does besides: it watches losses (so the loop knows between which mids no limit can be reached), judges
markouts, counts the pace of the feed, begins a new day. Wherever one of these is due the timer is the engine's.
"""

from typing import Final

from mmd.core.market import microprice
from mmd.core.orders.order_diff import EMPTY, LIVE, SLOTS
from mmd.core.quoting import intensity as intensities
from mmd.core.quoting.risk_aversion import set_gamma
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, layout, leaf

EXPOSED_S_MAX: Final = 2.0
"""As in the quoter: a longer silence of the timers counts as this much."""

IDLE = layout(
    # Set from the engine before the loop runs
    ("is_on", "i8"),  # whether a timer may be taken here
    ("is_asleep", "i8"),  # the book is stale and no order rests: a timer brings no decision either
    ("until_ns", "i8"),  # the day ends, or a blackout begins
    ("shaped_ns", "i8"),  # the skew follows the position's age anew
    ("mid_low", "i8"),  # half ticks between which no loss limit can be reached
    ("mid_high", "i8"),
    ("mid", "i8"),  # the last mark
    ("orders", "i8"),  # that may rest
    ("streak_at", "i8"),  # horizon whose streak of adverse fills is watched
    ("streak", "i8"),
    ("step_ns", "i8"),
    ("steps_left", "i8"),  # until the engine counts the feed's pace
    ("sd_target", "f8"),  # of inventory; 0: gamma is fixed
    ("solve_ns", "i8"),  # how often the microprice's table is made anew
    ("halflife_s", "f8"),  # of its counts; 0: there is no table
    # What the loop made of them
    ("stepped_ns", "i8"),
    ("solved_ns", "i8"),
    ("steps", "i8"),
    ("seen_low", "i8"),  # extreme marks at timers
    ("seen_high", "i8"),
    ("timers", "i8"),
)


@leaf
def _rests_apart(i: Rec, w: Rec, quote: Rec, intensity: Rec) -> bool:
    """Whether every order just rests, and none shares its bin of distance with another of its side.

    Sums of floats depend on their order, which the engine takes from its orders and not from slots.
    """
    q, width, found = quote[0], intensity[0].bin_ticks, 0
    for side in range(2):
        towards = 1.0 - 2.0 * side
        for slot in range(w.n[side]):
            if w.state[side, slot] == EMPTY:
                continue
            if w.state[side, slot] != LIVE:
                return False
            found += 1
            at = max(towards * (q.fair - w.px[side, slot]), 0.0) // width
            for other in range(slot):
                if w.state[side, other] != EMPTY:
                    beside = max(towards * (q.fair - w.px[side, other]), 0.0) // width
                    if at == beside:
                        return False
    return bool(found == i.orders and max(w.n[0], w.n[1]) < SLOTS)


@leaf
def _step(i: Rec, now_ns: int, w: Rec, quote: Rec, intensity: Rec, vol: Rec, touch: Rec) -> None:
    """As `Quoter.on_time`, once a second; what fills cost stands while no markout is due."""
    q = quote[0]
    elapsed_s = (now_ns - i.stepped_ns) / NANOS_PER_SECOND
    for side in range(2):
        for slot in range(w.n[side]):
            if w.state[side, slot] != EMPTY:
                distance = (1.0 - 2.0 * side) * (q.fair - w.px[side, slot])
                intensities.expose(intensity, side, distance, min(elapsed_s, EXPOSED_S_MAX), 1.0)
    intensities.step(intensity)
    if i.sd_target > 0.0:
        q.sigma = vol[0].sigma
        for side in range(2):
            q.rate[side] = intensity[0].rate[side]
            q.decay[side] = intensity[0].decay[side]
        set_gamma(quote, i.sd_target)
    if now_ns - i.solved_ns >= i.solve_ns:
        elapsed_s = (now_ns - i.solved_ns) / NANOS_PER_SECOND if i.solved_ns > 0 else 0.0
        i.solved_ns = now_ns
        if i.halflife_s > 0.0:
            microprice.solve(touch, elapsed_s, i.halflife_s)
    i.stepped_ns = now_ns
    i.steps += 1
    i.steps_left -= 1


@leaf
def is_idle_timer(
    i: Rec,
    now_ns: int,
    marked: int,
    is_stale: bool,  # noqa: FBT001 - a kernel
    working: Rec,
    quote: Rec,
    intensity: Rec,
    markout: Rec,
) -> bool:
    """Whether the timer of now can be taken here; marked is the mid of the last decision, 0 = none since."""
    m = markout[0]
    mid = marked if marked > 0 else i.mid
    return bool(
        i.is_on == 1
        and now_ns < i.until_ns
        and now_ns < i.shaped_ns
        and i.mid_low <= mid <= i.mid_high
        and now_ns < m.due_ns
        and m.streak[i.streak_at] == i.streak
        and is_stale == (i.is_asleep == 1)
        and (i.steps_left > 1 or now_ns - i.stepped_ns < i.step_ns)
        and _rests_apart(i, working[0], quote, intensity)
    )


@leaf
def play_timer(
    i: Rec, now_ns: int, marked: int, working: Rec, quote: Rec, intensity: Rec, vol: Rec, touch: Rec
) -> None:
    """Take a timer that `is_idle_timer`."""
    mid = marked if marked > 0 else i.mid
    i.seen_low, i.seen_high = min(i.seen_low, mid), max(i.seen_high, mid)
    i.timers += 1
    if now_ns - i.stepped_ns >= i.step_ns:
        _step(i, now_ns, working[0], quote, intensity, vol, touch)
