"""What instruments share: exposure limits of a venue, an asset and the session, and funds that others have locked.

Each instrument states its worst cases (inventory and every order of one side filled), valued in the reporting
currency at the mids of now; sums by scope are kept by difference, in integers, so that they never drift. Values
are estimates for limits, never accounts. Orders are counted when the instrument states them, which it does
after its own decision and with every event about an order; prices follow ten times a second.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from mmd.core.instrument import Instrument
from mmd.core.risk.view import UNLIMITED_LOTS
from mmd.core.spec import RiskSpec
from mmd.core.units import ATOMS_PER_UNIT
from mmd.errors import ConfigError

_NOTHING_ROOM = (0, 0)
_ALL_ROOM = (UNLIMITED_LOTS, UNLIMITED_LOTS)


class Conversion(NamedTuple):
    """Which instrument's mid turns a quote currency into the reporting currency; None where it is that."""

    instrument: int | None = None
    is_inverse: bool = False


class Scope:
    """One venue, asset or the whole session, with its limits in atoms of the reporting currency.

    Attributes:
        gross_atoms: sum over instruments of the larger worst case, either way.
        long_atoms, short_atoms: net worst cases, all buys or all sells filled; short_atoms is positive when
            that leaves the scope short.
    """

    __slots__ = ("gross_atoms", "gross_max", "long_atoms", "name", "net_max", "short_atoms")

    def __init__(self, name: str, gross_max: Decimal | None, net_max: Decimal | None) -> None:
        self.name = name
        self.gross_max = None if gross_max is None else int(gross_max * ATOMS_PER_UNIT)
        self.net_max = None if net_max is None else int(net_max * ATOMS_PER_UNIT)
        self.gross_atoms = self.long_atoms = self.short_atoms = 0

    @property
    def net_atoms(self) -> int:
        """The larger net worst case, either way."""
        return max(self.long_atoms, self.short_atoms)

    def headroom(self) -> dict[str, float]:
        """Share of each limit of this scope that is free."""
        used = {"gross": (self.gross_atoms, self.gross_max), "net": (self.net_atoms, self.net_max)}
        return {
            f"{self.name}_{kind}": 1.0 - atoms / limit
            for kind, (atoms, limit) in used.items()
            if limit is not None
        }


class _Stated:
    """One instrument's share of the sums."""

    __slots__ = ("base_locked", "gross", "long", "quote_locked", "short")

    def __init__(self) -> None:
        self.long = self.short = self.gross = self.base_locked = self.quote_locked = 0


class Commitments:
    """Sums over the instruments of a session.

    Attributes:
        reporting: the reporting currency.
        total, scopes: the whole session, and every scope including it.
    """

    def __init__(
        self, instruments: Sequence[Instrument], risk: RiskSpec, *, observes: bool = False
    ) -> None:
        """Nothing is held.

        Raises:
            ConfigError: a quote currency that no instrument of the session converts, unless it only observes.
        """
        self.reporting = risk.reporting_currency or instruments[0].quote
        self.total = Scope("exposure", risk.exposure_gross_max, risk.exposure_net_max)
        venues = {
            i.venue: Scope("venue", risk.venue_gross_max, risk.venue_net_max) for i in instruments
        }
        assets = {
            i.base: Scope("asset", risk.asset_gross_max, risk.asset_net_max) for i in instruments
        }
        self.scopes = [self.total, *venues.values(), *assets.values()]
        self.is_limited = any(s.gross_max is not None or s.net_max is not None for s in self.scopes)
        self._scopes_of = [(self.total, venues[i.venue], assets[i.base]) for i in instruments]
        self._instruments = instruments
        self._conversions = [
            None if observes else conversion(i, instruments, self.reporting) for i in instruments
        ]
        self._per_half_tick = [float(i.tick_size) / 2 for i in instruments]
        self._lot_base = [float(i.lot_size * i.contract_size) for i in instruments]
        self._atoms_per_ticklot = [
            (Fraction(i.notional_per_ticklot) * ATOMS_PER_UNIT).as_integer_ratio()
            for i in instruments
        ]
        self._atoms_per_lot = [i.atoms_per_lot for i in instruments]
        self._is_alone = len(instruments) == 1
        self._mid_half_ticks = [0] * len(instruments)
        self._lot_atoms: list[float | None] = [None] * len(instruments)
        self._stated = [_Stated() for _ in instruments]
        self._locked: dict[tuple[str, str], int] = {}
        self.version = 0
        """Grows with all that room_lots and others_locked depend on."""

    def on_mid(self, instrument: int, mid_half_ticks: int) -> None:
        """Take an instrument's mid; valued with it from the next `revalue` on."""
        self._mid_half_ticks[instrument] = mid_half_ticks

    def revalue(self) -> None:
        """Value a lot of each instrument at the mids of now."""
        for at, conversion_ in enumerate(self._conversions):
            rate = self.rate(conversion_)
            mid = self._mid_half_ticks[at] * self._per_half_tick[at]
            worth = mid * self._lot_base[at] * ATOMS_PER_UNIT
            self._lot_atoms[at] = None if rate is None or mid == 0.0 else worth * rate
        self.version += 1

    def rate(self, by: Conversion | None) -> float | None:
        """Reporting currency for one unit of a quote currency; None while there is no price for it."""
        if by is None:
            return None
        if by.instrument is None:
            return 1.0
        mid = self._mid_half_ticks[by.instrument] * self._per_half_tick[by.instrument]
        if mid == 0.0:
            return None
        return 1.0 / mid if by.is_inverse else mid

    def rate_of(self, instrument: int) -> float | None:
        """Reporting currency for one unit of an instrument's quote currency."""
        return self.rate(self._conversions[instrument])

    def lot_atoms(self, instrument: int) -> float | None:
        """What a lot was worth at the last `revalue`, in atoms of the reporting currency; None without a price."""
        return self._lot_atoms[instrument]

    def state(
        self,
        instrument: int,
        position_lots: int,
        open_lots: Sequence[int],
        open_ticklots: Sequence[int],
    ) -> None:
        """Replace an instrument's share: its inventory, and what all its orders would buy and sell and have locked."""
        share = self._stated[instrument]
        priced = self._lot_atoms[instrument]
        lot_atoms = 0.0 if priced is None else priced
        long_atoms = int((position_lots + open_lots[0]) * lot_atoms)
        short_atoms = int((open_lots[1] - position_lots) * lot_atoms)
        gross_atoms = max(abs(long_atoms), abs(short_atoms))
        if (long_atoms, short_atoms) != (share.long, share.short):  # gross follows from both
            for scope in self._scopes_of[instrument]:
                scope.long_atoms += long_atoms - share.long
                scope.short_atoms += short_atoms - share.short
                scope.gross_atoms += gross_atoms - share.gross
            share.long, share.short, share.gross = long_atoms, short_atoms, gross_atoms
        self.version += 1
        if not self._is_alone:
            self._lock(instrument, share, open_lots[1], open_ticklots[0])

    def room_lots(self, instrument: int, position_lots: int) -> tuple[int, int]:
        """By side, what all orders of an instrument may come to with the others as they are stated."""
        if not self.is_limited:
            return _ALL_ROOM
        lot_atoms = self._lot_atoms[instrument]
        if lot_atoms is None:
            return _NOTHING_ROOM
        share = self._stated[instrument]
        long_max = short_max = math.inf
        for scope in self._scopes_of[instrument]:
            if scope.gross_max is not None:
                gross = scope.gross_max - (scope.gross_atoms - share.gross)
                long_max, short_max = min(long_max, gross), min(short_max, gross)
            if scope.net_max is not None:
                long_max = min(long_max, scope.net_max - (scope.long_atoms - share.long))
                short_max = min(short_max, scope.net_max - (scope.short_atoms - share.short))
        bought, sold = (
            UNLIMITED_LOTS if limit == math.inf else math.floor(limit / lot_atoms)
            for limit in (long_max, short_max)
        )
        return bought - position_lots, sold + position_lots

    def others_locked(self, instrument: int) -> tuple[int, int]:
        """Base and quote atoms of the instrument's venue that orders of other instruments lock."""
        at, share = self._instruments[instrument], self._stated[instrument]
        base = self._locked.get((at.venue, at.base), 0) - share.base_locked
        quote = self._locked.get((at.venue, at.quote), 0) - share.quote_locked
        return base, quote

    def _lock(self, instrument: int, share: _Stated, sold_lots: int, bought_ticklots: int) -> None:
        at = self._instruments[instrument]
        atoms, ticklots = self._atoms_per_ticklot[instrument]
        base = sold_lots * self._atoms_per_lot[instrument]
        quote = -(-bought_ticklots * atoms // ticklots)
        for asset, more in (
            (at.base, base - share.base_locked),
            (at.quote, quote - share.quote_locked),
        ):
            self._locked[at.venue, asset] = self._locked.get((at.venue, asset), 0) + more
        share.base_locked, share.quote_locked = base, quote


def conversion(
    instrument: Instrument, instruments: Sequence[Instrument], reporting: str
) -> Conversion:
    """How an instrument's quote currency becomes the reporting currency.

    Raises:
        ConfigError: by none of the session's instruments.
    """
    if instrument.quote == reporting:
        return Conversion()
    for at, other in enumerate(instruments):
        if (other.base, other.quote) == (instrument.quote, reporting):
            return Conversion(at)
        if (other.base, other.quote) == (reporting, instrument.quote):
            return Conversion(at, is_inverse=True)
    raise ConfigError(
        f"risk.reporting_currency {reporting}: {instrument.symbol} is quoted in {instrument.quote}, expected an "
        f"instrument between the two to convert by, found none: add one or change the reporting currency"
    )
