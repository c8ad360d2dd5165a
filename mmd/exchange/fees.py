"""Commissions: at a maker's or taker's rate, in the asset received or, cheaper, in a third one.

Source: Binance spot API, commission_faq.md.
"""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec

from mmd.core.instrument import Instrument
from mmd.exchange.accounts import Account, commission_atoms, rate_of_bps


class FeeDiscount(msgspec.Struct, frozen=True, kw_only=True):
    """Pay commissions in `asset`, of which one unit is worth `price` of quote, at `ratio` of the rate.

    An account that does not hold enough of it pays the full rate in what it received.
    """

    asset: str
    price: Decimal
    ratio: Decimal = Decimal("0.75")


class Commission(NamedTuple):
    """What an account pays for a fill; negative atoms are a rebate."""

    asset: str
    atoms: int


class FeeSchedule:
    """Commission of fills in one market; `maker_rate` and `taker_rate` are integers of 1e-8."""

    def __init__(self, instrument: Instrument, discount: FeeDiscount | None) -> None:
        self.maker_rate = rate_of_bps(instrument.maker_fee_bps)
        self.taker_rate = rate_of_bps(instrument.taker_fee_bps)
        self.discount = discount

    def rate(self, *, is_maker: bool) -> int:
        """The rate of a side of a trade, before any discount."""
        return self.maker_rate if is_maker else self.taker_rate

    def charge(
        self, account: Account, received: Commission, quote_atoms: int, *, is_maker: bool
    ) -> Commission:
        """What a fill costs.

        Args:
            account: Who was filled.
            received: Asset and atoms that the fill brings.
            quote_atoms: What the fill is worth.
            is_maker: Whether the order rested.
        """
        rate = self.rate(is_maker=is_maker)
        if self.discount is not None and rate > 0:
            atoms = _discounted(self.discount, quote_atoms, rate)
            if account.free.get(self.discount.asset, 0) >= atoms:
                return Commission(self.discount.asset, atoms)
        return Commission(received.asset, commission_atoms(received.atoms, rate))


def _discounted(discount: FeeDiscount, quote_atoms: int, rate: int) -> int:
    worth = Fraction(quote_atoms) / Fraction(discount.price) * Fraction(discount.ratio)
    return commission_atoms(int(worth), rate)
