"""A QUOTE record with the inputs that a test names, and plain values for the rest."""

from collections.abc import Callable

import pytest

from mmd.core.quoting.record import QuoteSettings, new_quote
from mmd.jit.kernel import Rec


def _quote_of(settings: QuoteSettings | None = None, **fields: float) -> Rec:
    quote = new_quote(settings or QuoteSettings(unit_lots=100))
    plain = {"mid": 1000.0, "fair": 1000.0, "sigma": 0.3, "gamma": 0.01, "rate": 0.9, "decay": 0.3}
    for name, value in (plain | fields).items():
        quote[name] = value
    return quote


@pytest.fixture(scope="session")
def quote_of() -> Callable[..., Rec]:
    """Make a QUOTE record: quote_of(settings, field=value, ...)."""
    return _quote_of
