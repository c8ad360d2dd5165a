"""Markouts: what the mid did after each of our fills, judged when each horizon has passed, never before.

Signs: s = +1 if we bought. edge = s (M_before - P) with the mid just before the aggressor; AS_h =
s (M_{t+h} - M_before), negative when the flow was adverse. markout_h = edge + AS_h, before fees.
M_{t+h} is the last mid known at t + h in engine time.
Source: the decomposition of the realised spread (Huang and Stoll 1996), as fills of a maker.
"""

from typing import Final, NamedTuple

from mmd.core.units import Side
from mmd.jit.kernel import Rec, bind, kernel, layout, leaf, new

HORIZONS_NS: Final = (
    100_000_000,
    1_000_000_000,
    5_000_000_000,
    30_000_000_000,
    300_000_000_000,
    600_000_000_000,
)
HORIZONS: Final = len(HORIZONS_NS)
FILLS_MAX: Final = 4096

MARKOUT = layout(
    ("mid", "i8"),  # half ticks (best bid + best ask); 0 until the first
    ("due_ns", "i8"),  # when the next judgement is due
    ("head", "i8"),  # fills ever taken in
    ("horizon_ns", "i8", (HORIZONS,)),
    ("judged", "i8", (HORIZONS,)),  # fills ever judged or dropped, oldest first
    ("dropped", "i8", (HORIZONS,)),  # fills that the ring lost before their horizon had passed
    ("ts_ns", "i8", (FILLS_MAX,)),
    ("sign", "i8", (FILLS_MAX,)),
    ("lots", "i8", (FILLS_MAX,)),
    ("before", "i8", (FILLS_MAX,)),  # half ticks
    ("paid", "i8", (FILLS_MAX,)),  # half ticks: twice the fill's price
    ("after", "i8", (HORIZONS, FILLS_MAX)),  # mid at the horizon, half ticks; 0 = not judged
    ("streak", "i8", (HORIZONS,)),  # fills in a row whose markout was negative, see _count_streak
    ("streak_ns", "i8", (HORIZONS,)),  # of the last fill counted in it
    ("streak_sign", "i8", (HORIZONS,)),
    ("fills", "i8", (2, HORIZONS)),  # by our side: fills judged
    ("weight", "i8", (2, HORIZONS)),  # their lots
    ("lost", "i8", (2, HORIZONS)),  # fills whose markout was negative
    ("moved", "i8", (2, HORIZONS)),  # sum of lots * AS, half ticks
    ("squared", "f8", (2, HORIZONS)),  # sum of lots * AS**2, half ticks squared
    ("edge_lots", "i8", (2,)),  # lots of all fills
    ("edge", "i8", (2,)),  # sum of lots * edge, half ticks
)
_NEVER = 2**62


@leaf
def _count_streak(m: Rec, horizon: int, i: int) -> None:
    """Count fills in a row with a negative markout; one that was not ends the row.

    Fills of one side within a horizon of the last one counted are the same news and count once.
    """
    sign = m.sign[i]
    if sign * (m.mid - m.paid[i]) >= 0:
        m.streak[horizon] = 0
        return
    is_same_news = (
        m.streak[horizon] > 0
        and sign == m.streak_sign[horizon]
        and m.ts_ns[i] - m.streak_ns[horizon] < m.horizon_ns[horizon]
    )
    if not is_same_news:
        m.streak[horizon] += 1
        m.streak_ns[horizon] = m.ts_ns[i]
        m.streak_sign[horizon] = sign


@leaf
def _judge(m: Rec, horizon: int, at: int) -> None:
    """Book one fill's adverse selection at a horizon against the mid in force."""
    i = at % FILLS_MAX
    side = (1 - m.sign[i]) // 2
    lots = m.lots[i]
    moved = m.sign[i] * (m.mid - m.before[i])
    m.fills[side, horizon] += 1
    m.weight[side, horizon] += lots
    m.lost[side, horizon] += m.sign[i] * (m.mid - m.paid[i]) < 0
    m.moved[side, horizon] += lots * moved
    m.squared[side, horizon] += float(lots) * float(moved) * float(moved)
    m.after[horizon, i] = m.mid
    _count_streak(m, horizon, i)


@leaf
def _judge_due(m: Rec, until_ns: int) -> int:
    """Judge all that falls due up to until_ns; returns how many judgements that were."""
    judgements = 0
    m.due_ns = _NEVER
    for horizon in range(HORIZONS):
        wait_ns = m.horizon_ns[horizon]
        while m.judged[horizon] < m.head:
            due_ns = m.ts_ns[m.judged[horizon] % FILLS_MAX] + wait_ns
            if due_ns > until_ns:
                m.due_ns = min(m.due_ns, due_ns)
                break
            _judge(m, horizon, m.judged[horizon])
            m.judged[horizon] += 1
            judgements += 1
    return judgements


@kernel
def on_time(markout: Rec, now_ns: int) -> int:
    """Judge what has fallen due by now against the last mid; returns how many judgements that were."""
    m = markout[0]
    return _judge_due(m, now_ns) if now_ns >= m.due_ns else 0


@kernel
def on_mid(markout: Rec, mid_half_ticks: int, now_ns: int) -> int:
    """Take a new mid; what fell due before it is judged by the old one; returns how many judgements."""
    m = markout[0]
    judgements = _judge_due(m, now_ns - 1) if now_ns > m.due_ns else 0
    m.mid = mid_half_ticks
    return judgements + (_judge_due(m, now_ns) if now_ns >= m.due_ns else 0)


@kernel
def on_fill(
    markout: Rec, side: int, price_ticks: int, qty_lots: int, mid_half_ticks: int, now_ns: int
) -> int:
    """Take in a fill; returns 1 if the ring was full and its oldest fill lost its open horizons."""
    m = markout[0]
    dropped = 0
    for horizon in range(HORIZONS):
        if m.judged[horizon] <= m.head - FILLS_MAX:
            m.judged[horizon] += 1
            m.dropped[horizon] += 1
            dropped = 1
    i = m.head % FILLS_MAX
    for horizon in range(HORIZONS):
        m.after[horizon, i] = 0
    sign = 1 - 2 * side
    m.ts_ns[i] = now_ns
    m.sign[i] = sign
    m.lots[i] = qty_lots
    m.before[i] = mid_half_ticks
    m.paid[i] = 2 * price_ticks
    m.edge_lots[side] += qty_lots
    m.edge[side] += qty_lots * sign * (mid_half_ticks - 2 * price_ticks)
    m.head += 1
    m.due_ns = min(m.due_ns, now_ns + m.horizon_ns[0])
    if m.mid == 0:
        m.mid = mid_half_ticks
    return dropped


def new_markout(horizons_ns: tuple[int, ...] = HORIZONS_NS) -> Rec:
    """Empty MARKOUT record; horizons ascending, HORIZONS of them."""
    assert len(horizons_ns) == HORIZONS, f"expected {HORIZONS} horizons, found {len(horizons_ns)}"
    assert list(horizons_ns) == sorted(horizons_ns), "horizons must ascend"
    markout = new(MARKOUT)
    markout["horizon_ns"][0] = horizons_ns
    markout["due_ns"] = _NEVER
    return markout


class MarkoutCurve(NamedTuple):
    """Quantity-weighted averages of one side at one horizon, in ticks; None while nothing was judged."""

    horizon_ns: int
    fills: int
    adverse_ticks: float | None
    """Mean AS_h, negative when adverse."""
    adverse_ticks_rms: float | None
    dropped: int


class Markouts:
    """The kernels bound to one record.

    Overflow: the ring holds FILLS_MAX fills; a fill that is pushed out is missing from the horizons that it
    had not reached, and counted in `dropped`.
    """

    def __init__(self, horizons_ns: tuple[int, ...] = HORIZONS_NS) -> None:
        self.record = new_markout(horizons_ns)
        self._on_fill = bind(on_fill, self.record, 0, 0, 0, 0, 0)
        self._on_mid = bind(on_mid, self.record, 0, 0)
        self._on_time = bind(on_time, self.record, 0)
        self._streak = memoryview(self.record["streak"][0])

    def on_fill(
        self, side: Side, price_ticks: int, qty_lots: int, mid_half_ticks: int, now_ns: int
    ) -> int:
        """Take in a fill with the mid just before it; returns 1 if an old fill had to be dropped."""
        return self._on_fill(self.record, int(side), price_ticks, qty_lots, mid_half_ticks, now_ns)

    def on_mid(self, mid_half_ticks: int, now_ns: int) -> int:
        """Take a new mid; returns how many judgements fell due. O(1) amortised."""
        return self._on_mid(self.record, mid_half_ticks, now_ns)

    def on_time(self, now_ns: int) -> int:
        """Judge what is due while the mid stands still."""
        return self._on_time(self.record, now_ns)

    def streak(self, horizon: int) -> int:
        """Fills in a row whose markout at a horizon (its index) was negative."""
        return self._streak[horizon]

    def forget_streak(self, horizon: int) -> None:
        """Count the row from 0 again."""
        self._streak[horizon] = 0

    def curve(self, side: Side) -> list[MarkoutCurve]:
        """One entry per horizon."""
        m = self.record[0]
        curve = []
        for horizon in range(HORIZONS):
            weight = int(m["weight"][side, horizon])
            moved, squared = float(m["moved"][side, horizon]), float(m["squared"][side, horizon])
            curve.append(
                MarkoutCurve(
                    int(m["horizon_ns"][horizon]),
                    int(m["fills"][side, horizon]),
                    moved / weight / 2 if weight > 0 else None,
                    (squared / weight) ** 0.5 / 2 if weight > 0 else None,
                    int(m["dropped"][horizon]),
                )
            )
        return curve

    def edge_ticks(self, side: Side) -> float | None:
        """Mean edge of all fills of a side, quantity-weighted."""
        m = self.record[0]
        lots = int(m["edge_lots"][side])
        return int(m["edge"][side]) / lots / 2 if lots > 0 else None
