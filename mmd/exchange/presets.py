"""Parameters of the interactive market, and the made-up presets; measured ones are files (mmd.calibration)."""

from decimal import Decimal

import msgspec

from mmd.exchange.generator_phases import Phase
from mmd.exchange.generator_tables import FlowTables


class FlowPreset(msgspec.Struct, frozen=True, kw_only=True):
    """How an interactive market behaves. Distances are in ticks, quantities in lots, rates per second.

    Latent efficient price V: a random walk in logarithm (`sigma_bps` per square-root second) with jumps.
    Limit orders and cancels arrive at candidate rates and are accepted by the size of their queue against
    its target; market orders excite each other (Hawkes: each adds `excitation` that decays at `decay`);
    informed traders take what stands beyond V by more than `informed_fee`. News of `news_jump_ticks` reaches
    an informed trader first: he is `informed_share` of all market orders, and the public price follows.
    """

    about: str = ""
    """What it is and what it was made from."""
    command: str = ""
    """The command line that made it."""
    not_estimated: tuple[str, ...] = ()
    """Parameters that the data could not tell, and what stands instead."""
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal("0.001")
    price: float = 100.0
    sigma_bps: float = 0.5
    jump_rate: float = 0.01
    jump_ticks: float = 4.0
    anchor: float = 0.3
    """How far from V strangers' best quotes stand."""
    limit_rate: float = 80.0
    cancel_rate: float = 60.0
    zone_ticks: float = 0.0
    """Strangers' idea of the price stays where it is until the public price is this far away."""
    stale_alertness: float = 0.08
    """Chance that a stranger's cancel goes to a quote that V has passed, when there is one."""
    place_decay: float = 0.25
    """Parameter of the geometric distribution of distances from the touch."""
    far_share: float = 0.15
    """Share of orders placed uniformly over the depth instead."""
    depth: int = 40
    depth_min: int = 30
    queue_touch_lots: float = 2_000.0
    queue_deep_lots: float = 5_000.0
    limit_lots: float = 700.0
    limit_spread: float = 0.8
    """Sizes are lognormal: median, and standard deviation of the logarithm."""
    market_rate: float = 1.8
    excitation: float = 0.8
    decay: float = 2.0
    market_rate_max: float = 12.0
    market_lots: float = 1_000.0
    market_spread: float = 1.5
    market_reach: int = 8
    imbalance_pull: float = 0.25
    """How much the touch's imbalance shifts the side of market orders."""
    informed_share: float = 0.3
    """phi: informed attention as a share of market_rate_max, and of market orders that come with news.

    With 0 nobody knows more than the public.
    """
    attention_rate: float | None = None
    """Looks of informed traders at the book a second, instead of the share of market_rate_max."""
    informed_fee: float = 0.2
    news_jump_ticks: float = 0.0
    """J: how far the price moves with a piece of news."""
    news_release: float = 0.2
    """v: share of what the public does not know that it learns in a second."""
    excitation_across: float = 0.5
    """Share of the excitation that goes to market orders of the other side."""
    far_ticks: int = 150
    """Strangers further from V than this give up."""
    phases: tuple[Phase, ...] = ()
    tables: FlowTables | None = None
    """Measured intensities and sizes; they replace the limit_, cancel_, place_, queue_ and imbalance_ numbers."""

    @property
    def market_rate_total(self) -> float:
        """Mean market orders a second that are not news, by the stationary Hawkes rate."""
        return self.market_rate / max(1.0 - self.excitation / self.decay, 1e-3)


class PriceLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a market's efficient price comes from: the path of a seed, told lag_ns late.

    Markets that share the seed are linked; the one without lag leads.
    """

    seed: int
    lag_ns: int = 0


DEFAULT = FlowPreset(about="a made-up liquid pair near 100")
SYNTHETIC: dict[str, FlowPreset] = {
    "calm": FlowPreset(
        about="the default with half the noise and no jumps",
        sigma_bps=0.2,
        jump_rate=0.0,
        market_rate=1.4,
        excitation=0.5,
        informed_share=0.15,
    ),
    "default": DEFAULT,
}
"""Presets that nothing was measured for, by name."""
