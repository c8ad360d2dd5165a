"""What a user can say about data that does not say it, and the instrument that follows."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec

from mmd.core.instrument import Instrument, Kind
from mmd.core.units import InstrumentId


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """None: take it from the data, or the format's usual."""

    venue: str | None = None
    symbol: str | None = None
    base: str | None = None
    quote: str | None = None
    kind: Kind | None = None
    tick: Decimal | None = None
    lot: Decimal | None = None
    day: date | None = None
    """Of formats whose times count from midnight and whose file names do not tell."""
    command: str = ""


def found_instrument(
    venue: str,
    symbol: str,
    base: str,
    quote: str,
    tick: Decimal,
    lot: Decimal,
    kind: Kind = Kind.SPOT,
) -> Instrument:
    """An instrument by what a source's files say of it."""
    return Instrument(
        id=InstrumentId(0),
        venue=venue,
        symbol=symbol,
        base=base,
        quote=quote,
        settle=base if kind is Kind.INVERSE else quote,
        kind=kind,
        tick_size=tick.normalize(),
        lot_size=lot.normalize(),
    )


def as_told(options: ImportOptions, found: Instrument) -> Instrument:
    """The instrument of a tape: what the options say, else what was found."""
    told = found_instrument(
        options.venue or found.venue,
        options.symbol or found.symbol,
        options.base or found.base,
        options.quote or found.quote,
        options.tick or found.tick_size,
        options.lot or found.lot_size,
        found.kind if options.kind is None else options.kind,
    )
    return msgspec.structs.replace(told, contract_size=found.contract_size)
