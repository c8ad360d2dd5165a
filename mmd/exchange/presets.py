"""Parameters of the interactive market, and the presets that are shipped."""

import msgspec


class FlowPreset(msgspec.Struct, frozen=True, kw_only=True):
    """How an interactive market behaves. Distances are in ticks, quantities in lots, rates per second.

    Latent efficient price V: a random walk in logarithm (`sigma_bps` per square-root second) with jumps.
    Limit orders and cancels arrive at candidate rates and are accepted by the size of their queue against
    its target; market orders excite each other (Hawkes: each adds `excitation` that decays at `decay`);
    informed traders take what stands beyond V by more than `informed_fee`.
    """

    price: float = 100.0
    sigma_bps: float = 0.5
    jump_rate: float = 0.01
    jump_ticks: float = 4.0
    anchor: float = 0.3
    """How far from V strangers' best quotes stand."""
    limit_rate: float = 80.0
    cancel_rate: float = 60.0
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
    """Rate of informed attention as a share of market_rate_max."""
    informed_fee: float = 0.2


class PriceLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a market's efficient price comes from: the path of a seed, told lag_ns late.

    Markets that share the seed are linked; the one without lag leads.
    """

    seed: int
    lag_ns: int = 0


PRESETS: dict[str, FlowPreset] = {
    "default": FlowPreset(),
    "calm": FlowPreset(
        sigma_bps=0.2, jump_rate=0.0, market_rate=1.4, excitation=0.5, informed_share=0.15
    ),
}
