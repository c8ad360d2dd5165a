"""Two pure exchanges and one engine on virtual time: what several venues do, without a socket.

Requests take one step to a venue and answers one step back. Everything that the engine sees and says can be
journalled as the daemon does it.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from mmd.config_crossvenue import ArbitrageSection
from mmd.core.commands import CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.engine import Engine
from mmd.core.events import (
    Balance,
    CancelRejected,
    Decision,
    EndReason,
    Event,
    FeedUp,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    PrivateUp,
    Reconciled,
    RejectReason,
    Timer,
)
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT
from mmd.core.ports import Journal
from mmd.core.spec import ArbitrageSpec, SessionSpec
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.exchange.default_instrument import synthetic_instrument
from mmd.exchange.exchange import Exchange, OrderRequest
from mmd.exchange.executions import ExchangeEvent, Execution, ExecutionKind
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.orders import OrderTif, OrderType
from mmd.exchange.presets import FlowPreset, PriceLink
from mmd.exchange.refusals import Refused
from mmd.jit.kernel import new
from tests.session import quoting, risk, session_spec

MS = 1_000_000
STEP_NS = 20 * MS
US = "us"
STRANGER = "stranger"
RICHES = 10**14


def arbitrage(**changes: object) -> ArbitrageSpec:
    """Default arbitrage settings with changes, in the user's units."""
    made = ArbitrageSection(**changes).spec()  # type: ignore[arg-type]
    assert made is not None
    return made


def instrument_at(venue: str, number: int, **changes: object) -> Instrument:
    """MMDUSDT of a venue: tick 0.01, lot 0.001, both commissions 1 bps."""
    made = synthetic_instrument("MMDUSDT", venue, 1.0, 1.0, number)
    return msgspec.structs.replace(made, **changes)


def world_spec(instruments: Sequence[Instrument], **changes: object) -> SessionSpec:
    """A session over several venues that quotes far from the market, with room for a thousand dollars and more."""
    fields: dict[str, object] = {
        "instruments": tuple(instruments),
        "target_atoms": (None,) * len(instruments),
        "quoting": quoting(
            spread_model="fixed", fixed_half_spread_bps=50.0, order_notional=10, levels=1
        ),
        "risk": risk(
            position_notional_max=100_000,
            order_notional_max=50_000,
            loss_max=10_000,
            orders_per_10s=1_000,
        ),
        "arbitrage": arbitrage(slippage_share=0.0),
        "book_shows_own": True,
    }
    return session_spec(**(fields | changes))


class VenueWorld:
    """One exchange as the engine meets it.

    Attributes:
        refuses: makes the venue refuse every order of ours.
        prevented: how often orders of ours met each other.
        on_arrival: called with each order of ours before it is matched.
    """

    def __init__(self, instrument: Instrument, flow: FlowPreset | None, seed: int, lag_ms: int):
        self.instrument = instrument
        self.id = instrument.id
        local = msgspec.structs.replace(instrument, id=InstrumentId(0))
        accounts = {n: {local.base: RICHES, local.quote: RICHES} for n in (US, STRANGER)}
        self.exchange = Exchange([local], accounts)
        self.market = self.exchange.markets[0]
        self.flow = None
        if flow is not None:
            link = PriceLink(seed=seed, lag_ns=lag_ms * MS)
            own_seed = seed + 1_000_003 * instrument.id
            self.flow = InteractiveFlow(flow, own_seed, self.exchange, self.market, 0, link)
        self.refuses = False
        self.prevented = 0
        self.on_arrival: Callable[[PlaceOrder | ReplaceOrder], None] = lambda _: None
        self._names = 0
        self._shown_id: int | None = None

    def quote(self, side: Side, price_ticks: int, qty_lots: int, now_ns: int = 0) -> str:
        """A stranger's order; returns its name."""
        self._names += 1
        name = f"s{self._names}"
        request = _request(name, side, price_ticks, qty_lots, TimeInForce.GTC)
        self.exchange.place(STRANGER, request, now_ns)
        return name

    def withdraw(self, name: str, now_ns: int = 0) -> None:
        """Take a stranger's order back."""
        self.exchange.cancel(STRANGER, 0, None, name, now_ns)

    def advance(self, now_ns: int) -> list[Event]:
        """Strangers act; what of it concerns us."""
        return [] if self.flow is None else self._told(self.flow.advance(now_ns), now_ns)

    def draw(self, market: np.ndarray, now_ns: int) -> bool:
        """Write what has changed since the last time into a MARKET record."""
        book = self.market.book
        last = book.update_id
        if last == self._shown_id:
            return False
        first = self._shown_id is None
        row = market[0]
        row["kind"] = SNAPSHOT if first else DIFF
        row["instrument"], row["ts_recv_ns"], row["ts_event_ns"] = self.id, now_ns, now_ns
        row["prev"] = 0 if first else self._shown_id
        row["first"], row["last"] = row["prev"] + 1, last
        for side in book.sides:
            prices = list(side.prices()) if first else sorted(side.dirty)
            row["n"][side.side] = len(prices)
            for k, price in enumerate(prices):
                row["px"][side.side, k], row["sz"][side.side, k] = price, side.displayed(price)
            side.dirty.clear()
        self._shown_id = last
        return True

    def obey(self, command: Command, now_ns: int) -> list[Event]:
        """What the venue says to a command."""
        told: list[Event] = []
        if isinstance(command, CancelOrder | ReplaceOrder):
            gone = (
                command.cancel_id if isinstance(command, ReplaceOrder) else command.client_order_id
            )
            told += self._cancel(gone, now_ns)
            if told and isinstance(told[-1], CancelRejected) and isinstance(command, ReplaceOrder):
                return [*told, self._rejected(command.client_order_id, now_ns)]
        if isinstance(command, PlaceOrder | ReplaceOrder):
            told += self._place(command, now_ns)
        return told

    def _cancel(self, order_id: ClientOrderId, now_ns: int) -> list[Event]:
        try:
            _, events = self.exchange.cancel(US, 0, None, str(order_id), now_ns)
        except Refused:
            reason = RejectReason.UNKNOWN_ORDER
            return [CancelRejected(now_ns, self.id, order_id, reason, -2011, "unknown")]
        return self._told(events, now_ns)

    def _place(self, order: PlaceOrder | ReplaceOrder, now_ns: int) -> list[Event]:
        self.on_arrival(order)
        number = order.client_order_id
        if self.refuses:
            return [self._rejected(number, now_ns)]
        request = _request(str(number), order.side, order.price_ticks, order.qty_lots, order.tif)
        try:
            _, events = self.exchange.place(US, request, now_ns)
        except Refused:
            return [self._rejected(number, now_ns)]
        return self._told(events, now_ns)

    def _rejected(self, order_id: ClientOrderId, now_ns: int) -> OrderRejected:
        return OrderRejected(now_ns, self.id, order_id, RejectReason.OTHER, -1, "refused")

    def _told(self, events: Sequence[ExchangeEvent], now_ns: int) -> list[Event]:
        ours = (e for e in events if isinstance(e, Execution) and e.order.account == US)
        return [event for e in ours for event in self._of(e, now_ns)]

    def _of(self, e: Execution, now_ns: int) -> list[Event]:
        order, number = e.order, ClientOrderId(int(e.order.client_order_id))
        match e.kind:
            case ExecutionKind.NEW:
                return [OrderAccepted(now_ns, self.id, number, order.order_id, now_ns)]
            case ExecutionKind.TRADE:
                return [
                    Fill(
                        now_ns,
                        self.id,
                        number,
                        order.order_id,
                        e.trade_id,
                        order.side,
                        e.last_price_ticks,
                        e.last_qty_lots,
                        e.is_maker,
                        e.fee_atoms,
                        e.fee_asset,
                        now_ns,
                    )
                ]
            case ExecutionKind.CANCELED | ExecutionKind.EXPIRED:
                reason = EndReason.CANCELED
                if e.kind is ExecutionKind.EXPIRED:
                    reason = EndReason.EXPIRED
                return [OrderEnded(now_ns, self.id, number, reason, e.filled_lots, now_ns)]
            case _:
                self.prevented += e.kind is ExecutionKind.TRADE_PREVENTION
                return []


class World:
    """The venues and the engine."""

    def __init__(
        self,
        spec: SessionSpec,
        *,
        flow: FlowPreset | None = None,
        seed: int = 7,
        lag_ms: int = 200,
        journal: Journal | None = None,
    ) -> None:
        self.engine = Engine(spec)
        self.venues = [VenueWorld(i, flow, seed, i.id * lag_ms) for i in spec.instruments]
        self.now_ns = 50 * STEP_NS
        self.commands: list[Command] = []
        self._journal = journal
        self._decisions = 0
        self._on_the_way: list[Command] = []
        self._answers: list[Event] = []
        self._market = new(MARKET)

    def bring_up(self, base: int = 1_000, quote: int = 200_000) -> None:
        """Feeds, balances, reconciliation and order entry of every venue."""
        for venue in self.venues:
            at = venue.instrument
            self.event(FeedUp(self.now_ns, at.id))
            self.show(venue)
            self.event(Balance(self.now_ns, at.venue, at.base, base * ATOMS_PER_UNIT, 0))
            self.event(Balance(self.now_ns, at.venue, at.quote, quote * ATOMS_PER_UNIT, 0))
            self.event(Reconciled(self.now_ns, at.venue, at.id, base * ATOMS_PER_UNIT))
            self.event(PrivateUp(self.now_ns, at.venue))

    def event(self, event: Event) -> None:
        """Anything that is no market data."""
        if self._journal is not None:
            self._journal.event(event)
        self.engine.apply(event)

    def show(self, venue: VenueWorld) -> None:
        """The venue's book, if it has changed."""
        if venue.draw(self._market, self.now_ns):
            if self._journal is not None:
                self._journal.market(self._market)
            self.engine.apply_market(self._market)

    def decide(self) -> list[Command]:
        """One decision; its commands are on the way."""
        self._decisions += 1
        decision = Decision(self.now_ns, self._decisions)
        if self._journal is not None:
            self._journal.event(decision)
        given = []
        for approved in self.engine.decide(decision):
            if self._journal is not None:
                self._journal.command(approved.command)
            given.append(approved.command)
        self._on_the_way += given
        self.commands += given
        return given

    def step(self, count: int = 1) -> None:
        """Time passes: answers come in, requests arrive, strangers act, books are shown, the engine decides."""
        for _ in range(count):
            self.now_ns += STEP_NS
            answers, self._answers = self._answers, []
            for event in answers:
                self.event(msgspec.structs.replace(event, ts_recv_ns=self.now_ns))
            arriving, self._on_the_way = self._on_the_way, []
            for command in arriving:
                venue = self.venues[command.instrument]
                self._answers += venue.obey(command, self.now_ns)
            for venue in self.venues:
                self._answers += venue.advance(self.now_ns)
                self.show(venue)
            if self.now_ns % (5 * STEP_NS) == 0:
                self.event(Timer(self.now_ns))
            self.decide()

    def run(self, seconds: float) -> None:
        """Many steps."""
        self.step(round(seconds * 1e9 / STEP_NS))


def two_quiet_venues(lots: int = 100_000, **changes: object) -> World:
    """Two venues whose books stand at 99.99/100.01, wide and still, brought up and known."""
    spec = world_spec([instrument_at("first", 0), instrument_at("second", 1)], **changes)
    world = World(spec)
    for venue in world.venues:
        for depth in range(5):
            venue.quote(Side.BUY, 9_999 - depth, lots)
            venue.quote(Side.SELL, 10_001 + depth, lots)
    world.bring_up()
    world.step()
    return world


def lift(world: World, bid_ticks: int = 10_041, lots: int = 100_000) -> str:
    """Of two quiet venues take the second one's asks away and bid there; returns the bid's name."""
    second = world.venues[1]
    for name in [f"s{k}" for k in range(2, 12, 2)]:
        second.withdraw(name)
    second.quote(Side.SELL, bid_ticks + 5, lots)
    return second.quote(Side.BUY, bid_ticks, lots)


def _request(
    name: str, side: Side, price_ticks: int, qty_lots: int, tif: TimeInForce
) -> OrderRequest:
    kinds = {
        TimeInForce.POST_ONLY: (OrderType.LIMIT_MAKER, OrderTif.GTC),
        TimeInForce.GTC: (OrderType.LIMIT, OrderTif.GTC),
        TimeInForce.IOC: (OrderType.LIMIT, OrderTif.IOC),
        TimeInForce.FOK: (OrderType.LIMIT, OrderTif.FOK),
    }
    kind, order_tif = kinds[tif]
    return OrderRequest(
        instrument=0,
        client_order_id=name,
        side=side,
        type=kind,
        tif=order_tif,
        price_ticks=price_ticks,
        qty_lots=qty_lots,
    )
