"""Stress presets: the default market in conditions that a market maker must survive, on a fixed schedule.

Every scene begins a minute after the opening, so that a maker is quoting, and comes back every two or three
minutes; `high_volatility`, `low_liquidity` and `one_sided` last from the first minute on.
"""

import msgspec

from mmd.exchange.generator_phases import Phase
from mmd.exchange.presets import DEFAULT, FlowPreset

_FOR_EVER_S = 1e9
_START_S = 60.0
CRASH_EVERY_S = 180.0


def _lasting(about: str, phase: Phase, **changes: object) -> FlowPreset:
    return msgspec.structs.replace(DEFAULT, about=about, phases=(phase,), **changes)


def _crash() -> tuple[Phase, ...]:
    """Eight seconds down by 1 % each, a pause, and three quarters of the way back in a minute."""
    every = CRASH_EVERY_S
    return (
        Phase(
            start_s=_START_S, length_s=8.0, every_s=every, sigma=3.0,
            limits=0.2, cancels=1.5, markets=5.0, buy_shift=-0.45, drift_bps_per_s=-100.0,
        ),
        Phase(start_s=_START_S + 8.0, length_s=10.0, every_s=every, sigma=4.0, limits=0.4, markets=2.0),
        Phase(
            start_s=_START_S + 18.0, length_s=60.0, every_s=every,
            limits=0.7, markets=1.5, buy_shift=0.15, drift_bps_per_s=10.0,
        ),
    )  # fmt: skip


STRESS: dict[str, FlowPreset] = {
    "high_volatility": _lasting(
        "eight times the default's volatility, with large jumps, from the first minute on",
        Phase(start_s=_START_S, length_s=_FOR_EVER_S, sigma=8.0, cancels=1.5, markets=2.0),
        jump_rate=0.05,
        jump_ticks=12.0,
    ),
    "low_liquidity": _lasting(
        "an eighth of the default's queues, a third of its limit orders, from the first second on",
        Phase(start_s=0.0, length_s=_FOR_EVER_S, limits=0.33),
        queue_touch_lots=DEFAULT.queue_touch_lots / 8,
        queue_deep_lots=DEFAULT.queue_deep_lots / 8,
        limit_lots=DEFAULT.limit_lots / 4,
        place_decay=0.08,
        anchor=1.5,
    ),
    "one_sided": _lasting(
        "nine market orders in ten sell and the price drifts down, from the first minute on",
        Phase(
            start_s=_START_S,
            length_s=_FOR_EVER_S,
            markets=1.5,
            buy_shift=-0.4,
            drift_bps_per_s=-0.3,
        ),
    ),
    "flash_crash": msgspec.structs.replace(
        DEFAULT,
        about="every three minutes the price falls by 8 % in 8 s, rests, and comes three quarters back",
        phases=_crash(),
    ),
    "news_jump": msgspec.structs.replace(
        DEFAULT,
        about="every minute news of 1 %, down and up in turn, which the informed trade on first",
        news_release=0.3,
        phases=(
            Phase(start_s=60.0, length_s=10.0, every_s=120.0, jump_bps=-100.0, markets=2.0),
            Phase(start_s=120.0, length_s=10.0, every_s=120.0, jump_bps=100.0, markets=2.0),
        ),
    ),
    "feed_outage": msgspec.structs.replace(
        DEFAULT,
        about="every two minutes market data is silent for 15 s while the market moves on",
        phases=(
            Phase(start_s=_START_S, length_s=15.0, every_s=120.0, sigma=3.0, is_feed_silent=True),
        ),
    ),
}
"""Presets by name for `mmd exchange --preset`."""
