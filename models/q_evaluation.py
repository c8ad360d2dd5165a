"""What a table is worth: its actions against always NORMAL, on paths that it was not trained on."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mmd.jit.kernel import F8
from models.q_episode import ALWAYS_NORMAL, GREEDY
from models.q_market import QMarket
from models.q_training import Arena, EpisodeResult, QSettings

PAIRS: Final = 200
_DRAWS: Final = 4_000


class Difference(NamedTuple):
    """Mean of paired differences with its 95 % interval, and of what it is a difference."""

    learned: float
    normal: float
    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Said plainly."""
        if self.low > 0.0:
            return "better than always normal"
        return "worse than always normal" if self.high < 0.0 else "no difference from always normal"


class QEvaluation(NamedTuple):
    """Both policies on the same held-out paths; money in ticks times units an episode."""

    learned: list[EpisodeResult]
    normal: list[EpisodeResult]
    reward: Difference
    pnl: Difference
    inventory_sd: Difference

    @property
    def metrics(self) -> dict[str, float]:
        """For the artefact's manifest."""
        return {
            f"{name}_{part}": float(value)
            for name, found in (
                ("reward_ticks", self.reward),
                ("pnl_ticks", self.pnl),
                ("inventory_sd_units", self.inventory_sd),
            )
            for part, value in zip(
                ("learned", "normal", "gain", "gain_low", "gain_high"), found, strict=True
            )
        } | {"pairs": float(len(self.learned))}


def evaluate_q(
    market: QMarket,
    settings: QSettings,
    weights: dict[str, npt.NDArray[Any]],
    *,
    pairs: int = PAIRS,
    on_pair: Callable[[int], None] = lambda _: None,
) -> QEvaluation:
    """Play pairs of episodes with seeds that training never has."""
    arena = Arena(market, settings)
    arena.use(weights)
    learned, normal = [], []
    for pair in range(pairs):
        seed = held_out_seed(settings.seed, pair)
        learned.append(arena.play(GREEDY, seed))
        normal.append(arena.play(ALWAYS_NORMAL, seed))
        on_pair(pair)
    of = [_difference(learned, normal, name) for name in ("reward", "pnl", "inventory_sd")]
    return QEvaluation(learned, normal, *of)


def held_out_seed(seed: int, pair: int) -> int:
    """Odd, where those of training are even."""
    return 2 * (seed * 2**20 + pair) + 1


def _difference(learned: list[EpisodeResult], normal: list[EpisodeResult], name: str) -> Difference:
    """Paths are independent, so pairs are drawn singly."""
    ours = np.array([getattr(r, name) for r in learned])
    theirs = np.array([getattr(r, name) for r in normal])
    return Difference(float(ours.mean()), float(theirs.mean()), *mean_interval(ours - theirs))


def mean_interval(values: F8) -> tuple[float, float, float]:
    """Mean of independent observations and its 95 % interval by the bootstrap."""
    rng = np.random.default_rng(0)
    drawn = values[rng.integers(0, len(values), (_DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)
