"""What trades do to the mid, permanently and for a while: regressions on their signed volume, in constant memory.

Once a second, with q the net volume that aggressors bought within one second and M the mid,
    lambda(l) = sum q (M at l seconds after it ended - M when it began) / sum q^2
by exponentially forgetting sums. lambda(0) is Kyle's lambda; what is left of it after PERMANENT_S is permanent, the
rest temporary. Later trades of the same direction are part of it: it is the market's response, not one trade's doing.
Source: Kyle (1985), section 2; the response function of Bouchaud, Gefen, Potters, Wyart (2004), equation 3.
"""

from typing import Final, NamedTuple

from mmd.core.flow.mid_history import SAMPLES_MAX
from mmd.jit.kernel import Rec, bind, kernel, layout, new

LAGS_S: Final = (0, 1, 5, 30, 60)
"""Seconds after the one in which the trades were."""
LAGS: Final = len(LAGS_S)
PERMANENT_S: Final = LAGS_S[-1]
KEEP: Final = 0.5 ** (1.0 / 900.0)
"""Half-life of a quarter of an hour."""
WEIGHT_MIN: Final = 60.0
"""Seconds with trades behind an estimate."""

IMPACT = layout(
    ("weight", "f8", (LAGS,)),
    ("squares", "f8", (LAGS,)),  # of net volume, lots squared
    ("products", "f8", (LAGS,)),  # net volume times the mid's change, lots * half ticks
)


@kernel
def on_step(impact: Rec, history: Rec) -> int:
    """Take in the second that has ended, for each lag the one that lies so far back; returns how many there were."""
    r, h = impact[0], history[0]
    taken = 0
    for k in range(LAGS):
        end = h.head - 1 - LAGS_S[k]
        if end < 1:
            break
        now, to, since = (h.head - 1) % SAMPLES_MAX, end % SAMPLES_MAX, (end - 1) % SAMPLES_MAX
        lots = float(h.net_lots[to] - h.net_lots[since])
        taken += 1
        if lots != 0.0:
            moved = float(h.mid[now] - h.mid[since])
            r.weight[k] = KEEP * r.weight[k] + 1.0
            r.squares[k] = KEEP * r.squares[k] + lots * lots
            r.products[k] = KEEP * r.products[k] + lots * moved
    return taken


class Impact(NamedTuple):
    """Ticks a lot; None while too little was traded."""

    kyle: float | None
    permanent: float | None
    by_lag: dict[int, float | None]
    """By seconds, see LAGS_S."""

    @property
    def temporary(self) -> float | None:
        """What is gone again after PERMANENT_S."""
        if self.kyle is None or self.permanent is None:
            return None
        return self.kyle - self.permanent


class ImpactTracker:
    """The kernel bound to its record."""

    def __init__(self, history: Rec) -> None:
        self.record: Rec = new(IMPACT)
        self._history = history
        self._on_step = bind(on_step, self.record, history)

    def on_step(self) -> None:
        """The history has one more sample."""
        self._on_step(self.record, self._history)

    @property
    def impact(self) -> Impact:
        """The estimates of now."""
        r = self.record[0]
        found = {
            lag_s: 0.5 * float(r["products"][k]) / float(r["squares"][k])
            if r["weight"][k] >= WEIGHT_MIN
            else None
            for k, lag_s in enumerate(LAGS_S)
        }
        return Impact(found[0], found[PERMANENT_S], found)
