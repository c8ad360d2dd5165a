"""What a seed's world is made of: how many venues and daemons there are, and how busy the markets."""

from typing import Final

import msgspec

from mmd.exchange.presets import DEFAULT, FlowPreset

_PACES: Final = (0.25, 1.0, 0.1)
"""Of the default preset's rates of orders, cancels and trades: three seeds each, in turn."""


class Topology(msgspec.Struct, frozen=True):
    """How many venues there are, and how many daemons that trade at all of them."""

    venues: int
    traders: int


def topology(seed: int) -> Topology:
    """One maker alone, two in one market, or one at two venues, in turn."""
    return (Topology(1, 1), Topology(1, 2), Topology(2, 1))[seed % 3]


def market(seed: int) -> FlowPreset:
    """A busy market, an ordinary and a slow one, each for three seeds in turn."""
    pace = _PACES[seed // 3 % 3]
    return msgspec.structs.replace(
        DEFAULT,
        limit_rate=pace * DEFAULT.limit_rate,
        cancel_rate=pace * DEFAULT.cancel_rate,
        market_rate=pace * DEFAULT.market_rate,
        market_rate_max=pace * DEFAULT.market_rate_max,
    )


def connections(seed: int) -> list[tuple[int, int]]:
    """Every (trader, venue) of a seed's world."""
    shape = topology(seed)
    return [(t, v) for t in range(shape.traders) for v in range(shape.venues)]
