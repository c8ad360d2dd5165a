"""What settings make of a session: the one place where sections of the settings become parts of an engine's spec.

Live sessions, backtests and simulations all come through here, so that a feature which is switched on is on in each of
them. They differ in what they state about their beginning, and in nothing else.
"""

from collections.abc import Sequence
from importlib.metadata import version

import msgspec

from mmd.config import Settings
from mmd.core.instrument import Instrument
from mmd.core.spec import SCHEMA, SessionSpec
from mmd.core.trading_day import DayState


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """How a session begins: what follows from where and when it runs, not from how it is to trade.

    Fields are those of SessionSpec, but for what is said of them here.
    """

    session: int
    environment: str
    started_unix_ns: int
    started_monotonic_ns: int
    seed: int
    is_own_shown: bool
    """Whether the market data contain our own orders, which the settings may then have taken out."""
    target_atoms: tuple[int | None, ...] | None = None
    """None: of no instrument is there an earlier session's."""
    day: DayState | None = None
    books_early_fills: bool = False


def spec_from_settings(
    settings: Settings, instruments: Sequence[Instrument], beginning: Beginning
) -> SessionSpec:
    """Everything that an engine is built from."""
    targets = beginning.target_atoms
    return SessionSpec(
        schema=SCHEMA,
        version=version("mmd"),
        session=beginning.session,
        environment=beginning.environment,
        started_unix_ns=beginning.started_unix_ns,
        started_monotonic_ns=beginning.started_monotonic_ns,
        seed=beginning.seed,
        instruments=tuple(instruments),
        target_atoms=(None,) * len(instruments) if targets is None else targets,
        day=beginning.day,
        book_shows_own=beginning.is_own_shown and settings.construction.own_orders_removed,
        quoting=settings.quoting.spec(),
        risk=settings.risk.spec(),
        adverse=settings.adverse_selection.spec(),
        construction=settings.construction.spec(),
        arbitrage=settings.arbitrage.spec(),
        inventory=settings.inventory.spec(),
        hedge=settings.hedge.spec(),
        models=settings.models.spec(settings.quoting),
        books_early_fills=beginning.books_early_fills,
    )
