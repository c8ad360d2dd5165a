"""A timer of the engine in the compiled loop, for as long as it would only estimate and find nothing to do.

What a timer does besides: it watches losses (so the loop knows between which mids no limit can be reached) and streaks of
adverse fills (so it knows how long one may get), begins a new day. Wherever one of these may change the risk level the
timer is the engine's. Where judged fills have changed what quotes should be told, the engine tells them right after it.
"""

from typing import Final

from mmd.core.calm import CALM
from mmd.core.flow import adverse_kernels, response
from mmd.core.flow import impact as impacts
from mmd.core.flow import markout as markouts
from mmd.core.flow.adverse_kernels import ADVERSE
from mmd.core.flow.markout import FILLS_MAX, MARKOUT
from mmd.core.flow.mid_history import HISTORY
from mmd.core.market import microprice
from mmd.core.market.trade_flow import TRADE_FLOW
from mmd.core.market.volatility import VOLATILITY
from mmd.core.orders.order_diff import EMPTY, LIVE, SLOTS, WORKING
from mmd.core.quoting import intensity as intensities
from mmd.core.quoting.intensity import INTENSITY
from mmd.core.quoting.record import QUOTE
from mmd.core.quoting.risk_aversion import set_gamma
from mmd.core.quoting.slow_volatility import average_volatility
from mmd.core.risk import book_pace
from mmd.core.risk.order_check import RISK
from mmd.core.shaping import NANOS_PER_HOUR
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, layout, leaf
from mmd.jit.places import record_at

EXPOSED_S_MAX: Final = 2.0
"""As in the quoter: a longer silence of the timers counts as this much."""

NOT_ASKED: Final = -1
"""Of IDLE.can_step: nobody has looked whether the engine would only estimate."""

IDLE = layout(
    # Set from the engine before the loop runs
    ("is_on", "i8"),  # whether a timer may be taken here
    ("can_step", "i8"),  # and whether one with the step of a second may; NOT_ASKED, 1 or 0
    ("shape_ns", "i8"),  # how often the slow volatility follows, and the skew the position's age
    ("slow_halflife_s", "f8"),  # of that volatility
    ("held_since_ns", "i8"),  # since when there is a position, 0 = none
    ("age_skew_per_hour", "f8"),
    ("age_skew_max", "f8"),
    ("judges", "i8"),  # whether fills are judged for adverse selection
    ("told", "i8"),  # steps of the response that quotes go by
    ("is_untold", "i8"),  # whether the last timer here left something to be told
    ("mid_low", "i8"),  # half ticks between which no loss limit can be reached
    ("mid_high", "i8"),
    ("mid", "i8"),  # the last mark
    ("orders", "i8"),  # that may rest
    ("streak_at", "i8"),  # horizon whose streak of adverse fills is watched
    ("streak", "i8"),  # when the engine last looked
    ("streak_max", "i8"),  # a longer one would change the risk level; 0 where any other may
    ("messages_per_s_max", "i8"),  # more than these between two steps would change the risk level
    ("messages", "i8"),  # that had come by the last step
    ("step_ns", "i8"),
    ("sd_target", "f8"),  # of inventory; 0: gamma is fixed
    ("solve_ns", "i8"),  # how often the microprice's table is made anew
    ("halflife_s", "f8"),  # of its counts; 0: there is no table
    # What the loop made of them
    ("stepped_ns", "i8"),
    ("solved_ns", "i8"),
    ("next_shape_ns", "i8"),  # when what changes slowly is worked out again
    ("averaged_ns", "i8"),  # and when it last was
    ("steps", "i8"),
    ("is_paced", "i8"),  # whether the book is stale at another age now
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
def _step(i: Rec, places: Rec, now_ns: int) -> None:
    """As `Quoter.on_time` and `Shaping.on_step`, once a second; what fills cost the engine finds at its own timers."""
    p = places[0]
    quote, intensity = record_at(p.quote, QUOTE), record_at(p.intensity, INTENSITY)
    vol, touch = record_at(p.vol, VOLATILITY), record_at(p.touch, microprice.TOUCH)
    q, w = quote[0], record_at(p.working, WORKING)[0]
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
    if now_ns >= i.next_shape_ns:
        _shape(i, now_ns, quote, vol)
    i.stepped_ns = now_ns
    i.steps += 1


@leaf
def _shape(i: Rec, now_ns: int, quote: Rec, vol: Rec) -> None:
    """As `Shaping.on_step`, every ten seconds."""
    i.next_shape_ns = now_ns + i.shape_ns
    elapsed_s = (now_ns - i.averaged_ns) / NANOS_PER_SECOND
    i.averaged_ns = now_ns
    average_volatility(quote, vol, elapsed_s, i.slow_halflife_s)
    if i.age_skew_per_hour > 0.0:
        hours = (now_ns - i.held_since_ns) / NANOS_PER_HOUR if i.held_since_ns > 0 else 0.0
        quote[0].skew_multiplier = min(1.0 + i.age_skew_per_hour * hours, i.age_skew_max)


@leaf
def _follow_pace(i: Rec, v: Rec, places: Rec, now_ns: int) -> None:
    """As `Maker.on_time` and `Maker.follow_pace`."""
    pace = record_at(places[0].pace, book_pace.PACE)[0]
    if book_pace.step(pace, v.messages, now_ns):
        c, r = record_at(places[0].calm, CALM)[0], record_at(places[0].risk, RISK)[0]
        c.book_age_ns_max = r.stale_book_ns = pace.age_ns_max
        i.is_paced = 1


@leaf
def _keeps_level(i: Rec, m: Rec, now_ns: int) -> bool:
    """Whether the streak of adverse fills stays below what changes the risk level, were all that fall due adverse."""
    at, streak, due = i.streak_at, m.streak[i.streak_at], 0
    while m.judged[at] + due < m.head:
        sent_ns = m.ts_ns[(m.judged[at] + due) % FILLS_MAX]
        if sent_ns + m.horizon_ns[at] > now_ns:
            break
        due += 1
    if i.streak_max == 0:
        return bool(due == 0 and streak == i.streak)
    return bool(streak + due < i.streak_max)


@leaf
def _is_stormy(i: Rec, v: Rec, now_ns: int) -> bool:
    """As `MessageStorm.on_step`: whether the step of now would find a storm."""
    came, elapsed_ns = v.messages - i.messages, now_ns - i.stepped_ns
    return bool(came * NANOS_PER_SECOND > i.messages_per_s_max * elapsed_ns)


@leaf
def _judge_fills(i: Rec, v: Rec, places: Rec, markout: Rec, now_ns: int) -> None:
    """As `AdverseSelection.on_time`, but that quotes are still to be told what came of it: is_untold."""
    p = places[0]
    history, flow = record_at(p.history, HISTORY), record_at(p.flow, TRADE_FLOW)
    adverse = record_at(p.adverse, ADVERSE)
    judged = adverse_kernels.on_step(adverse, markout, history, flow, v.mid_half_ticks, now_ns)
    impacts.on_step(record_at(p.impact, impacts.IMPACT), history)
    steps = round(adverse[0].response * response.STEPS)
    i.is_untold = int(steps != i.told or (steps > 0 and judged > 0))


@leaf
def is_idle_timer(i: Rec, v: Rec, places: Rec, now_ns: int, marked: int) -> bool:
    """Whether the timer of now can be taken here; v is the row of VIEW, marked the mid of the last decision, 0 = none."""
    p = places[0]
    m = record_at(p.markout, MARKOUT)[0]
    quote, intensity = record_at(p.quote, QUOTE), record_at(p.intensity, INTENSITY)
    mid = marked if marked > 0 else i.mid
    return bool(
        i.is_on == 1
        and i.mid_low <= mid <= i.mid_high
        and _keeps_level(i, m, now_ns)
        and (
            now_ns - i.stepped_ns < i.step_ns or (i.can_step == 1 and not _is_stormy(i, v, now_ns))
        )
        and _rests_apart(i, record_at(p.working, WORKING)[0], quote, intensity)
    )


@leaf
def play_timer(i: Rec, v: Rec, places: Rec, now_ns: int, marked: int) -> None:
    """Take a timer that `is_idle_timer`; v is the row of VIEW."""
    p, mid = places[0], marked if marked > 0 else i.mid
    i.seen_low, i.seen_high = min(i.seen_low, mid), max(i.seen_high, mid)
    i.timers += 1
    is_step = now_ns - i.stepped_ns >= i.step_ns
    if is_step:
        i.messages = v.messages
        _step(i, places, now_ns)
        _follow_pace(i, v, places, now_ns)
    markout = record_at(p.markout, MARKOUT)
    markouts.on_time(markout, now_ns)
    if is_step and i.judges == 1:
        _judge_fills(i, v, places, markout, now_ns)
