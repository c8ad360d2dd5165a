"""What a seed's world is made of: how many venues and daemons there are, and how busy the markets."""

from enum import StrEnum
from typing import Final

import msgspec

from mmd.exchange.presets import DEFAULT, FlowPreset

_PACES: Final = (0.25, 1.0, 0.1)
"""Of the default preset's rates of orders, cancels and trades: three seeds each, in turn."""
_CALM_ORDERS: Final = 0.02
_CALM_TRADES: Final = 0.04
"""As at a quiet instrument: about 1.2 changes of the book a second and 420 trades an hour (NEXOUSDT spot, 23 July 2024)."""


class MarketPace(StrEnum):
    """How busy the markets are; nothing else of a world depends on it."""

    USUAL = "usual"
    """A quarter, all and a tenth of the default preset's rates, by the seed."""
    CALM = "calm"
    """A quiet instrument in every seed: most of the time goes by with nothing but timers and faults."""


class Topology(msgspec.Struct, frozen=True):
    """How many venues there are, and how many daemons that trade at all of them."""

    venues: int
    traders: int


def topology(seed: int) -> Topology:
    """One maker alone, two in one market, or one at two venues, in turn."""
    return (Topology(1, 1), Topology(1, 2), Topology(2, 1))[seed % 3]


def market(seed: int, pace: MarketPace = MarketPace.USUAL) -> FlowPreset:
    """A quiet market; at the usual pace a slow one, a busy one and a very slow one, each for three seeds in turn."""
    usual = _PACES[seed // 3 % 3]
    orders, trades = (_CALM_ORDERS, _CALM_TRADES) if pace is MarketPace.CALM else (usual, usual)
    return msgspec.structs.replace(
        DEFAULT,
        limit_rate=orders * DEFAULT.limit_rate,
        cancel_rate=orders * DEFAULT.cancel_rate,
        market_rate=trades * DEFAULT.market_rate,
        market_rate_max=trades * DEFAULT.market_rate_max,
    )


def connections(seed: int) -> list[tuple[int, int]]:
    """Every (trader, venue) of a seed's world."""
    shape = topology(seed)
    return [(t, v) for t in range(shape.traders) for v in range(shape.venues)]
