"""The whole life of an order, from its journal: every request, answer and state, and what its fills were worth later."""

from pathlib import Path

import msgspec

from mmd.analytics.quote_explanation import iso_time
from mmd.core.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.engine import Engine
from mmd.core.events import Fill
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.maker import Maker
from mmd.core.spec import SessionSpec
from mmd.core.units import NANOS_PER_SECOND, ClientOrderId
from mmd.errors import JournalError
from mmd.journal.format import Kind, Record, command_decoder, event_decoder
from mmd.journal.reader import records
from mmd.journal.replay import replay
from models.serving import models_of


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to the order, and its state right after."""

    engine_ns: int
    time: str
    what: str
    state: str
    filled_lots: int


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fill and the mid before and after it; markouts in ticks per lot, before fees, positive is good."""

    time: str
    price_ticks: int
    qty_lots: int
    is_maker: bool
    fee_atoms: int
    fee_asset: str
    edge_ticks: float
    markout_ticks: dict[str, float]
    """By horizon, those that have passed."""


class OrderLife(msgspec.Struct, frozen=True, kw_only=True):
    """One order."""

    client_order_id: str
    venue_order_id: int | None
    symbol: str
    side: str
    level: int
    purpose: str
    price_ticks: int
    qty_lots: int
    steps: tuple[Step, ...]
    fills: tuple[FillRow, ...]


def order_life(folder: Path, spec: SessionSpec, number: ClientOrderId) -> OrderLife:
    """Replay the session and follow one order.

    Raises:
        JournalError: No such order was sent in this session.
    """
    watch = _Watch(spec, number, _requests(folder, number))
    replay(folder, watch.observe, models=models_of(folder))
    return watch.life(folder)


def _requests(folder: Path, number: ClientOrderId) -> dict[int, list[str]]:
    """Commands about the order by the sequence number of the decision that they came from."""
    found: dict[int, list[str]] = {}
    decision = 0
    for record in records(folder):
        if record.kind is Kind.COMMAND:
            command = command_decoder.decode(record.body)
            what = _request(command, number)
            if what:
                found.setdefault(decision, []).append(what)
        elif record.kind is Kind.EVENT:
            decision = record.sequence
    return found


def _request(command: Command, number: ClientOrderId) -> str:
    match command:
        case PlaceOrder(client_order_id=n) if n == number:
            return f"sent: {command.tif.name.lower()}"
        case ReplaceOrder(client_order_id=n, cancel_id=old) if n == number:
            return f"sent: replaces {old:x}"
        case ReplaceOrder(cancel_id=n, client_order_id=new) if n == number:
            return f"cancel sent: replaced by {new:x}"
        case CancelOrder(client_order_id=n) if n == number:
            return "cancel sent"
        case AmendOrder(client_order_id=n) if n == number:
            return f"amend sent: {command.qty_lots} lots"
        case QueryOrder(client_order_id=n) if n == number:
            return "query sent"
        case _:
            return ""


class _PendingFill:
    """A fill whose horizons have not all passed."""

    def __init__(self, fill: Fill, time: str, now_ns: int, mid_ticks: float) -> None:
        self.fill, self.time, self.now_ns, self.mid_ticks = fill, time, now_ns, mid_ticks
        self.markouts: dict[str, float] = {}
        self._next = 0

    @property
    def edge_ticks(self) -> float:
        return self.fill.side.sign * (self.mid_ticks - self.fill.price_ticks)

    def on_mid(self, now_ns: int, mid_ticks: float) -> None:
        """The mid that held until now is what each horizon that has passed is judged by."""
        while self._next < len(HORIZONS_NS) and now_ns >= self.now_ns + HORIZONS_NS[self._next]:
            name = f"{HORIZONS_NS[self._next] / NANOS_PER_SECOND:g}s"
            self.markouts[name] = self.fill.side.sign * (mid_ticks - self.fill.price_ticks)
            self._next += 1

    def row(self) -> FillRow:
        fill = self.fill
        return FillRow(
            time=self.time,
            price_ticks=fill.price_ticks,
            qty_lots=fill.qty_lots,
            is_maker=fill.is_maker,
            fee_atoms=fill.fee_atoms,
            fee_asset=fill.fee_asset,
            edge_ticks=self.edge_ticks,
            markout_ticks=self.markouts,
        )


class _Watch:
    """Collects steps while a session is replayed."""

    def __init__(
        self, spec: SessionSpec, number: ClientOrderId, requests: dict[int, list[str]]
    ) -> None:
        self._spec, self._number, self._requests = spec, number, requests
        self._steps: list[Step] = []
        self._fills: list[_PendingFill] = []
        self._maker: Maker | None = None
        self._mid_ticks = 0.0
        self._state = ""

    def observe(self, engine: Engine, record: Record) -> None:
        for fill in self._fills:
            fill.on_mid(engine.now_ns, self._mid_ticks)
        for what in self._requests.get(record.sequence, ()):
            self._note(engine, what)
        if record.kind is Kind.EVENT:
            event = event_decoder.decode(record.body)
            if getattr(event, "client_order_id", None) == self._number:
                if isinstance(event, Fill) and self._maker is not None:
                    self._on_fill(engine, event)
                self._note(engine, type(event).__name__)
            else:
                self._note_change(engine, type(event).__name__)
        if self._maker is not None:
            self._mid_ticks = self._maker.view.mid_half_ticks / 2

    def _on_fill(self, engine: Engine, fill: Fill) -> None:
        time = iso_time(self._unix_ns(engine.now_ns))
        self._fills.append(_PendingFill(fill, time, engine.now_ns, self._mid_ticks))

    def _note_change(self, engine: Engine, what: str) -> None:
        """A state that changed without an event of the order's own, e.g. by a time-out or a lost link."""
        if self._maker is not None:
            order = self._maker.orders.get(self._number)
            if order is not None and order.state.name != self._state:
                self._note(engine, what)

    def _note(self, engine: Engine, what: str) -> None:
        self._maker = self._maker or next(
            (m for m in engine.makers if m.orders.get(self._number) is not None), None
        )
        order = None if self._maker is None else self._maker.orders.get(self._number)
        self._state = "" if order is None else order.state.name
        self._steps.append(
            Step(
                engine_ns=engine.now_ns,
                time=iso_time(self._unix_ns(engine.now_ns)),
                what=what,
                state=self._state,
                filled_lots=0 if order is None else order.filled_lots,
            )
        )

    def _unix_ns(self, now_ns: int) -> int:
        return now_ns - self._spec.started_monotonic_ns + self._spec.started_unix_ns

    def life(self, folder: Path) -> OrderLife:
        maker = self._maker
        order = None if maker is None else maker.orders.get(self._number)
        if maker is None or order is None:
            raise JournalError(
                f"{folder}: order {self._number:x} was not sent in this session, or is forgotten; "
                "mmd journal show --kind PlaceOrder --kind ReplaceOrder lists what was"
            )
        return OrderLife(
            client_order_id=f"{self._number:x}",
            venue_order_id=order.venue_order_id,
            symbol=maker.instrument.symbol,
            side=order.side.name,
            level=order.level,
            purpose=order.purpose.name,
            price_ticks=order.price_ticks,
            qty_lots=order.qty_lots,
            steps=tuple(self._steps),
            fills=tuple(fill.row() for fill in self._fills),
        )
