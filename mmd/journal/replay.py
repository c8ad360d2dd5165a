"""Feeds a recorded session to a fresh engine and compares what it commands, byte by byte."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from mmd.core.engine import Engine
from mmd.core.events import Decision
from mmd.core.learned.served_model import ModelSource
from mmd.core.market.record import MARKET, packed_view, unpack
from mmd.errors import JournalError
from mmd.jit.kernel import bind, new
from mmd.journal.format import Kind, Record, encoder, event_decoder, spec_decoder
from mmd.journal.reader import records


class Divergence(NamedTuple):
    """The first place at which a replay commands something else than the recorded session did."""

    record: Record
    recorded: bytes | None
    replayed: bytes | None


class ReplayResult(NamedTuple):
    """What a replay did."""

    engine: Engine
    events: int
    commands: int
    divergence: Divergence | None


def replay(
    folder: Path,
    observer: Callable[[Engine, Record], None] | None = None,
    until: int | None = None,
    models: ModelSource | None = None,
) -> ReplayResult:
    """Replay a session; stops at the first divergence.

    Args:
        folder: The session's folder.
        observer: Called after each market record and event was applied.
        until: Sequence number of the last record to be applied; None for all.
        models: Where to find the models that the session quoted with; None: it did without.

    Raises:
        JournalError: The journal does not verify, or has no header.
        ArtefactError: A model that the session quoted with is not found.
    """
    stream = records(folder)
    head = next(stream, None)
    if head is None or head.kind is not Kind.HEADER:
        raise JournalError(f"{folder}: expected a header as the first record; this is no session")
    if until is not None:
        stream = itertools.takewhile(lambda record: record.sequence <= until, stream)
    return _Replay(Engine(spec_decoder.decode(head.body), models), observer).run(stream)


class _Replay:
    """Commands that the engine gave and the journal has not shown yet stand in `_expected`."""

    def __init__(self, engine: Engine, observer: Callable[[Engine, Record], None] | None) -> None:
        self._engine = engine
        self._observer = observer
        self._market = new(MARKET)
        self._view = packed_view(self._market)
        self._unpack = bind(unpack, self._market, 0)
        self._expected: list[bytes] = []

    def run(self, stream: Iterator[Record]) -> ReplayResult:
        """Apply record after record."""
        events = commands = 0
        divergence = None
        for record in stream:
            if record.kind is Kind.COMMAND:
                commands += 1
                divergence = self._compare(record)
            elif record.kind is not Kind.HEADER:
                events += 1
                divergence = self._apply(record)
            if divergence is not None:
                break
        return ReplayResult(self._engine, events, commands, divergence)

    def _compare(self, record: Record) -> Divergence | None:
        replayed = self._expected.pop(0) if self._expected else None
        return None if replayed == record.body else Divergence(record, record.body, replayed)

    def _apply(self, record: Record) -> Divergence | None:
        if self._expected:
            return Divergence(record, None, self._expected[0])
        if record.kind is Kind.MARKET:
            self._view[: len(record.body)] = record.body
            if self._unpack(self._market, len(record.body)):
                raise JournalError(
                    f"{record.segment} offset {record.offset}: market record is malformed"
                )
            self._engine.apply_market(self._market)
        else:
            event = event_decoder.decode(record.body)
            if isinstance(event, Decision):
                self._expected = [encoder.encode(a.command) for a in self._engine.decide(event)]
            else:
                self._engine.apply(event)
        if self._observer is not None:
            self._observer(self._engine, record)
        return None
