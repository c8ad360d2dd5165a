"""A fast market for the inventory policy to learn in: latent price with jumps and news, exponential fills, our GLFT quotes.

Everything that happens to the market in bar n is drawn by number n of its seed's streams, whatever is quoted, so
that two policies can be compared on the same path. Within a bar the mid stands still; at its end it moves. As in
mmd.exchange.latent_price news reaches informed traders first, who take our quote if it stands within the news, and
the public price follows; the touch's imbalance knows a little of what is not public yet.
"""

import math
from typing import Final

import msgspec
import numpy as np

from mmd.core.learned.counter_random import normal, stream_key, uniform
from mmd.core.quoting.risk_aversion import gamma_for_sd
from mmd.exchange.presets import FlowPreset
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

LIMIT_UNITS: Final = 10
"""The position limit in order sizes, so that a tenth of the limit is one fill."""
_WALK, _JUMP, _NEWS, _REGIME, _SPREAD, _IMBALANCE = 0, 1, 2, 3, 4, 5
_STREAMS: Final = 6
_NEWS_KNOWN: Final = 1.5
"""Inputs of tanh for a whole piece of news that nobody has heard."""

MARKET = layout(
    ("bar_s", "f8"),
    ("price", "f8"),  # ticks
    ("sigma_typical", "f8"),  # ticks per square root of a second
    ("jump_probability", "f8"),  # in a bar
    ("jump_ticks", "f8"),
    ("news_probability", "f8"),  # in a bar
    ("news_ticks", "f8"),
    ("news_kept", "f8"),  # share of what is not public that still is not a bar later
    ("rate_typical", "f8"),  # A of one side, fills per second
    ("decay", "f8"),  # k, 1 / tick
    ("spread_typical", "f8"),  # ticks
    ("regime_kept", "f8"),  # of the logarithm of volatility and activity, a bar later
    ("regime_sd", "f8"),
    ("seen_kept", "f8"),  # of the estimate of volatility
    ("fair_per_imbalance", "f8"),  # ticks
    ("key", "i8", (_STREAMS,)),
    ("bar", "i8"),
    ("mid", "f8"),  # ticks from where the path began
    ("hidden", "f8"),  # ticks that the public price has yet to move
    ("regime", "f8"),
    ("log_spread", "f8"),
    ("noise", "f8"),  # of the imbalance
    ("change", "f8"),  # of the mid in the last bar, ticks
    ("sigma", "f8"),  # true, ticks per square root of a second
    ("sigma_seen", "f8"),  # estimated from the past bars
    ("rate", "f8"),
    ("spread", "f8"),  # best ask less best bid, whole ticks
    ("imbalance", "f8"),
    ("news", "f8"),  # ticks, of the bar at hand
)


class QMarket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the market to learn in; see MARKET for units that are not in the names."""

    price_ticks: float
    sigma_ticks: float
    """Per square root of a second."""
    jump_rate: float
    jump_ticks: float
    news_rate: float
    news_ticks: float
    news_release: float
    rate: float
    decay: float
    spread_ticks: float
    regime_sd: float = 0.4
    regime_s: float = 300.0
    """Time in which a deviation of volatility and activity from their typical values shrinks to 1/e."""
    estimate_s: float = 60.0
    """Memory of the volatility estimate."""
    bar_s: float = 1.0

    @classmethod
    def of_preset(
        cls, preset: FlowPreset, *, rate: float = 0.3, decay_sigmas: float = 0.5
    ) -> "QMarket":
        """Price, volatility, jumps and news of a generated market, in its ticks.

        Args:
            preset: of the embedded exchange, made up or measured.
            rate: share of the market orders of a side that would fill us at the mid.
            decay_sigmas: k times the volatility of a second.
        """
        price = preset.price / float(preset.tick_size)
        sigma = preset.sigma_bps * 1e-4 * price
        side_rate = 0.5 * preset.market_rate_total
        is_informed = preset.news_jump_ticks > 0.0
        share = min(preset.informed_share, 0.5)
        return cls(
            price_ticks=price,
            sigma_ticks=sigma,
            jump_rate=preset.jump_rate,
            jump_ticks=preset.jump_ticks,
            news_rate=rate * 2.0 * side_rate * share / (1.0 - share) * 0.25,
            news_ticks=preset.news_jump_ticks if is_informed else 3.0 * sigma,
            news_release=min(max(preset.news_release, 0.01), 0.99),
            rate=rate * side_rate,
            decay=decay_sigmas / sigma,
            spread_ticks=max(1.0, 2.0 * sigma),
        )

    def gamma_of(self, inventory_sd_units: float) -> float:
        """Risk aversion at which GLFT's inventory has this standard deviation."""
        return float(gamma_for_sd(inventory_sd_units, self.sigma_ticks, self.rate, self.decay))


def new_market(parameters: QMarket) -> Rec:
    """A market's record, to be begun by `begin`."""
    p, market = parameters, new(MARKET)
    market["bar_s"], market["price"] = p.bar_s, p.price_ticks
    market["sigma_typical"], market["rate_typical"] = p.sigma_ticks, p.rate
    market["decay"], market["spread_typical"] = p.decay, p.spread_ticks
    market["jump_probability"] = 1.0 - math.exp(-p.jump_rate * p.bar_s)
    market["jump_ticks"] = p.jump_ticks
    market["news_probability"] = 1.0 - math.exp(-p.news_rate * p.bar_s)
    market["news_ticks"] = p.news_ticks
    market["news_kept"] = (1.0 - p.news_release) ** p.bar_s
    market["regime_kept"] = math.exp(-p.bar_s / p.regime_s)
    market["regime_sd"] = p.regime_sd
    market["seen_kept"] = math.exp(-p.bar_s / p.estimate_s)
    return market


@leaf
def begin(m: Rec, seed: int) -> None:
    """Start the path of a seed in a typical state."""
    for stream in range(_STREAMS):
        m.key[stream] = stream_key(seed, stream)
    m.bar = 0
    m.mid = m.hidden = m.log_spread = m.noise = m.change = m.news = 0.0
    m.regime = m.regime_sd * normal(m.key[_REGIME], 0)
    m.sigma_seen = m.sigma_typical * math.exp(m.regime)
    open_bar(m)


@leaf
def open_bar(m: Rec) -> None:
    """Bring what quotes see up to date, and draw whether news comes in this bar."""
    m.sigma = m.sigma_typical * math.exp(m.regime)
    m.rate = m.rate_typical * math.exp(m.regime)
    m.spread = max(1.0, math.floor(m.spread_typical * math.exp(m.log_spread) + 0.5))
    known = 0.0 if m.news_ticks == 0.0 else _NEWS_KNOWN * m.hidden / m.news_ticks
    m.imbalance = math.tanh(known + m.noise)
    u = uniform(m.key[_NEWS], m.bar)
    m.news = 0.0
    if u < m.news_probability:
        m.news = m.news_ticks if u < 0.5 * m.news_probability else -m.news_ticks


@leaf
def close_bar(m: Rec) -> float:
    """End the bar: the mid moves, what is known moves on. Returns the change of the mid in ticks."""
    change = m.hidden * (1.0 - m.news_kept)
    change += m.sigma * math.sqrt(m.bar_s) * normal(m.key[_WALK], m.bar)
    u = uniform(m.key[_JUMP], m.bar)
    if u < m.jump_probability:
        change += m.jump_ticks if u < 0.5 * m.jump_probability else -m.jump_ticks
    m.hidden = m.hidden * m.news_kept + m.news
    m.mid += change
    m.change = change
    squared = m.seen_kept * m.sigma_seen**2 + (1.0 - m.seen_kept) * change * change / m.bar_s
    m.sigma_seen = math.sqrt(squared)
    m.bar += 1
    fresh = math.sqrt(1.0 - m.regime_kept**2) * m.regime_sd
    m.regime = m.regime_kept * m.regime + fresh * normal(m.key[_REGIME], m.bar)
    m.log_spread = 0.9 * m.log_spread + 0.2 * normal(m.key[_SPREAD], m.bar)
    m.noise = 0.8 * m.noise + 0.3 * normal(m.key[_IMBALANCE], m.bar)
    open_bar(m)
    return float(change)


@kernel
def survey(market: Rec, seed: int, seen: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    """Let a path run and write spread, seen sigma, imbalance and what is hidden of each bar, shape (bars, 4)."""
    m = market[0]
    begin(m, seed)
    for bar in range(seen.shape[0]):
        seen[bar, 0] = m.spread
        seen[bar, 1] = m.sigma_seen
        seen[bar, 2] = m.imbalance
        seen[bar, 3] = m.hidden
        close_bar(m)
