"""How long to wait before the next attempt: decorrelated jitter between a first and a longest wait."""

from numpy.random import Generator

_GROWTH = 3.0


class Backoff:
    """Waits that grow at random, so that many clients do not come back at once.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015), decorrelated jitter:
    wait = min(longest, uniform(first, 3 * previous wait)).
    """

    def __init__(self, rng: Generator, first_s: float = 0.1, longest_s: float = 30.0) -> None:
        """Start at the shortest wait; `rng` is the only source of chance."""
        assert 0.0 < first_s <= longest_s, "expected 0 < first_s <= longest_s"
        self._rng = rng
        self._first_s = first_s
        self._longest_s = longest_s
        self._last_s = first_s

    def next_s(self, at_least_s: float = 0.0) -> float:
        """Seconds to wait now; a server's own Retry-After (`at_least_s`) is never undercut."""
        drawn = float(self._rng.uniform(self._first_s, _GROWTH * self._last_s))
        self._last_s = min(self._longest_s, drawn)
        return max(self._last_s, at_least_s)

    def reset(self) -> None:
        """Forget past failures: the last attempt succeeded."""
        self._last_s = self._first_s
