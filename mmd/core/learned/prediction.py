"""The PREDICTION record: what the models say of one instrument at the end of a bar, and how far it may be used.

Statuses go from the models' numbers to the quotes: a part that is not OK has no say, and what is left of the
ensemble quotes on (the ladder of `Rung`).
"""

import math
from enum import IntEnum
from typing import Final

from mmd.core.learned.lstm import CHANGE_CLIP, VOLATILITY_FLOOR
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.rate_limit import elapsed_s, step_ticks, toward, within
from mmd.core.market import features as feats
from mmd.core.quoting.fair_value import CLIP_SPREADS
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

CHANGE_MAX: Final = 2.0 * CHANGE_CLIP
"""Targets were clipped at half of this: a network that says more is outside of what it learned."""
LOG_VOLATILITY_MAX: Final = 6.0
HALF_BPS_MIN: Final = 1.0
HALF_BPS_MAX: Final = 100.0
_OUT_OF_REACH: Final = 10.0
"""A half spread this many times beyond its bounds is not clamped but refused."""
_BPS: Final = 1e-4
_SPREAD: Final = feats.index("spread")


class PartStatus(IntEnum):
    """Whether one model's prediction may be used."""

    OK = 0
    NO_MODEL = 1
    WARMING_UP = 2
    """Fewer than WARM_BARS bars since the feed was last without a gap."""
    NOT_FINITE = 3
    OUT_OF_RANGE = 4
    LATE = 5
    """The bar that the last prediction was made at is too long ago."""
    DRIFTED = 6
    """What was said no longer fits what comes true: see mmd.core.learned.drift_response."""
    DEMOTED = 7
    """Its fills, its calibration or its faults were too bad: out until another one is promoted."""
    HELD_OUT = 8
    """This block of time is the spread model's alone, to compare with."""


class Rung(IntEnum):
    """What is left of the ensemble; quotes are pulled where not even the spread model gives any."""

    FULL = 0
    """All that was asked for."""
    TREES = 1
    """The learned half spread without the forecast."""
    FORECAST = 2
    """The forecast without the learned half spread."""
    GLFT = 3
    """The spread model alone."""
    PULLED = 4


OK: Final = int(PartStatus.OK)
NO_MODEL: Final = int(PartStatus.NO_MODEL)
WARMING_UP: Final = int(PartStatus.WARMING_UP)
NOT_FINITE: Final = int(PartStatus.NOT_FINITE)
OUT_OF_RANGE: Final = int(PartStatus.OUT_OF_RANGE)
LATE: Final = int(PartStatus.LATE)
DRIFTED: Final = int(PartStatus.DRIFTED)
FAULTS: Final = (NOT_FINITE, OUT_OF_RANGE, LATE)
"""Statuses that are a model's own fault."""

PREDICTION = layout(
    # Set by the session
    ("uses_forecast", "i8"),  # whether the forecast moves fair value
    ("spread_weight", "f8"),  # of the learned half spread; 0 = none
    ("forecast_rate_bps", "f8"),  # of the mid a second, that the forecast moves quotes; 0 = at once
    ("spread_rate_bps", "f8"),  # the same of the learned half spread
    # The last bar
    ("end_ns", "i8"),  # engine time of its end
    ("bars", "i8"),  # since the sampling clock last started
    ("price_status", "i8"),
    ("spread_status", "i8"),
    ("forecast_ticks", "f8"),  # change of the mid that is expected over the horizon
    ("volatility_ticks", "f8"),  # over the horizon
    ("probability", "f8"),  # of a rise
    ("half_spread_bps", "f8"),
    ("rung", "i8"),
    # What quotes were told
    ("told_ns", "i8"),  # when
    ("half_told_bps", "f8"),  # 0 = none
    ("forecasts_held", "i8"),  # times that the rate kept the forecast short of where it was to be
    ("spreads_held", "i8"),
)


@kernel
def take_price(
    prediction: Rec,
    status: int,
    change: float,
    log_volatility: float,
    logit: float,
    change_scale: float,
    volatility_scale: float,
) -> int:
    """Write forecast, volatility and probability from a network's outputs; returns the part's status.

    A status other than OK comes from the model's run and goes through.
    """
    p = prediction[0]
    p.forecast_ticks = p.volatility_ticks = 0.0
    p.probability = 0.5
    if status == OK:
        if not math.isfinite(change + log_volatility + logit):
            status = NOT_FINITE
        elif abs(change) > CHANGE_MAX or abs(log_volatility) > LOG_VOLATILITY_MAX:
            status = OUT_OF_RANGE
        else:
            p.forecast_ticks = change * change_scale
            level = max(math.exp(log_volatility) - VOLATILITY_FLOOR, 0.0)
            p.volatility_ticks = level * volatility_scale
            p.probability = 1.0 / (1.0 + math.exp(min(max(-logit, -50.0), 50.0)))
    p.price_status = status
    return status


@kernel
def take_spread(prediction: Rec, status: int, half_bps: float) -> int:
    """Write the learned half spread within its bounds; returns the part's status, as `take_price` does."""
    p = prediction[0]
    p.half_spread_bps = 0.0
    if status == OK:
        if not math.isfinite(half_bps):
            status = NOT_FINITE
        elif half_bps <= 0.0 or half_bps > _OUT_OF_REACH * HALF_BPS_MAX:
            status = OUT_OF_RANGE
        else:
            p.half_spread_bps = min(max(half_bps, HALF_BPS_MIN), HALF_BPS_MAX)
    p.spread_status = status
    return status


@leaf
def _forecast(p: Rec, q: Rec, f: Rec, elapsed: float) -> float:
    """What quotes are told of the forecast: within what fair value makes of it, and no faster there than may be."""
    if p.forecast_rate_bps <= 0.0:
        return float(p.forecast_ticks)
    bound = CLIP_SPREADS * f.x[_SPREAD]
    wanted = within(p.forecast_ticks, bound)
    step = step_ticks(p.forecast_rate_bps, elapsed, f.mid)
    told = toward(within(q.forecast, bound), wanted, step)
    p.forecasts_held += int(told != wanted and elapsed > 0.0)
    return told


@leaf
def _half_bps(p: Rec, q: Rec, f: Rec, elapsed: float) -> float:
    """The same of the learned half spread; one that comes begins at the half spread of before."""
    if p.spread_rate_bps <= 0.0:
        return float(p.half_spread_bps)
    before = p.half_told_bps
    if before == 0.0:
        quoted = 0.5 * (q.offset[0] + q.offset[1]) / (_BPS * f.mid)
        before = quoted if HALF_BPS_MIN <= quoted <= HALF_BPS_MAX else p.half_spread_bps
    told = toward(before, p.half_spread_bps, p.spread_rate_bps * elapsed)
    p.spreads_held += int(told != p.half_spread_bps and elapsed > 0.0)
    return told


@kernel
def publish(prediction: Rec, quote: Rec, features: Rec, now_ns: int) -> int:
    """Write what quotes read: quote.forecast, learned_half and learned_weight; returns the rung."""
    p, q, f = prediction[0], quote[0], features[0]
    wants_price, wants_spread = p.uses_forecast == 1, p.spread_weight > 0.0
    has_price, has_spread = p.price_status == OK, p.spread_status == OK
    elapsed = elapsed_s(p.told_ns, now_ns)
    p.told_ns = now_ns
    q.forecast = _forecast(p, q, f, elapsed) if wants_price and has_price else 0.0
    p.half_told_bps = _half_bps(p, q, f, elapsed) if wants_spread and has_spread else 0.0
    q.learned_half = p.half_told_bps * _BPS * f.mid
    q.learned_weight = p.spread_weight
    if (has_price or not wants_price) and (has_spread or not wants_spread):
        p.rung = 0
    elif wants_spread and has_spread:
        p.rung = 1
    elif wants_price and has_price:
        p.rung = 2
    else:
        p.rung = 3
    return int(p.rung)


def new_prediction(spec: ModelsSpec) -> Rec:
    """PREDICTION record of a session that no model has said anything in."""
    prediction = new(PREDICTION)
    for name in ("uses_forecast", "spread_weight", "forecast_rate_bps", "spread_rate_bps"):
        prediction[name] = getattr(spec, name)
    prediction["price_status"] = prediction["spread_status"] = NO_MODEL
    prediction["rung"], prediction["probability"] = Rung.GLFT, 0.5
    return prediction
