"""Which decision of a session is meant: by engine time, by UTC, by an order that it sent, or simply the last."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from mmd.analytics.quote_explanation import Before, Explanation, explanations
from mmd.core.commands import Command, PlaceOrder, ReplaceOrder
from mmd.core.engine import Engine
from mmd.core.events import Decision
from mmd.core.spec import SessionSpec
from mmd.core.units import NANOS_PER_SECOND, ClientOrderId
from mmd.errors import ConfigError, JournalError
from mmd.journal.format import Kind, Record, command_decoder, event_decoder
from mmd.journal.reader import records
from mmd.journal.replay import replay
from models.serving import models_of

_DAY_NS = 86_400 * NANOS_PER_SECOND


class Moment(NamedTuple):
    """A decision in the journal."""

    sequence: int
    number: int
    commands: tuple[Command, ...]


def engine_time(text: str, spec: SessionSpec) -> int:
    """A time as engine nanoseconds: an integer (of either clock), or UTC as 2026-01-01T12:00:00.5Z or 12:00:00.5.

    Raises:
        ConfigError: It is neither.
    """
    offset_ns = spec.started_unix_ns - spec.started_monotonic_ns
    if text.isdecimal():
        value = int(text)
        return value - offset_ns if value >= spec.started_unix_ns else value
    try:
        return _unix_ns(text, spec.started_unix_ns) - offset_ns
    except ValueError:
        raise ConfigError(
            f"{text!r}: expected `last`, a time (engine nanoseconds, 2026-01-01T12:00:00.5Z or 12:00:00.5 UTC) "
            "or a client order id as the venue shows it"
        ) from None


def _unix_ns(text: str, started_unix_ns: int) -> int:
    """A time of day is the first such at or after the session's start."""
    if "T" in text or "-" in text:
        moment = datetime.fromisoformat(text)
        at = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        whole = int(at.replace(microsecond=0).timestamp())
        return whole * NANOS_PER_SECOND + at.microsecond * 1_000
    of_day = time.fromisoformat(text)
    seconds = (of_day.hour * 60 + of_day.minute) * 60 + of_day.second
    since_ns = seconds * NANOS_PER_SECOND + of_day.microsecond * 1_000
    wanted = started_unix_ns - started_unix_ns % _DAY_NS + since_ns
    return wanted if wanted >= started_unix_ns - NANOS_PER_SECOND else wanted + _DAY_NS


def find_at(folder: Path, engine_ns: int) -> Moment:
    """The last decision at or before a time. Raises: JournalError if there is none."""
    found = None
    for event_ns, moment in _moments(folder):
        if event_ns > engine_ns:
            break
        found = moment
    if found is None:
        raise JournalError(f"{folder}: no decision was taken at or before engine time {engine_ns}")
    return found


def find_order(folder: Path, number: ClientOrderId) -> Moment:
    """The decision that sent an order. Raises: JournalError if none did."""
    for _, moment in _moments(folder):
        for command in moment.commands:
            if isinstance(command, PlaceOrder | ReplaceOrder) and command.client_order_id == number:
                return moment
    raise JournalError(
        f"{folder}: order {number:x} was not sent in this session; "
        "mmd journal show --kind PlaceOrder --kind ReplaceOrder lists what was"
    )


def find_last(folder: Path) -> Moment:
    """The last decision that sent a new order. Raises: JournalError if none did."""
    found = None
    for _, moment in _moments(folder):
        if any(isinstance(command, PlaceOrder | ReplaceOrder) for command in moment.commands):
            found = moment
    if found is None:
        raise JournalError(f"{folder}: no order was sent in this session; name a time instead")
    return found


def explain(folder: Path, moment: Moment) -> list[Explanation]:
    """Replay a session up to a decision and explain it, instrument by instrument.

    Raises:
        JournalError: The journal does not verify, or this version decides otherwise than the recorded one did.
    """
    before: list[Before] = []

    def observe(engine: Engine, record: Record) -> None:
        if record.sequence < moment.sequence:
            before[:] = [Before.of(engine)]

    result = replay(folder, observe, until=moment.sequence, models=models_of(folder))
    if result.divergence is not None:
        raise JournalError(
            f"{folder.name} record {result.divergence.record.sequence}: this version decides otherwise than the "
            "recorded one did; explain with the version that recorded it"
        )
    assert before, "a decision is never the first record"
    texts = tuple(_described(command) for command in moment.commands)
    return explanations(result.engine, before[0], moment.number, texts)


def _described(command: Command) -> str:
    """A command in words: its kind, then each field but the instrument; ids in hex."""
    fields = []
    for name in command.__struct_fields__[1:]:
        value = getattr(command, name)
        if name.endswith("_id"):
            fields.append(f"{name} {value:x}")
        else:
            fields.append(value.name if isinstance(value, IntEnum) else f"{name} {value}")
    return f"{type(command).__name__} {', '.join(fields)}"


def _moments(folder: Path) -> Iterator[tuple[int, Moment]]:
    """Every decision with its time and what it sent."""
    sequence = number = event_ns = 0
    commands: list[Command] = []
    for record in records(folder):
        if record.kind is Kind.COMMAND:
            commands.append(command_decoder.decode(record.body))
            continue
        if number > 0:
            yield event_ns, Moment(sequence, number, tuple(commands))
        number, commands = 0, []
        if record.kind is Kind.EVENT:
            event = event_decoder.decode(record.body)
            if isinstance(event, Decision):
                sequence, number, event_ns = record.sequence, event.number, event.ts_recv_ns
    if number > 0:
        yield event_ns, Moment(sequence, number, tuple(commands))
