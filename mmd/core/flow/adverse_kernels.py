"""Every fill judged for adverse selection at once, after 30 s and after 600 s; each judgement replaces the last.

Fills stand in the MARKOUT ring, which knows what the mid did after each; ADVERSE holds what was made of them. At the
fill only the past is known: trades and fills of the last minutes, and the pools of fills whose horizon has passed.
"""

import math
from typing import Final

from mmd.core.flow import (
    adverse_tests,
    mid_history,
    pooled_z,
    response,
    rolling_percentile,
    toxicity,
)
from mmd.core.flow.adverse_tests import (
    ABSENT,
    CLUSTERING,
    DELAYED,
    IMBALANCE,
    IMMEDIATE,
    POOLED_MIN,
    SIZE,
    TESTS,
)
from mmd.core.flow.markout import FILLS_MAX, HORIZONS_NS
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf

JUDGED_NS: Final = (30 * NANOS_PER_SECOND, 600 * NANOS_PER_SECOND)
JUDGED: Final = (HORIZONS_NS.index(JUDGED_NS[0]), HORIZONS_NS.index(JUDGED_NS[1]))
"""The horizons of the second and third stage among those of the markouts."""
STAGES: Final = 1 + len(JUDGED)
MINUTE_NS: Final = 60 * NANOS_PER_SECOND
NOT_QUOTED: Final = -1
"""Level of a fill that no quote of ours had: a hedge, a flattening. It is not judged."""
IS_ADVERSE: Final = 1 << TESTS
"""Of a verdict, beside a bit for each test that fired."""
_DEVIATION_MIN: Final = 1.0  # half ticks: less than half a tick cannot be told from nothing

ADVERSE = layout(
    *pooled_z.FIELDS,
    *adverse_tests.FIELDS,
    *rolling_percentile.FIELDS,
    *toxicity.FIELDS,
    *response.FIELDS,
    ("seen", "i8", (2,)),  # fills of the MARKOUT ring looked at after 30 s and after 600 s
    ("level", "i8", (FILLS_MAX,)),
    ("sigma", "f8", (FILLS_MAX,)),  # half ticks per square root of a second, at the fill
    ("number", "i8", (FILLS_MAX,)),  # within side and level
    ("verdict", "i8", (FILLS_MAX,)),
    ("given", "f8", (FILLS_MAX,)),  # by how much the verdict raised the response
    ("given_ns", "i8", (FILLS_MAX,)),
    ("staged", "i8", (STAGES,)),  # fills judged at each stage
    ("staged_adverse", "i8", (STAGES,)),
    ("fired", "i8", (TESTS,)),  # fills by the last verdict on each
    ("adverse", "i8"),
)


@leaf
def _judge(a: Rec, m: Rec, i: int, stage: int) -> int:
    """Replace the verdict on a fill by the one that its strengths come to; returns 1 if adverse.

    A verdict that is only confirmed leaves the response as it is: it fades from when the fill was found out.
    """
    fired, confidence = adverse_tests.verdict(a, i)
    was, adverse = a.verdict[i], int(confidence > 0.0)
    for test in range(TESTS):
        a.fired[test] += (fired >> test & 1) - (was >> test & 1)
    change = adverse - (was >> TESTS & 1)
    a.adverse += change
    if change != 0:
        side = (1 - m.sign[i]) // 2
        toxicity.correct(a, side, a.level[i], a.number[i], change)
        if adverse == 1:
            a.given[i] = response.give(a, confidence)
            a.given_ns[i] = a.level_ns
        else:
            response.withdraw(a, a.given[i], a.given_ns[i])
    a.verdict[i] = fired | adverse * IS_ADVERSE
    a.staged[stage] += 1
    a.staged_adverse[stage] += adverse
    return adverse


@leaf
def _fills_in_minute(a: Rec, m: Rec) -> int:
    """Fills of our quotes in the minute that ends with the last one."""
    last = m.head - 1
    now_ns = m.ts_ns[last % FILLS_MAX]
    count = 0
    at = last
    while at >= 0 and last - at < rolling_percentile.BINS:
        i = at % FILLS_MAX
        if now_ns - m.ts_ns[i] >= MINUTE_NS:
            break
        count += a.level[i] != NOT_QUOTED
        at -= 1
    return count


@leaf
def _pool_strengths(a: Rec, i: int) -> None:
    """What the pools say now; a fill's own move is in them once its horizon has passed."""
    if a.by_z == 1:
        a.strength[IMMEDIATE, i] = adverse_tests.z_strength(a, 0, POOLED_MIN)
        a.strength[DELAYED, i] = adverse_tests.z_strength(a, 1, a.delayed_fills_min)


@kernel
def on_fill(adverse: Rec, markout: Rec, vol: Rec, flow: Rec, level: int, quoted_lots: int) -> int:
    """Judge the fill that the markouts took in last, by what is known now; returns 1 if it is adverse.

    level is the rung that it was quoted on, or NOT_QUOTED; quoted_lots the size of the order.
    """
    a, m, f = adverse[0], markout[0], flow[0]
    i = (m.head - 1) % FILLS_MAX
    a.verdict[i] = 0
    a.given[i] = 0.0
    a.level[i] = min(level, toxicity.LEVELS - 1)
    if level == NOT_QUOTED:
        return 0
    sign, now_ns = m.sign[i], m.ts_ns[i]
    a.sigma[i] = 2.0 * vol[0].sigma
    a.number[i] = toxicity.count_fill(a, (1 - sign) // 2, a.level[i])
    a.strength[IMMEDIATE, i] = ABSENT
    a.strength[DELAYED, i] = ABSENT
    _pool_strengths(a, i)
    a.strength[IMBALANCE, i] = adverse_tests.imbalance_strength(a, f, sign, now_ns)
    a.strength[SIZE, i] = adverse_tests.size_strength(a, m.lots[i], quoted_lots)
    a.strength[CLUSTERING, i] = adverse_tests.clustering_strength(a, _fills_in_minute(a, m))
    response.decay(a, now_ns)
    return _judge(a, m, i, 0)


@leaf
def _judge_later(a: Rec, m: Rec, h: Rec, k: int, at: int) -> int:
    """Take in what the mid did until 30 s (k = 0) or 600 s (k = 1) after a fill, and judge it again."""
    i = at % FILLS_MAX
    mid_after = m.after[JUDGED[k], i]
    if a.level[i] == NOT_QUOTED or mid_after == 0:
        return 0
    sign = m.sign[i]
    moved = sign * (mid_after - m.before[i])
    deviation = max(a.sigma[i] * math.sqrt(JUDGED_NS[k] / NANOS_PER_SECOND), _DEVIATION_MIN)
    pooled_z.pool(a, h, k, at, m.ts_ns[i], sign, moved / deviation, deviation)
    if k == 0:
        usual = pooled_z.baseline(a, k) * deviation
        toxicity.count_move(a, (1 - sign) // 2, a.level[i], 0.5 * (moved - usual))
    if a.by_z == 0 and (k == 0 or a.pool_n[k] >= a.delayed_fills_min):
        a.strength[k, i] = adverse_tests.moved_strength(a, k, moved, m.before[i])
    elif a.by_z == 1 and k == 0:
        _pool_strengths(a, i)
    elif a.by_z == 1:
        a.strength[DELAYED, i] = adverse_tests.z_strength(a, 1, a.delayed_fills_min)
    _judge(a, m, i, k + 1)
    return 1


@kernel
def on_step(
    adverse: Rec, markout: Rec, history: Rec, flow: Rec, mid_half_ticks: int, now_ns: int
) -> int:
    """Once a second: note the mid, judge the fills whose horizon has passed; returns how many judgements."""
    a, m, h = adverse[0], markout[0], history[0]
    mid_history.note(h, mid_half_ticks, flow[0].net_lots, now_ns)
    response.decay(a, now_ns)
    judgements = 0
    for k in range(len(JUDGED)):
        judged = m.judged[JUDGED[k]]
        for at in range(max(a.seen[k], m.head - FILLS_MAX), judged):
            judgements += _judge_later(a, m, h, k, at)
        a.seen[k] = judged
    return judgements
