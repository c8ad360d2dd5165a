"""What a backtest's session is made of: the live session's settings on the tape's instrument and clock."""

from decimal import Decimal

import msgspec
import numpy as np

from mmd.backtest.settings import BacktestSettings
from mmd.config import Settings
from mmd.core.instrument import Instrument
from mmd.core.market.record import PARTIAL
from mmd.core.spec import SessionSpec
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND, SESSION_MAX, InstrumentId
from mmd.errors import ConfigError, TapeError
from mmd.exchange.fills.fee_tiers import with_fees
from mmd.session_spec import Beginning, spec_from_settings
from mmd.tape.format import EMPTY
from mmd.tape.reader import Tape


def backtest_instrument(tape: Tape, settings: BacktestSettings) -> Instrument:
    """The tape's instrument as the session's only one."""
    instrument = msgspec.structs.replace(tape.header.instrument, id=InstrumentId(0))
    return instrument if settings.fees is None else with_fees(instrument, settings.fees)


def backtest_spec(
    settings: Settings, instrument: Instrument, started_ns: int, seed: int
) -> SessionSpec:
    """A session that begins at started_ns of the tape; engine time is the tape's time since 1970."""
    beginning = Beginning(
        session=started_ns // NANOS_PER_SECOND % SESSION_MAX,
        environment="backtest",
        started_unix_ns=started_ns,
        started_monotonic_ns=started_ns,
        seed=seed,
        is_own_shown=False,
    )
    return spec_from_settings(settings, (instrument,), beginning)


def starting_balances(
    tape: Tape, instrument: Instrument, wanted: dict[str, Decimal], position_max: Decimal
) -> dict[str, int]:
    """Atoms of base and quote that the account starts with.

    Raises:
        ConfigError: An asset that is neither.
        TapeError: The tape has no price to size the default by.
    """
    both = (instrument.base, instrument.quote)
    for asset in wanted:
        if asset not in both:
            raise ConfigError(f"balance {asset}: expected {' or '.join(both)}")
    held = {asset: int(qty * ATOMS_PER_UNIT) for asset, qty in wanted.items()}
    if not held:
        price = instrument.price(_first_price_ticks(tape))
        quote = 2 * position_max
        held = {
            instrument.base: int(quote / price * ATOMS_PER_UNIT),
            instrument.quote: int(quote * ATOMS_PER_UNIT),
        }
    return {asset: held.get(asset, 0) for asset in both}


def _first_price_ticks(tape: Tape) -> int:
    """A price near which the tape begins: the middle one of its first frames. Raises: TapeError."""
    for rows in tape.batches():
        named = (rows["kind"] <= PARTIAL) & ((rows["flags"] & EMPTY) == 0) & (rows["qty_lots"] > 0)
        prices = rows["price_ticks"][named][:2_000]
        if len(prices):
            return max(int(np.median(prices)), 1)
    raise TapeError(
        f"{tape.path}: expected book or trade frames, found none; nothing can be traded on it"
    )
