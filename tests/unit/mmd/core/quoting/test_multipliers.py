"""Factors by cause and their products."""

from mmd.core.quoting.multipliers import Cause, Multipliers
from mmd.core.quoting.record import QUOTE, QuoteSettings, new_quote
from mmd.jit.kernel import new


def products(quote):
    names = ("spread_multiplier", "size_multiplier", "skew_multiplier")
    return tuple(float(quote[name][0]) for name in names)


def test_causes_multiply_and_withdraw_apart():
    """Each replaces its own factors only."""
    quote = new(QUOTE)
    multipliers = Multipliers(quote)
    multipliers.set(Cause.STATE, spread=2.0, size=0.5)
    multipliers.set(Cause.INVENTORY, spread=1.5, skew=3.0)
    assert products(quote) == (3.0, 0.5, 3.0)
    multipliers.set(Cause.STATE)
    assert products(quote) == (1.5, 1.0, 3.0)
    assert multipliers.of(Cause.INVENTORY) == (1.5, 1.0, 3.0)


def test_a_record_made_anew_gets_the_products_again():
    """The quoter makes it anew at each price level."""
    quote = new(QUOTE)
    multipliers = Multipliers(quote)
    multipliers.set(Cause.POSITION_AGE, skew=2.0)
    quote[:] = new_quote(QuoteSettings(unit_lots=10))
    multipliers.write()
    assert products(quote) == (1.0, 1.0, 2.0)
