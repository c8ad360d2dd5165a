"""Risk aversion from what an operator can say: how much inventory is normal.

Under the optimal quotes inventory is spread about its optimum with sd(q) = (eta/alpha)^(1/4)/sqrt(2) units,
which falls with gamma, so a target sd (from the VaR limit) names one gamma.

Source: Gueant, Lehalle, Fernandez-Tapia (2013), section 5, Gaussian limit of the ground state.
"""

import math
from typing import Final

from mmd.core.quoting.glft import log_alpha_over_eta
from mmd.core.quoting.record import ASK, BID, OK, OUT_OF_RANGE
from mmd.jit.kernel import Rec, kernel

GAMMA_OVER_DECAY_MIN: Final = 1e-9
GAMMA_OVER_DECAY_MAX: Final = 1e6
_LOG_MIN: Final = math.log(GAMMA_OVER_DECAY_MIN)
_LOG_MAX: Final = math.log(GAMMA_OVER_DECAY_MAX)
_STEPS_MAX: Final = 32
_CLOSE: Final = 1e-12  # of gamma, relative
_LOG_4: Final = math.log(4.0)


@kernel
def stationary_sd(gamma: float, sigma: float, rate: float, decay: float) -> float:
    """Standard deviation of inventory in units; needs every argument above 0."""
    return math.exp(-0.25 * (log_alpha_over_eta(gamma, sigma, rate, decay, 0.0) + _LOG_4))


@kernel
def gamma_for_sd(sd_units: float, sigma: float, rate: float, decay: float) -> float:
    """Gamma at which `stationary_sd` is sd_units, within 1e-9..1e6 times decay; needs arguments above 0.

    By x = ln(gamma/decay), ln(alpha/eta) rises with a slope between 1 and 2 and is convex: Newton's steps overshoot
    once at most and then close in, from wherever they begin.
    """
    log_ratio = -4.0 * math.log(sd_units) - _LOG_4
    x = 0.0
    for _ in range(_STEPS_MAX):
        ratio = math.exp(x)
        gap = log_ratio - log_alpha_over_eta(decay * ratio, sigma, rate, decay, 0.0)
        step = gap / (2.0 - math.log1p(ratio) / ratio)
        x = min(max(x + step, _LOG_MIN), _LOG_MAX)
        if abs(step) < _CLOSE:
            break
    return decay * math.exp(x)


@kernel
def set_gamma(quote: Rec, sd_units: float) -> int:
    """Write quote.gamma for a target sd, by the mean A and k of both sides.

    Returns OK, or OUT_OF_RANGE (and quote.gamma as it was) when an input is NaN or not above 0.
    """
    q = quote[0]
    rate = 0.5 * (q.rate[BID] + q.rate[ASK])
    decay = 0.5 * (q.decay[BID] + q.decay[ASK])
    positive = sd_units > 0.0 and q.sigma > 0.0 and rate > 0.0 and decay > 0.0
    if not (positive and math.isfinite(sd_units + q.sigma + rate + decay)):
        return OUT_OF_RANGE
    q.gamma = gamma_for_sd(sd_units, q.sigma, rate, decay)
    return OK
