"""Optimal quotes towards a close: Avellaneda and Stoikov's expansion near the horizon.

Reservation price r = mid - q*gamma*sigma^2*tau; each side stands gamma*sigma^2*tau/2 + ln(1 + gamma/k)/gamma
from it. A long inventory lowers both quotes. The expansion holds near the close only: further away than the
time in which the optimum settles, 1/(2*sqrt(alpha*eta)), tau stops growing.

Source: Avellaneda, Stoikov, "High-frequency trading in a limit order book" (2008), equations 29 and 30.
"""

import math
from typing import Final

from mmd.core.quoting.glft import log_alpha_over_eta, usable
from mmd.core.quoting.record import ASK, BID, NO_HORIZON, NOT_FINITE, OK, OUT_OF_RANGE
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

DAY_S: Final = 86_400
HORIZON = layout(("capped", "i8"))  # 0: tau is the time to the close, however far


def seconds_to_close(ts_unix_ns: int, close_s: int) -> float:
    """Seconds until the next daily close, which is at close_s seconds after midnight UTC; 0.0 to below a day."""
    left_ns = (close_s * NANOS_PER_SECOND - ts_unix_ns) % (DAY_S * NANOS_PER_SECOND)
    return left_ns / NANOS_PER_SECOND


def new_horizon(*, capped: bool) -> Rec:
    """HORIZON record; the paper's own simulations are not capped."""
    horizon = new(HORIZON)
    horizon["capped"] = capped
    return horizon


@leaf
def settling_s(q: Rec) -> float:
    """1/(2*sqrt(alpha*eta)) in seconds, by the mean A and k of both sides; infinite without volatility."""
    rate = 0.5 * (q.rate[BID] + q.rate[ASK])
    decay = 0.5 * (q.decay[BID] + q.decay[ASK])
    alpha = 0.5 * decay * q.gamma * q.sigma**2
    if alpha == 0.0:
        return math.inf
    # sqrt(alpha*eta) = alpha / sqrt(alpha/eta)
    root = math.exp(0.5 * log_alpha_over_eta(q.gamma, q.sigma, rate, decay, 0.0))
    return float(0.5 * root / alpha)


@kernel
def offsets(quote: Rec, horizon: Rec) -> int:
    """Write quote.offset and quote.skew for quote.tau_s seconds to the close.

    Returns OK, OUT_OF_RANGE (an input is not finite or of the wrong sign), NO_HORIZON (tau_s is not a time) or
    NOT_FINITE.
    """
    q = quote[0]
    if not usable(q):
        return OUT_OF_RANGE
    if not 0.0 <= q.tau_s < math.inf:
        return NO_HORIZON
    tau = q.tau_s
    if horizon[0].capped == 1:
        tau = min(tau, settling_s(q))
    risk = q.gamma * q.sigma**2 * tau
    q.skew = -q.inventory * risk
    for side in range(2):
        q.offset[side] = 0.5 * risk + math.log1p(q.gamma / q.decay[side]) / q.gamma
    return OK if math.isfinite(q.skew + q.offset[BID] + q.offset[ASK]) else NOT_FINITE
