"""Where PnL came from. The parts are counted by causes and checked against PnL by balances."""

from typing import Final

import msgspec

from mmd.analytics.session import Track

TOLERANCE: Final = 1e-9
"""Of the identity, relative to the sums involved: the engine's integers agree exactly, doubles round."""


_SUMMED: Final = ("edge", "drift", "hedging", "arbitrage", "fee", "funding", "equity")


class PnlAttribution(msgspec.Struct, frozen=True):
    """PnL by cause, in quote currency; `total` is their sum.

    Attributes:
        spread: what fills of quotes were better than the mid just before them (edge).
        rebates: commissions paid to us.
        fees: commissions paid by us, 0 or negative.
        inventory: what the mid's moves made of the inventory that quotes brought.
        funding: what perpetuals paid to us for holding them.
        hedging: fills of hedges and flattenings, and the moves on what they brought.
        arbitrage: the same for arbitrage.
    """

    spread: float
    rebates: float
    fees: float
    inventory: float
    funding: float
    hedging: float
    arbitrage: float

    @property
    def total(self) -> float:
        """All causes together: the PnL."""
        causes = (self.spread, self.rebates, self.fees, self.inventory, self.funding)
        return sum(causes) + self.hedging + self.arbitrage

    def __add__(self, other: "PnlAttribution") -> "PnlAttribution":
        """Cause by cause."""
        return PnlAttribution(
            *(getattr(self, f) + getattr(other, f) for f in self.__struct_fields__)
        )


NOTHING: Final = PnlAttribution(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def attribution(track: Track) -> PnlAttribution:
    """A span's PnL by cause. Asserts that the causes add up to the PnL by balances.

    Source: PnL = sum of edges + inventory marked to market - fees + funding, with the mid just before each fill, by the
    purpose of the order that was filled (mmd.core.inventory.attribution).
    """
    samples = track.samples
    if len(samples) == 0:
        return NOTHING
    first, last = samples[0], samples[-1]
    rebates = float(last["rebate"] - first["rebate"])
    fees = 0.0 - float(last["fee"] - first["fee"]) - rebates  # 0, not -0, where there were none
    found = PnlAttribution(
        spread=float(last["edge"] - first["edge"]),
        rebates=rebates,
        fees=fees,
        inventory=float(last["drift"] - first["drift"]),
        funding=float(last["funding"] - first["funding"]),
        hedging=float(last["hedging"] - first["hedging"]),
        arbitrage=float(last["arbitrage"] - first["arbitrage"]),
    )
    scale = 1.0 + sum(abs(float(last[name])) for name in _SUMMED)
    error = found.total - track.pnl
    assert abs(error) <= TOLERANCE * scale, f"PnL identity is off by {error}: parts {found}"
    return found
