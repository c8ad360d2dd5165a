"""The dealer of Ho and Stoll: what a fill has to earn over the risk that it adds, linear arrivals or by components.

A trade of Q units on an inventory of I raises the cost of risk by gamma*sigma^2*tau/2 * (Q + 2I) for each unit of
it. Linear: facing arrivals alpha - beta*a, the dealer passes half of that on,
    ask a = alpha/(2 beta) + (Q - 2I)*gamma*sigma^2*tau/4        bid b = alpha/(2 beta) + (Q + 2I)*gamma*sigma^2*tau/4
so the total spread alpha/beta + gamma*sigma^2*Q*tau/2 does not depend on I, and the midpoint shifts by
-I*gamma*sigma^2*tau/2. alpha and beta are those of the tangent to A*exp(-k*delta) at its most profitable distance
1/k, where alpha/(2 beta) = 1/k. Components: all of the cost is passed on, and so are those of processing a fill
and of adverse selection: half spread = gamma*sigma^2*tau/2 + processing + adverse, midpoint -I*gamma*sigma^2*tau.

tau is the time to the close, no longer than 1/(2*sqrt(alpha*eta)), in which the optimum settles; without a close
it is the latter. Q is one order unit.

Source: Ho, Stoll, "Optimal dealer pricing under transactions and return uncertainty" (1981), section 3, with
symmetric linear arrivals; Stoll, "The supply of dealer services in securities markets" (1978), for the components.
"""

import math

from mmd.core.quoting.glft import log_alpha_over_eta, usable
from mmd.core.quoting.record import ASK, BID, NO_HORIZON, NOT_FINITE, OK, OUT_OF_RANGE
from mmd.jit.kernel import Rec, kernel, layout, leaf

HO_STOLL = layout(
    ("has_close", "i8"),  # 0: quote.tau_s is not read
    ("processing_fraction", "f8"),  # of mid: cost of handling a fill besides its fee
)


@leaf
def risk_per_unit(q: Rec, has_close: int) -> float:
    """gamma*sigma^2*tau in ticks per unit; NaN where there is a close and tau_s is not a time.

    At tau = 1/(2*sqrt(alpha*eta)) it is sqrt(alpha/eta)/k, finite also without volatility.
    """
    rate = 0.5 * (q.rate[BID] + q.rate[ASK])
    decay = 0.5 * (q.decay[BID] + q.decay[ASK])
    log_ratio = log_alpha_over_eta(q.gamma, q.sigma, rate, decay, 0.0)
    settled = float(math.exp(min(0.5 * log_ratio, 700.0)) / decay)
    if has_close == 0:
        return settled
    if not 0.0 <= q.tau_s < math.inf:
        return math.nan
    return float(min(settled, q.gamma * q.sigma**2 * q.tau_s))


@leaf
def _status(q: Rec) -> int:
    """Whether what was written can be quoted."""
    return OK if math.isfinite(q.skew + q.offset[BID] + q.offset[ASK]) else NOT_FINITE


@kernel
def linear_offsets(quote: Rec, dealer: Rec) -> int:
    """Write quote.offset and quote.skew for linear arrivals.

    Returns OK, OUT_OF_RANGE (an input is not finite or of the wrong sign), NO_HORIZON or NOT_FINITE.
    """
    q = quote[0]
    if not usable(q):
        return OUT_OF_RANGE
    risk = risk_per_unit(q, dealer[0].has_close)
    if math.isnan(risk):
        return NO_HORIZON
    for side in range(2):
        q.offset[side] = 1.0 / q.decay[side] + 0.25 * risk
    q.skew = -0.5 * q.inventory * risk
    return _status(q)


@kernel
def component_offsets(quote: Rec, dealer: Rec) -> int:
    """Write quote.offset and quote.skew as the sum of costs of inventory, processing and adverse selection.

    The fee of quote.fee is a cost of processing, quote.adverse_cost that of adverse selection. Returns as
    `linear_offsets` does.
    """
    q, d = quote[0], dealer[0]
    if not usable(q):
        return OUT_OF_RANGE
    risk = risk_per_unit(q, d.has_close)
    if math.isnan(risk):
        return NO_HORIZON
    half = 0.5 * risk + q.fee + d.processing_fraction * q.mid + q.adverse_cost
    for side in range(2):
        q.offset[side] = half
    q.skew = -q.inventory * risk
    return _status(q)
