"""The session of a simulated run: the live session's settings on a made-up instrument and clock."""

from decimal import Decimal

import msgspec

from mmd.config import Settings
from mmd.core.instrument import Instrument
from mmd.core.learned.served_model import ModelShelf
from mmd.core.spec import SessionSpec
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND
from mmd.exchange.default_instrument import synthetic_instrument
from mmd.exchange.presets import FlowPreset
from mmd.session_spec import Beginning, spec_from_settings
from models.serving import champions_for

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
    beginning = Beginning(
        session=_SESSION,
        environment="simulation",
        started_unix_ns=START_NS,
        started_monotonic_ns=START_NS,
        seed=seed,
        is_own_shown=True,
        books_early_fills=True,
    )
    return spec_from_settings(settings, instruments, beginning)


def simulated_models(spec: SessionSpec) -> ModelShelf | None:
    """The champions of the session, for all of its instruments, which bear one symbol; None where it uses none.

    Raises:
        ArtefactError: One that is damaged, or made for something else.
    """
    return champions_for(spec, spec.instruments[0]) if spec.models.enabled else None


def opening_balances(instrument: Instrument, price: float, position_max: Decimal) -> dict[str, int]:
    """Atoms that an account starts with: twice the position limit in quote, and as much base as that buys."""
    quote = 2 * position_max
    return {
        instrument.base: int(quote / Decimal(price) * ATOMS_PER_UNIT),
        instrument.quote: int(quote * ATOMS_PER_UNIT),
    }
