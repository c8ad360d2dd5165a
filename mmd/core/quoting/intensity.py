"""Fill intensity lambda(delta) = A*exp(-k*delta), estimated online for each side of the quote.

Our own orders are the experiment: each spends time at a distance delta from fair value and is filled or not.
Time at risk and fills are summed by bins of delta and forgotten with a half-life. Given those sums the fills are
Poisson with mean exposure * exp(a - k*delta), also where an order was taken off before it was filled (censored),
so maximum likelihood is unbiased where a regression on fill fractions is not. One damped Newton step a second
follows the optimum. A prior enters as two pseudo-bins that say exactly (A, k) with the weight of a few fills.

Source: A by its logarithm a; log-linear Poisson regression with offset log(exposure), e.g. McCullagh and Nelder,
"Generalized Linear Models" (1989), section 6.2.
"""

import math
from typing import Final

import msgspec

from mmd.core.quoting.record import NOT_FINITE, OK, OUT_OF_RANGE
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

BINS: Final = 64
_PRIOR_POINTS: Final = (0.5, 2.0)  # distances of the pseudo-bins in 1/k: where most fills come from
_ROWS: Final = BINS + len(_PRIOR_POINTS)
_LOG_RATE_STEP_MAX: Final = 1.0
_DECAY_STEP_MAX: Final = 0.5  # of decay
_HALVINGS: Final = 8
_SINGULAR: Final = 1e-9
_TRACE: Final = 1e-9  # seconds, or fills: with less of both a bin is empty

INTENSITY = layout(
    ("bin_ticks", "f8"),
    ("keep", "f8"),  # share of the sums that outlives a step
    ("decay_min", "f8"),  # 1 / tick
    ("decay_max", "f8"),
    ("rate", "f8", (2,)),  # A: fills per second of one unit at distance 0
    ("decay", "f8", (2,)),  # k: 1 / tick
    ("fills_effective", "f8", (2,)),  # discounted, without the prior
    ("exposure_effective_s", "f8", (2,)),
    ("exposure_s", "f8", (2, _ROWS)),  # the last rows are the prior's
    ("distance", "f8", (2, _ROWS)),  # sum of delta times exposure, ticks * s
    ("fills", "f8", (2, _ROWS)),
)


class IntensitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bin width, memory and prior of the estimator.

    Raises:
        ConfigError: a value is not positive (a prior of no fills is allowed).
    """

    prior_rate: float
    """Fills per second of one order unit at distance 0."""
    prior_decay: float
    """1 / tick."""
    prior_fills: float = 20.0
    """Weight of the prior: it counts as much as this many fills; 0 only sets the starting point."""
    bin_ticks: float = 1.0
    half_life_s: float = 1800.0
    step_s: float = 1.0
    """Seconds between calls of `step`."""
    decay_range: float = 100.0
    """The decay stays within prior_decay divided and multiplied by this."""

    def __post_init__(self) -> None:
        """Refuse what would make the likelihood meaningless."""
        for name in ("prior_rate", "prior_decay", "bin_ticks", "half_life_s", "step_s"):
            if not getattr(self, name) > 0.0:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected above 0: change it")
        if not self.prior_fills >= 0.0:
            raise ConfigError(f"prior_fills is {self.prior_fills}, expected 0 or more: change it")
        if not self.decay_range > 1.0:
            raise ConfigError(f"decay_range is {self.decay_range}, expected above 1: change it")


def new_intensity(settings: IntensitySettings) -> Rec:
    """INTENSITY record that stands at the prior."""
    intensity = new(INTENSITY)
    rate, decay = settings.prior_rate, settings.prior_decay
    intensity["bin_ticks"] = settings.bin_ticks
    intensity["keep"] = 0.5 ** (settings.step_s / settings.half_life_s)
    intensity["decay_min"] = decay / settings.decay_range
    intensity["decay_max"] = decay * settings.decay_range
    intensity["rate"], intensity["decay"] = rate, decay
    fills = settings.prior_fills / len(_PRIOR_POINTS)
    for row, point in enumerate(_PRIOR_POINTS, start=BINS):
        exposure_s = fills / (rate * math.exp(-point))
        intensity["fills"][0, :, row] = fills
        intensity["exposure_s"][0, :, row] = exposure_s
        intensity["distance"][0, :, row] = exposure_s * point / decay
    return intensity


@leaf
def _bin(delta_ticks: float, bin_ticks: float) -> int:
    """Bin of a distance, -1 if beyond the last or NaN; quotes through fair value count as at it."""
    at = max(delta_ticks, 0.0) / bin_ticks
    return int(at) if delta_ticks < math.inf and at < BINS else -1


@kernel
def expose(intensity: Rec, side: int, delta_ticks: float, seconds: float, weight: float) -> int:
    """Count the time that an order of weight units rested delta_ticks from fair value.

    Returns OK, or OUT_OF_RANGE (not counted): beyond the last bin, or a time or weight that is not positive.
    """
    e = intensity[0]
    row = _bin(delta_ticks, e.bin_ticks)
    exposure_s = seconds * weight
    if row < 0 or not 0.0 < exposure_s < math.inf:
        return OUT_OF_RANGE
    e.exposure_s[side, row] += exposure_s
    e.distance[side, row] += exposure_s * max(delta_ticks, 0.0)
    return OK


@kernel
def fill(intensity: Rec, side: int, delta_ticks: float) -> int:
    """Count one fill of an order that rested delta_ticks from fair value.

    Returns OK, or OUT_OF_RANGE (not counted) in a bin in which no order has spent time.
    """
    e = intensity[0]
    row = _bin(delta_ticks, e.bin_ticks)
    if row < 0 or not e.exposure_s[side, row] > 0.0:
        return OUT_OF_RANGE
    e.fills[side, row] += 1.0
    return OK


@leaf
def _log_likelihood(e: Rec, side: int, log_rate: float, decay: float) -> float:
    """Poisson log-likelihood up to a constant."""
    total = 0.0
    for row in range(_ROWS):
        exposure_s = e.exposure_s[side, row]
        if exposure_s > 0.0:
            log_lambda = log_rate - decay * (e.distance[side, row] / exposure_s)
            total += e.fills[side, row] * log_lambda - exposure_s * math.exp(log_lambda)
    return total


@leaf
def _newton(e: Rec, side: int, log_rate: float, decay: float) -> tuple[float, float, float]:
    """Full Newton step in (log A, k), capped, and the log-likelihood; k stays where one distance alone was quoted."""
    g_a = g_k = h_aa = h_ak = h_kk = total = 0.0
    for row in range(_ROWS):
        exposure_s = e.exposure_s[side, row]
        if exposure_s > 0.0:
            delta = e.distance[side, row] / exposure_s
            log_lambda = log_rate - decay * delta
            expected = exposure_s * math.exp(log_lambda)
            total += e.fills[side, row] * log_lambda - expected
            g_a += e.fills[side, row] - expected
            g_k -= delta * (e.fills[side, row] - expected)
            h_aa += expected
            h_ak -= delta * expected
            h_kk += delta * delta * expected
    if not h_aa > 0.0:
        return 0.0, 0.0, total
    det = h_aa * h_kk - h_ak * h_ak
    if det <= _SINGULAR * h_aa * h_kk:
        step_a, step_k = g_a / h_aa, 0.0
    else:
        step_a = (h_kk * g_a - h_ak * g_k) / det
        step_k = (h_aa * g_k - h_ak * g_a) / det
    cap = _DECAY_STEP_MAX * decay
    scale = max(abs(step_a) / _LOG_RATE_STEP_MAX, abs(step_k) / cap, 1.0)
    return step_a / scale, step_k / scale, total


@leaf
def _step_side(e: Rec, side: int) -> bool:
    """Move (A, k) uphill: the Newton step, halved until the likelihood does not fall."""
    log_rate, decay = math.log(e.rate[side]), e.decay[side]
    step_a, step_k, before = _newton(e, side, log_rate, decay)
    if not math.isfinite(step_a + step_k):
        return False
    for _ in range(_HALVINGS):
        new_decay = min(max(decay + step_k, e.decay_min), e.decay_max)
        if _log_likelihood(e, side, log_rate + step_a, new_decay) >= before:
            e.rate[side] = math.exp(log_rate + step_a)
            e.decay[side] = new_decay
            break
        step_a *= 0.5
        step_k *= 0.5
    return True


@leaf
def _discount(e: Rec, side: int) -> None:
    """Sum up the evidence, then forget a little of it; the prior's rows stay.

    A bin of which a trace is left is emptied: it would never reach 0, and numbers that small are slow to reckon with.
    """
    fills = exposure_s = 0.0
    for row in range(BINS):
        fills += e.fills[side, row]
        exposure_s += e.exposure_s[side, row]
        is_trace = e.fills[side, row] < _TRACE and e.exposure_s[side, row] < _TRACE
        keep = 0.0 if is_trace else e.keep
        e.fills[side, row] *= keep
        e.exposure_s[side, row] *= keep
        e.distance[side, row] *= keep
    e.fills_effective[side] = fills
    e.exposure_effective_s[side] = exposure_s


@kernel
def step(intensity: Rec) -> int:
    """Write rate, decay and the effective counts of both sides; call it once per step_s seconds.

    Returns OK, or NOT_FINITE when a side's sums make no sense; that side keeps its last estimate.
    """
    e = intensity[0]
    status = OK
    for side in range(2):
        if not _step_side(e, side):
            status = NOT_FINITE
        _discount(e, side)
    return status
