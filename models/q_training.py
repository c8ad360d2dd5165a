"""Training of the inventory policy: episodes on the fast market, exploration that fades, a table with its visits."""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import msgspec
import numpy as np
import numpy.typing as npt

from mmd.core.learned.q_policy import (
    ACTIONS,
    NORMAL,
    POLICY,
    SHAPE,
    STATES,
    VISITS_MIN,
    greedy_actions,
)
from mmd.core.quoting.glft import new_table
from mmd.core.quoting.record import QuoteSettings, new_quote
from mmd.errors import TrainingError
from mmd.jit.kernel import F8, Rec, bind, new
from models.q_episode import ALWAYS_NORMAL, GREEDY, LEARN, LEARNER, play
from models.q_market import LIMIT_UNITS, QMarket, new_market, survey

SURVEY_BARS: Final = 20_000
_SURVEY_SEED: Final = 2**40
_CENTRE_EPISODES: Final = 20
_FOLDS = (0, 1, 5)
"""Inputs that change sign with the side: inventory, change, imbalance."""


class QSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train."""

    episodes: int = 1_000
    bars: int = 10_000
    """Of an episode."""
    alpha: float = 0.1
    alpha_visits: float = 50.0
    """After so many visits of a state and action their learning rate is half of alpha."""
    epsilon_first: float = 0.8
    epsilon_last: float = 0.01
    discount_bar: float = 0.99
    inventory_sd_units: float = 2.5
    """What gamma is chosen by; phi is half of gamma, so that reward and GLFT price inventory alike."""
    maker_fee_bps: float = 0.0
    taker_fee_bps: float = 5.0
    visits_min: int = VISITS_MIN
    seed: int = 1


class EpisodeResult(NamedTuple):
    """How one went: money in ticks times units."""

    reward: float
    pnl: float
    fills: int
    decisions: int
    inventory_sd: float
    taken: tuple[int, ...]


class TrainedQ(NamedTuple):
    """A table as the daemon wants it, and how it was learned.

    Attributes:
        weights: q, q_error, visits, spread_edges, volatility_edges.
        rewards: of each episode while learning, exploration included.
        epsilons: of each episode.
    """

    weights: dict[str, npt.NDArray[Any]]
    rewards: F8
    epsilons: F8


class Arena:
    """The market, our quotes and a table to play with; one for training and for evaluation alike."""

    def __init__(self, market: QMarket, settings: QSettings) -> None:
        """Survey the market for the levels of spread and volatility. Raises: TrainingError."""
        _check(settings)
        self.settings = settings
        self.market, self.learner = new_market(market), _new_learner(market, settings)
        self.policy = new(POLICY)
        self.policy["action"] = NORMAL
        self.quote = new_quote(QuoteSettings(unit_lots=1))
        self.quote["gamma"] = market.gamma_of(settings.inventory_sd_units)
        self.quote["decay"] = market.decay
        self.learner["phi"] = 0.5 * self.quote["gamma"]
        self._survey()
        self.first, self.second = np.zeros((STATES, ACTIONS)), np.zeros((STATES, ACTIONS))
        self.visits = np.zeros((STATES, ACTIONS), np.int32)
        self.squared = np.zeros((STATES, ACTIONS))
        self._records = (self.learner, self.market, self.quote, new_table(4 * LIMIT_UNITS))
        self._play: Callable[..., None] = cast("Any", bind)(play, *self._all, 0)

    def centre(self, seed: int) -> None:
        """Take what NORMAL earns in a second for the usual reward: values tell differences from it, and learn faster.

        Source: Naik, Wan, Tomar & Sutton, "Reward centering" (2024).
        """
        played = [self.play(ALWAYS_NORMAL, seed + 2 * i) for i in range(_CENTRE_EPISODES)]
        seconds = self.settings.bars * float(self.market["bar_s"][0])
        self.learner["centre"] = float(np.mean([r.reward for r in played])) / seconds

    def use(self, weights: dict[str, npt.NDArray[Any]]) -> None:
        """Take a table's actions in mode GREEDY."""
        q, error, visits = weights["q"], weights["q_error"], weights["visits"]
        self.policy["action"][0] = greedy_actions(q, error, visits, self.settings.visits_min)
        self.policy["spread_edges"][0] = weights["spread_edges"]
        self.policy["volatility_edges"][0] = weights["volatility_edges"]

    def play(self, mode: int, seed: int, epsilon: float = 0.0) -> EpisodeResult:
        """One episode."""
        assert mode in {LEARN, GREEDY, ALWAYS_NORMAL}, f"expected a mode of q_episode, found {mode}"
        self.learner["mode"], self.learner["epsilon"] = mode, epsilon
        self._play(*self._all, seed)
        s = self.learner[0]
        return EpisodeResult(
            float(s["reward"]),
            float(s["pnl"]),
            int(s["fills"]),
            int(s["decisions"]),
            math.sqrt(float(s["inventory_squared"])),
            tuple(int(n) for n in s["taken"]),
        )

    @property
    def _all(self) -> tuple[Any, ...]:
        return (*self._records, self.policy, self.first, self.second, self.visits, self.squared)

    def _survey(self) -> None:
        """Quintiles of volatility, levels of spread, and what imbalance says of the price, from a path of its own."""
        seen = np.zeros((SURVEY_BARS, 4))
        bind(survey, self.market, _SURVEY_SEED, seen)(self.market, _SURVEY_SEED, seen)
        spread, sigma, imbalance, hidden = seen.T
        volatility = 1e4 * sigma * math.sqrt(60.0) / float(self.market["price"][0])
        self.policy["volatility_edges"][0] = np.quantile(volatility, (0.2, 0.4, 0.6, 0.8))
        self.policy["spread_edges"][0] = _spread_edges(spread)
        slope = float(imbalance @ hidden) / float(imbalance @ imbalance)
        self.market["fair_per_imbalance"] = slope


def train_q(
    market: QMarket,
    settings: QSettings,
    on_episode: Callable[[int, EpisodeResult], None] = lambda _, __: None,
) -> TrainedQ:
    """Train for all episodes; the same seed, market and settings give the same table.

    Raises:
        TrainingError: A setting that nothing can be learned with, or values that are not finite.
    """
    arena = Arena(market, settings)
    rewards, epsilons = np.zeros(settings.episodes), np.zeros(settings.episodes)
    arena.centre(training_seed(settings.seed, 2**20 - 2 * _CENTRE_EPISODES))
    for episode in range(settings.episodes):
        epsilons[episode] = epsilon_at(episode, settings)
        seed = training_seed(settings.seed, episode)
        result = arena.play(LEARN, seed, float(epsilons[episode]))
        rewards[episode] = result.reward
        on_episode(episode, result)
    q = 0.5 * (arena.first + arena.second)
    if not np.isfinite(q).all():
        raise TrainingError("values are not finite: try a smaller learning rate alpha")
    weights = {
        "q": unfolded(q),
        "q_error": unfolded(_errors(arena)),
        "visits": unfolded(arena.visits),
        "spread_edges": arena.policy["spread_edges"][0].copy(),
        "volatility_edges": arena.policy["volatility_edges"][0].copy(),
    }
    return TrainedQ(weights, rewards, epsilons)


def epsilon_at(episode: int, settings: QSettings) -> float:
    """Exploration of an episode: falls along a line over the first 80 % of them, then stays."""
    share = min(episode / max(0.8 * settings.episodes, 1.0), 1.0)
    return settings.epsilon_first + share * (settings.epsilon_last - settings.epsilon_first)


def _errors(arena: Arena) -> F8:
    """Standard errors of the values.

    With rates of c/n, c = alpha * alpha_visits, an average over n observations has c/2 times the variance of their
    mean (Polyak & Juditsky, 1992); before n reaches alpha_visits that of a constant rate, alpha/2.
    """
    s, n = arena.settings, arena.visits
    rate = s.alpha * s.alpha_visits / (s.alpha_visits + n)
    errors: F8 = np.sqrt(arena.squared * np.maximum(0.5 * rate, 1.0 / np.maximum(n, 1)))
    return errors


def training_seed(seed: int, episode: int) -> int:
    """Seeds of training are even, those of evaluation odd: no path is in both."""
    return 2 * (seed * 2**20 + episode)


def unfolded(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A folded table with the other half written: what is short is long in the mirror.

    Args:
        values: shape (STATES, ACTIONS), learned with inventory >= 0, and imbalance >= 0 where that is 0.
    """
    table = values.reshape(*SHAPE, -1)
    mirrored = np.flip(table, axis=_FOLDS)
    out = table.copy()
    flat = SHAPE[0] // 2
    out[:flat] = mirrored[:flat]
    out[flat, ..., : SHAPE[5] // 2, :] = mirrored[flat, ..., : SHAPE[5] // 2, :]
    return out.reshape(values.shape)


def _spread_edges(spread: F8) -> F8:
    """Five edges between six levels: single ticks where that covers nine tenths of the time, else quantiles."""
    ticks = np.arange(1.5, 6.0)
    if np.quantile(spread, 0.9) <= ticks[-1]:
        return ticks
    edges: F8 = np.quantile(spread, np.arange(1, 6) / 6.0) + 0.5
    return edges


def _new_learner(market: QMarket, settings: QSettings) -> Rec:
    learner = new(LEARNER)
    learner["bars"], learner["alpha"] = settings.bars, settings.alpha
    learner["alpha_visits"] = settings.alpha_visits
    learner["discount_rate"] = -math.log(settings.discount_bar) / market.bar_s
    learner["maker_fee"] = settings.maker_fee_bps * 1e-4 * market.price_ticks
    learner["taker_fee"] = settings.taker_fee_bps * 1e-4 * market.price_ticks
    return learner


def _check(settings: QSettings) -> None:
    """Raise where nothing could be learned."""
    s = settings
    for name, value, low, high in (
        ("episodes", s.episodes, 1, 2**20),
        ("bars", s.bars, 10, 10_000_000),
        ("alpha", s.alpha, 1e-6, 1.0),
        ("alpha_visits", s.alpha_visits, 1.0, 1e12),
        ("epsilon_first", s.epsilon_first, s.epsilon_last, 1.0),
        ("epsilon_last", s.epsilon_last, 1e-6, 1.0),
        ("discount_bar", s.discount_bar, 0.0 + 1e-6, 1.0 - 1e-9),
        ("inventory_sd_units", s.inventory_sd_units, 0.1, float(LIMIT_UNITS)),
        ("seed", s.seed, 0, 2**19),
    ):
        if not low <= value <= high:
            raise TrainingError(f"{name} is {value}, expected {low} to {high}: change it")
