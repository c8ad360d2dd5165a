"""Small generated markets for tests: tables that can be written down, and flows over them."""

import msgspec

from mmd.calibration.generated_rows import preset_instrument
from mmd.exchange.exchange import Exchange
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.generator_tables import PROBABILITIES, FlowTables
from mmd.exchange.presets import FlowPreset

ONE_LOT = (1.0,) * len(PROBABILITIES)
LIMITS = (8.0, 4.0, 3.0, 4.0)
CANCELS = (6.0, 5.0, 4.0, 3.0)
WIDE_LIMITS = 200.0


def tables(**changes: object) -> FlowTables:
    """One lot at a time; faster at the touch where the spread is wide, more limit orders on the thin side."""
    lots = (100.0, 100.0, 100.0, 100.0)
    usual = tuple((LIMITS[0] * (1.5 - 0.25 * i), *LIMITS[1:]) for i in range(5))
    wide = ((WIDE_LIMITS, *LIMITS[1:]),) * 5
    made = FlowTables(
        spread_edges=(1, 2),
        imbalance_edges=(-0.6, -0.2, 0.2, 0.6),
        distance_edges=(0, 1, 2, 3, 5),
        limit_rates=(usual, wide),
        cancel_rates=((CANCELS,) * 5,) * 2,
        market_weights=((0.5, 0.75, 1.0, 1.25, 1.5), (1.0,) * 5),
        level_lots=lots,
        level_counts=(1.0, 1.0, 1.0, 2.0),
        limit_lots=(tuple(20.0 + 60.0 * p for p in PROBABILITIES),) * 4,
        cancel_shares=(tuple(0.2 + 0.8 * p for p in PROBABILITIES),) * 4,
        market_lots=tuple(5.0 + 90.0 * p for p in PROBABILITIES),
    )
    return msgspec.structs.replace(made, **changes)


def table_preset(**changes: object) -> FlowPreset:
    """A calibrated-style preset near 100.00 over `tables`."""
    made = FlowPreset(
        sigma_bps=0.3,
        anchor=0.05,
        jump_rate=0.0,
        zone_ticks=0.5,
        stale_alertness=1.0,
        depth_min=4,
        market_rate=1.0,
        excitation=4.0,
        excitation_across=0.25,
        decay=8.0,
        market_rate_max=100.0,
        market_reach=5,
        informed_share=0.0,
        far_ticks=12,
        tables=tables(),
    )
    return msgspec.structs.replace(made, **changes)


def flow_of(
    preset: FlowPreset, seed: int, accounts: dict[str, dict[str, int]] | None = None
) -> tuple[Exchange, InteractiveFlow]:
    """An exchange on the preset's grid and the flow that drives its only market from time 0."""
    exchange = Exchange([preset_instrument(preset)], accounts or {})
    return exchange, InteractiveFlow(preset, seed, exchange, exchange.markets[0], 0)
