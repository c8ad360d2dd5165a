"""The QUOTE record: all that the quoting stage reads and writes for one instrument.

Prices are ticks, time seconds, sizes lots. Inventory is counted in units of the level-0 order size, so that
the rates of fill and the risk aversion mean the same for a large and a small account.

The stages write in turn:
    engine      mid, sigma, rate, decay, gamma, inventory, inventory_ratio, tau_s, lead_shift, drift, impact, fee,
                adverse_cost, adverse_ratio, activity, room_lots
    predictor   forecast, learned_half, learned_weight
    fair_value  fair
    spread      offset, skew: bid = fair + skew - offset[0], ask = fair + skew + offset[1]
    state       allow_bid, allow_ask, reduces_only, spread_multiplier, size_multiplier
    ladder      n, px, sz: the targets, best first; n[side] = 0 means that the side is not quoted
"""

from typing import Final

import msgspec

from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, layout, new

LEVELS_MAX: Final = 8
BID: Final = 0
ASK: Final = 1
OK, NOT_FINITE, OUT_OF_RANGE, NO_HORIZON, CROSSED = 0, 1, 2, 3, 4
"""What a quoting kernel returns; after anything but OK the instrument must not be quoted."""
_UNBOUNDED = 2**62

QUOTE = layout(
    ("mid", "f8"),  # ticks
    ("fair", "f8"),  # ticks
    ("sigma", "f8"),  # ticks per square root of a second
    ("sigma_slow", "f8"),  # its slow average; only the volatility skew reads it
    ("gamma", "f8"),  # 1 / (tick * unit)
    ("inventory", "f8"),  # units, positive when long
    ("inventory_ratio", "f8"),  # of the position limit, -1..1
    ("tau_s", "f8"),  # seconds to the close; only avellaneda_stoikov reads it
    ("lead_shift", "f8"),  # ticks that a leader moves fair value by
    ("drift", "f8"),  # mu, ticks per second: perpetual (funding), not a forecast
    ("impact", "f8"),  # xi, ticks a fill moves the mid against us
    ("fee", "f8"),  # ticks that a fill as maker pays; negative is a rebate; only ho_stoll reads it
    ("adverse_cost", "f8"),  # ticks, measured; only ho_stoll reads it
    ("adverse_ratio", "f8"),  # share of fills that lost money; only dynamic reads it
    ("activity", "f8"),  # recent volume over its slow average; only dynamic reads it
    ("forecast", "f8"),  # ticks that a model expects the mid to move; 0 = none
    ("learned_half", "f8"),  # ticks, half spread of the trees; 0 = none; only learned reads it
    ("learned_weight", "f8"),  # of it in the half spread, 0..1
    ("spread_multiplier", "f8"),  # 1 = as the model says
    ("size_multiplier", "f8"),  # of unit_lots; inventory is counted in whole ones
    ("skew_multiplier", "f8"),
    ("allow_bid", "i8"),  # 0 or 1
    ("allow_ask", "i8"),
    ("reduces_only", "i8"),  # 0 or 1: orders may not exceed the position that they shrink
    ("unit_lots", "i8"),  # size of a level-0 order
    ("lots_min", "i8"),
    ("levels", "i8"),
    ("level_spacing_ticks", "f8"),
    (
        "spacing_growth",
        "f8",
    ),  # at the position limit the reducing side's spacing is 1 + this times as wide
    ("spread_growth", "f8"),  # level L's half-spread is (1 + spread_growth * L) times level 0's
    ("size_decay", "f8"),
    ("skew_growth", "f8"),
    ("half_spread_min", "f8"),  # ticks, for level 0; skew is not counted
    ("half_spread_max", "f8"),
    ("size_skew", "i8"),  # 0 or 1
    ("volatility_skew", "f8"),  # square root of seconds; 0 = off
    ("skew", "f8"),  # ticks, negative when long
    ("offset", "f8", (2,)),  # half-spread of each side before skew, ticks
    ("rate", "f8", (2,)),  # A: fills per second of one unit at distance 0
    ("decay", "f8", (2,)),  # k: 1 / tick
    ("room_lots", "i8", (2,)),  # lots that all orders of a side together may add to the position
    ("n", "i8", (2,)),
    ("px", "i8", (2, LEVELS_MAX)),  # ticks
    ("sz", "i8", (2, LEVELS_MAX)),  # lots
)


class QuoteSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the ladder; see QUOTE for units.

    Raises:
        ConfigError: a value that no ladder can be built from.
    """

    unit_lots: int
    lots_min: int = 1
    levels: int = 3
    level_spacing_ticks: float = 1.0
    spread_growth: float = 0.2
    size_decay: float = 0.7
    skew_growth: float = 0.1
    half_spread_ticks_min: float = 0.5
    half_spread_ticks_max: float = 1e6
    size_skew: bool = True
    volatility_skew: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what the ladder kernel would otherwise have to check on every call."""
        _check("levels", self.levels, 1, LEVELS_MAX)
        _check("lots_min", self.lots_min, 1, _UNBOUNDED)
        _check("unit_lots", self.unit_lots, self.lots_min, 2**53)
        _check("size_decay", self.size_decay, 0.0, 1.0)
        _check("half_spread_ticks_min", self.half_spread_ticks_min, 0.0, self.half_spread_ticks_max)
        _check("half_spread_ticks_max", self.half_spread_ticks_max, 0.0, 1e9)
        _check("level_spacing_ticks", self.level_spacing_ticks, 0.0, 1e9)
        _check("spread_growth", self.spread_growth, 0.0, 10.0)
        _check("skew_growth", self.skew_growth, 0.0, 10.0)
        _check("volatility_skew", self.volatility_skew, 0.0, 1e9)


def _check(name: str, value: float, low: float, high: float) -> None:
    """Raise unless low <= value <= high; NaN is refused too."""
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}, expected {low} to {high}: change it in the settings")


def new_quote(settings: QuoteSettings) -> Rec:
    """QUOTE record with these parameters, both sides allowed, multipliers 1 and unlimited room."""
    quote = new(QUOTE)
    for name in (
        "unit_lots",
        "lots_min",
        "levels",
        "level_spacing_ticks",
        "spread_growth",
        "size_decay",
        "skew_growth",
        "size_skew",
        "volatility_skew",
    ):
        quote[name] = getattr(settings, name)
    quote["half_spread_min"] = settings.half_spread_ticks_min
    quote["half_spread_max"] = settings.half_spread_ticks_max
    quote["spread_multiplier"] = quote["size_multiplier"] = quote["skew_multiplier"] = 1.0
    quote["allow_bid"] = quote["allow_ask"] = 1
    quote["activity"] = 1.0
    quote["room_lots"] = _UNBOUNDED
    return quote
