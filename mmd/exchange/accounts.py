"""Balances in integer atoms (1e-8 of an asset): what is free, what orders lock, what trades move.

Rounding: the value of a trade in quote atoms is rounded down to the atom for both sides; a commission is
taken from what is received, at rate * amount rounded towards zero. Nothing else rounds, so the sum over
accounts, the strangers they traded with, and the exchange's fees never changes.
"""

from fractions import Fraction

from mmd.core.instrument import Instrument
from mmd.core.units import ATOMS_PER_UNIT, Side
from mmd.exchange.refusals import Refusal, Refused

RATE_UNITS = 10**8
"""Commission rates are integers of 1e-8; one basis point is 10_000."""


def rate_of_bps(bps: float) -> int:
    """Basis points as an integer rate; anything finer than 1e-8 is rounded."""
    return round(bps * (RATE_UNITS // 10_000))


def commission_atoms(amount_atoms: int, rate: int) -> int:
    """Commission on an amount received, rounded towards zero; negative for a rebate."""
    magnitude = amount_atoms * abs(rate) // RATE_UNITS
    return magnitude if rate >= 0 else -magnitude


class TradeValue:
    """Exact conversion of an instrument's ticks and lots to atoms of its two assets."""

    __slots__ = ("_quote_den", "_quote_num", "atoms_per_lot")

    def __init__(self, instrument: Instrument) -> None:
        self.atoms_per_lot = instrument.atoms_per_lot
        per_ticklot = Fraction(instrument.notional_per_ticklot) * ATOMS_PER_UNIT
        self._quote_num = per_ticklot.numerator
        self._quote_den = per_ticklot.denominator

    @property
    def quote_atoms_per_ticklot(self) -> tuple[int, int]:
        """What a tick times a lot is worth, as numerator and denominator."""
        return self._quote_num, self._quote_den

    def quote_atoms(self, ticklots: int) -> int:
        """Quote atoms of a price in ticks times a quantity in lots, rounded down."""
        return ticklots * self._quote_num // self._quote_den

    def ticklots(self, quote_atoms: int) -> Fraction:
        """Ticks times lots that an amount of quote is worth, exactly."""
        return Fraction(quote_atoms * self._quote_den, self._quote_num)

    def base_atoms(self, qty_lots: int) -> int:
        """Base atoms of a quantity."""
        return qty_lots * self.atoms_per_lot


class Account:
    """Free and locked atoms by asset; accounts of one trade group do not trade with each other."""

    def __init__(self, name: str, balances: dict[str, int], trade_group: int = -1) -> None:
        self.name = name
        self.trade_group = trade_group
        self.free = dict(balances)
        self.locked = dict.fromkeys(balances, 0)
        self.ts_updated_ns = 0

    def total(self, asset: str) -> int:
        """Free plus locked atoms."""
        return self.free.get(asset, 0) + self.locked.get(asset, 0)

    def lock(self, asset: str, atoms: int) -> None:
        """Set atoms aside. Raises: Refused if fewer are free."""
        if self.free.get(asset, 0) < atoms:
            raise Refused(Refusal.INSUFFICIENT_BALANCE)
        self.free[asset] = self.free.get(asset, 0) - atoms
        self.locked[asset] = self.locked.get(asset, 0) + atoms

    def unlock(self, asset: str, atoms: int) -> None:
        """Give atoms back that `lock` set aside."""
        assert self.locked.get(asset, 0) >= atoms, "unlocked more than was locked"
        self.locked[asset] -= atoms
        self.free[asset] += atoms

    def pay_locked(self, asset: str, atoms: int) -> None:
        """Hand over atoms that `lock` set aside."""
        assert self.locked.get(asset, 0) >= atoms, "paid more than was locked"
        self.locked[asset] -= atoms

    def receive(self, asset: str, atoms: int) -> None:
        """Add atoms to what is free; negative atoms take them."""
        self.free[asset] = self.free.get(asset, 0) + atoms


def lock_of(value: TradeValue, side: Side, ticklots: int, qty_lots: int) -> int:
    """Atoms that an order must set aside: quote for a buy, base for a sell."""
    return value.quote_atoms(ticklots) if side == Side.BUY else value.base_atoms(qty_lots)
