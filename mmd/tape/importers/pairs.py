"""Base and quote asset out of a symbol."""

import re

_QUOTES = (
    "FDUSD",
    "USDT",
    "USDC",
    "BUSD",
    "TUSD",
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "TRY",
    "BTC",
    "ETH",
    "BNB",
)
_SEPARATED = re.compile(r"([A-Za-z0-9]+)[-/_:]([A-Za-z]+)")


def split_pair(symbol: str, default_quote: str = "USD") -> tuple[str, str]:
    """Assets of a symbol like BTC-USD, XBT/EUR or ETHUSDT; a symbol that is no pair is its own base."""
    match = _SEPARATED.match(symbol)
    if match is not None and match[2].upper() != "PERP":
        return match[1].upper(), match[2].upper()
    name = (match[1] if match is not None else symbol).upper()
    for quote in _QUOTES:
        if name.endswith(quote) and len(name) > len(quote):
            return name.removesuffix(quote), quote
    return name, default_quote
