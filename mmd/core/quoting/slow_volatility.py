"""The slow average of the volatility, beside which the one of now counts as high or low."""

from mmd.jit.kernel import Rec, kernel


@kernel
def average_volatility(quote: Rec, vol: Rec, elapsed_s: float, half_life_s: float) -> None:
    """Let QUOTE.sigma_slow follow; it begins with the first estimate."""
    q, sigma = quote[0], vol[0].sigma
    keep = 0.5 ** (elapsed_s / half_life_s)
    q.sigma_slow = sigma if q.sigma_slow == 0.0 else keep * q.sigma_slow + (1.0 - keep) * sigma
