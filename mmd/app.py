"""The composition root: makes venues, sessions and journals out of settings."""

import functools
import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from pydantic import BaseModel

from adapters.registry import Adapter, adapter
from mmd.calibration.catalogue import find_preset
from mmd.config import Settings
from mmd.core.engine import Engine
from mmd.core.events import OperatorAction
from mmd.core.instrument import Instrument
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.learned.served_model import ModelSource
from mmd.core.ports import Clock, Venue
from mmd.core.spec import SessionSpec
from mmd.core.trading_day import DayState
from mmd.core.units import ATOMS_PER_UNIT, InstrumentId
from mmd.errors import ConfigError, JournalError
from mmd.exchange.fills.record import queue_model
from mmd.guardian.address import GuardianAddress, parse_address
from mmd.guardian.keeper import LeaseKeeper, LeaseTerms
from mmd.journal.dying_journal import VARIABLE, arm
from mmd.journal.reader import read_spec, sessions_in
from mmd.journal.recovery import Moment, day_state, inventory_targets, last_order_sent
from mmd.journal.scratch import ScratchJournal
from mmd.journal.session_name import next_session, session_name
from mmd.journal.trades_on_record import trades_on_record
from mmd.journal.writer import JournalWriter
from mmd.ops.shared_files import GUARDIAN_FILE
from mmd.session_spec import Beginning, spec_from_settings
from mmd.shell.clock import SystemClock
from mmd.shell.driver import Driver
from mmd.shell.paper_venue import PaperVenue
from mmd.shell.rehearsal import KeepWarm, Rehearsal
from mmd.shell.venue_group import VenueGroup
from mmd.shell.warmup import CompileProgress, compile_progress
from mmd.venue_fields import embedded_addresses
from mmd.venue_settings import venue_settings
from models.live import LiveModels


def compile_kernels(settings: Settings) -> CompileProgress:
    """Compile every kernel that the daemon uses, or load it from the cache."""
    ordinary = Instrument(
        id=InstrumentId(0),
        venue="none",
        symbol="NONE",
        base="BASE",
        quote="QUOTE",
        settle="QUOTE",
        tick_size=Decimal(1),
        lot_size=Decimal(1),
    )
    with compile_progress() as compiled:
        spec = _alone(session_spec(settings, [ordinary], SystemClock()))
        engine = Engine(spec)
        if spec.models.enabled:
            LiveModels(spec).preload()
        Driver(engine, ScratchJournal(), SystemClock())  # its decisions write themselves down
        for name, section in settings.venues.items():
            _adapter(name, section.adapter).compile_kernels(engine.instruments)
    return compiled


def _alone(spec: SessionSpec) -> SessionSpec:
    """The session without what would have to be among its instruments: a leader, instruments to hedge with."""
    return replace(spec, hedge=HedgeSpec(), quoting=replace(spec.quoting, lead=""))


def session_spec(
    settings: Settings, instruments: Sequence[Instrument], clock: Clock
) -> SessionSpec:
    """What a session that begins now is made of."""
    now_ns = clock.unix_ns()
    targets = _carried_targets(settings)
    beginning = Beginning(
        session=next_session(settings.journal.folder, now_ns),
        environment=settings.environment,
        started_unix_ns=now_ns,
        started_monotonic_ns=clock.monotonic_ns(),
        seed=settings.seed,
        is_own_shown=settings.environment != "paper",  # on paper nobody else sees our orders
        target_atoms=tuple(targets.get((i.venue, i.symbol)) for i in instruments),
        day=_carried_day(settings, now_ns, settings.risk.spec().day_starts_s),
        books_early_fills=True,
    )
    return spec_from_settings(settings, instruments, beginning)


def make_venue(settings: Settings, addresses: Sequence[str], clock: Clock) -> Venue:
    """The configured venue, or the group of all of them, not connected yet.

    Args:
        settings: all settings.
        addresses: the embedded exchanges', which then replace the venues' public ones; none elsewhere.
        clock: shared by everything.

    Raises:
        ConfigError: Settings of a venue are not what its adapter expects.
    """
    found = _venue_settings(settings, addresses)
    makers = [
        functools.partial(_venue_at, settings, chosen, name, typed, clock)
        for name, chosen, typed in found
    ]
    return makers[0](0) if len(makers) == 1 else VenueGroup([f[0] for f in found], makers)


def _venue_at(
    settings: Settings,
    chosen: Adapter,
    name: str,
    typed: BaseModel,
    clock: Clock,
    first_instrument: int,
) -> Venue:
    """One venue whose instruments are numbered from here; a paper one where that is the environment."""
    rng = np.random.default_rng((settings.seed, first_instrument))
    venue = chosen.make(name, typed, clock, rng, first_instrument)
    if settings.environment != "paper":
        return venue
    paper = settings.paper
    return PaperVenue(
        venue,
        clock,
        {asset: int(amount * ATOMS_PER_UNIT) for asset, amount in paper.balances.items()},
        queue=queue_model(paper.queue),
        entry_s=paper.entry_ms / 1e3,
        response_s=paper.response_ms / 1e3,
    )


def check(settings: Settings) -> None:
    """Refuse now what would otherwise be found out only after something was started. Raises: ConfigError."""
    _venue_settings(settings, embedded_addresses(settings))
    for name in settings.risk.venues:
        if name not in settings.venues:
            known = ", ".join(settings.venues)
            raise ConfigError(f"risk.venues.{name}: no such venue; expected one of {known}")
    embedded = settings.embedded
    if settings.environment == "embedded":
        try:
            find_preset(embedded.preset)
        except ConfigError as error:
            raise ConfigError(f"embedded.preset = {embedded.preset!r}: {error}") from error


def _venue_settings(
    settings: Settings, addresses: Sequence[str]
) -> list[tuple[str, Adapter, BaseModel]]:
    """Name, adapter and checked settings of each venue. Raises: ConfigError."""
    typed = venue_settings(settings, addresses)
    return [
        (name, _adapter(name, section.adapter), typed[name])
        for name, section in settings.venues.items()
    ]


def _adapter(venue: str, name: str) -> Adapter:
    try:
        return adapter(name)
    except ConfigError as error:
        raise ConfigError(f"venues.{venue}.{error}") from None


def _carried_targets(settings: Settings) -> dict[tuple[str, str], int]:
    """Inventory targets of the previous session; embedded and paper accounts are new each time and have none."""
    if settings.environment in ("embedded", "paper"):
        return {}
    try:
        for session in reversed(sessions_in(settings.journal.folder)):
            if read_spec(session).environment == settings.environment:
                return inventory_targets(session)
    except JournalError as error:
        raise JournalError(
            f"{error}; to start without the previous session's position set journal.folder to a new folder"
        ) from error
    return {}


def _carried_day(settings: Settings, now_ns: int, starts_s: int) -> DayState | None:
    """What the day has come to already; an exchange that is started with us begins a world of its own."""
    if settings.starts_exchange:
        return None
    try:
        sessions = sessions_in(settings.journal.folder)
        return day_state(sessions, now_ns, starts_s, environment=settings.environment)
    except JournalError as error:
        raise JournalError(
            f"{error}; to start without the day's loss so far set journal.folder to a new folder"
        ) from error


def tell_of_earlier_session(
    settings: Settings, venue: Venue, instruments: Sequence[Instrument], clock: Clock
) -> None:
    """Tell a loaded venue when the last session sent its last order, which may still be on its way, and of its trades.

    Raises:
        JournalError: The last session's journal does not verify.
    """
    if settings.starts_exchange or settings.environment == "paper":
        return  # an exchange that is started with us has no past, and orders on paper have none either
    now = Moment(clock.unix_ns(), clock.monotonic_ns())
    sessions = sessions_in(settings.journal.folder)
    if sessions:  # without any, this may be another host, and the venue has to be asked
        sent = last_order_sent(sessions, now, settings.environment)
        venue.expect_stragglers(0 if sent is None else now.monotonic_ns - sent.age_ns(now))
        venue.resume_trades(trades_on_record(sessions, instruments, settings.environment))


def open_journal(settings: Settings, spec: SessionSpec) -> JournalWriter:
    """A new journal for the session, in a folder named by its start. Raises: JournalError."""
    section = settings.journal
    folder = section.folder / session_name(spec.session)
    journal = JournalWriter(
        folder, spec, segment_bytes=section.segment_mib << 20, sync_ns=section.sync_ms * 1_000_000
    )
    if VARIABLE in os.environ:
        arm(journal, os.environ[VARIABLE])
    return journal


def lease_keeper(
    settings: Settings,
    shared: Path | None,
    spec: SessionSpec,
    venue: Venue,
    addresses: Sequence[str],
    driver: Driver,
) -> LeaseKeeper | None:
    """What renews the guardian's lease, and the venues' own switches; None where there is neither. Raises: ConfigError."""
    section = settings.guardian
    if not settings.is_guarded:
        return None
    at = GuardianAddress(path=shared / GUARDIAN_FILE) if shared is not None else None
    token = ""
    if section.address:
        at = parse_address(section.address, "guardian.address")
        token = section.token.get_secret_value()
    if at is None and not venue.switches:
        return None
    halt = functools.partial(driver.operate, OperatorAction.HALT, "guardian silent")
    addresses = tuple(addresses) if settings.starts_exchange else ()
    terms = LeaseTerms(f"{spec.session:08x}", section.lease_s, token, addresses)
    return LeaseKeeper(
        at,
        terms,
        SystemClock(),
        switches=venue.switches,
        out_of_hand=functools.partial(_out_of_hand, driver.engine),
        on_silent=halt if section.required else None,
    )


def _out_of_hand(engine: Engine) -> tuple[str, ...]:
    """The venues where an order may work that we could not take back: order entry is down, or its fate is in doubt."""
    found = {
        m.instrument.venue: None
        for m in engine.makers
        if (not m.is_private_up or m.orders.unknown_count > 0) and sum(m.orders.open_orders) > 0
    }
    return tuple(found)


def rehearsal(
    settings: Settings, driver: Driver, clock: Clock, models: ModelSource | None = None
) -> KeepWarm | None:
    """What keeps the hot path warm; None where nobody wants it, or nothing is quoted."""
    period_s = settings.latency.keep_warm_ms / 1e3
    if period_s == 0.0 or not settings.quoting.enabled:
        return None
    name, section = next(iter(settings.venues.items()))
    shadow = Rehearsal(driver.engine.spec, ScratchJournal(), clock, models)
    stage_at = _adapter(name, section.adapter).stage_at
    return KeepWarm(shadow, driver, period_s, stage_at, spins=settings.latency.spin)


def exchange_arguments(settings: Settings) -> list[str]:
    """The command line of the embedded exchange."""
    embedded = settings.embedded
    arguments = [
        "--host",
        embedded.host,
        "--port",
        str(embedded.port),
        "--seed",
        str(settings.seed),
        "--preset",
        embedded.preset,
        "--speed",
        embedded.speed,
    ]
    if len(settings.venues) > 1:
        arguments += ["--venues", str(len(settings.venues)), "--lag-ms", str(embedded.lag_ms)]
    for tape in embedded.tape:
        arguments += ["--tape", str(tape)]
    if embedded.tape and not settings.quoting.enabled:
        arguments.append("--exit-at-end")
    if embedded.speed != "1" and settings.quoting.enabled:
        raise ConfigError(
            "embedded.speed: a tape that is not served in real time can only be observed; set quoting.enabled=false (or --observe)"
        )
    return arguments
