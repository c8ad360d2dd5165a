"""The session of a simulated run: the live session's settings on a made-up instrument and clock."""

from decimal import Decimal
from importlib.metadata import version

import msgspec

from mmd.config import Settings
from mmd.core.instrument import Instrument
from mmd.core.spec import SCHEMA, SessionSpec
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND
from mmd.exchange.default_instrument import synthetic_instrument
from mmd.exchange.presets import FlowPreset

START_NS = 1_767_225_600 * NANOS_PER_SECOND
"""2026-01-01T00:00:00Z: every simulated world begins then."""
_SESSION = 1
_AMENDS_MAX = 10


def simulated_instrument(
    preset: FlowPreset, venue: str, maker_fee_bps: float, taker_fee_bps: float, number: int = 0
) -> Instrument:
    """A pair on the preset's grid, with the rules of the embedded exchange."""
    made_up = synthetic_instrument("MMDUSDT", venue, maker_fee_bps, taker_fee_bps, number)
    return msgspec.structs.replace(
        made_up,
        tick_size=preset.tick_size,
        lot_size=preset.lot_size,
        amends_max=_AMENDS_MAX,
    )


def simulated_spec(
    settings: Settings, instruments: tuple[Instrument, ...], seed: int
) -> SessionSpec:
    """A session that begins with the world; engine time is the world's time since 1970."""
    return SessionSpec(
        schema=SCHEMA,
        version=version("mmd"),
        session=_SESSION,
        environment="simulation",
        started_unix_ns=START_NS,
        started_monotonic_ns=START_NS,
        seed=seed,
        instruments=instruments,
        target_atoms=(None,) * len(instruments),
        quoting=settings.quoting.spec(),
        risk=settings.risk.spec(),
        book_shows_own=settings.construction.own_orders_removed,
        construction=settings.construction.spec(),
        arbitrage=settings.arbitrage.spec(),
        inventory=settings.inventory.spec(),
        hedge=settings.hedge.spec(),
    )


def opening_balances(instrument: Instrument, price: float, position_max: Decimal) -> dict[str, int]:
    """Atoms that an account starts with: twice the position limit in quote, and as much base as that buys."""
    quote = 2 * position_max
    return {
        instrument.base: int(quote / Decimal(price) * ATOMS_PER_UNIT),
        instrument.quote: int(quote * ATOMS_PER_UNIT),
    }
