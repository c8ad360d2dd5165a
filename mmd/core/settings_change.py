"""Settings that may change while a session runs, and the spec that a change makes of the one before.

They are numbers that are read again with every price level, every decision or every fill. Whatever shapes an
estimate, a compiled kernel or a budget of the venue is not among them and takes a new session.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from mmd.core.events import SettingsChanged, SettingValue
from mmd.core.spec import SessionSpec

CHANGEABLE: Final[dict[str, frozenset[str]]] = {
    "quoting": frozenset(
        {
            "order_notional",
            "levels",
            "level_spacing_bps",
            "level_spread_growth",
            "level_size_decay",
            "level_skew_growth",
            "spread_bps_min",
            "spread_bps_max",
            "quote_inside_break_even",
            "inventory_sd_target",
            "risk_aversion",
            "volatility_bps_max",
            "size_skew",
            "requote_tolerance_bps",
            "refresh_delay_ns",
            "request_timeout_ns",
            "passive_spread_multiplier",
            "passive_size_multiplier",
            "aggressive_spread_multiplier",
        }
    ),
    "risk": frozenset(
        {
            "position_notional_max",
            "order_notional_max",
            "collar_bps",
            "open_orders_max",
            "loss_max",
            "drawdown_max",
            "position_drift_max",
            "private_down_ns",
            "flatten_slippage_bps",
        }
    ),
}
"""Fields of QuotingSpec and RiskSpec."""


def changes(before: SessionSpec, after: SessionSpec) -> tuple[tuple[str, SettingValue], ...]:
    """What of `after` may be taken over and differs: (section.field, value), as a SettingsChanged has it."""
    found = []
    for section, names in CHANGEABLE.items():
        old = msgspec.to_builtins(getattr(before, section))
        new = msgspec.to_builtins(getattr(after, section))
        found += [(f"{section}.{k}", new[k]) for k in sorted(names) if new[k] != old[k]]
    return tuple(found)


def changed(spec: SessionSpec, event: SettingsChanged) -> SessionSpec:
    """The spec with an event's values in it."""
    sections = {}
    for section, names in CHANGEABLE.items():
        old = getattr(spec, section)
        values = {
            name: value
            for key, value in event.changes
            for name in [key.removeprefix(f"{section}.")]
            if name in names
        }
        if values:
            sections[section] = msgspec.convert(msgspec.to_builtins(old) | values, type(old))
    return replace(spec, **sections)
