"""Who makes quotes wider, smaller or more skewed: one factor per cause, their products in the QUOTE record."""

from enum import IntEnum

from mmd.jit.kernel import Rec

_QUANTITIES = ("spread_multiplier", "size_multiplier", "skew_multiplier")
_PLAIN = (1.0, 1.0, 1.0)


class Cause(IntEnum):
    """What may lean on the quotes of an instrument."""

    STATE = 0
    """The quote state, PASSIVE above all."""
    INVENTORY = 1
    """Much of the position limit is used."""
    POSITION_AGE = 2
    ADVERSE_SELECTION = 3
    POLICY = 4
    """What the Q-learning policy chose."""
    DRIFT = 5
    """A forecaster's errors have changed."""
    CANARY = 6
    """A model is tried at a small size."""


class Multipliers:
    """The factors of one QUOTE record, written whenever one changes."""

    def __init__(self, quote: Rec) -> None:
        self._quote = quote
        self._factors = [_PLAIN] * len(Cause)

    def set(
        self, cause: Cause, *, spread: float = 1.0, size: float = 1.0, skew: float = 1.0
    ) -> None:
        """Replace what one cause asks for; 1 is nothing."""
        factors = spread, size, skew
        if factors != self._factors[cause]:
            self._factors[cause] = factors
            self.write()

    def of(self, cause: Cause) -> tuple[float, float, float]:
        """What a cause asks for: factors of spread, size and skew."""
        return self._factors[cause]

    def skews_but(self, cause: Cause) -> bool:
        """Whether any other cause asks for more or less skew."""
        return any(f[2] != 1.0 for at, f in enumerate(self._factors) if at != cause)

    def write(self) -> None:
        """Write the products; for a record that was made anew."""
        products = _PLAIN
        for spread, size, skew in self._factors:
            products = products[0] * spread, products[1] * size, products[2] * skew
        for name, value in zip(_QUANTITIES, products, strict=True):
            self._quote[name] = value
