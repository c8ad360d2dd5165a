"""A bench for the engine: feeds it a market and a venue made of plain events, and keeps what it commands."""

from mmd.core.commands import CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.engine import Engine
from mmd.core.events import (
    Balance,
    Decision,
    EndReason,
    Event,
    FeedUp,
    Fill,
    OrderAccepted,
    OrderEnded,
    PrivateUp,
    Reconciled,
    Timer,
)
from mmd.core.learned.served_model import ModelSource
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT
from mmd.core.spec import SessionSpec
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, InstrumentId, Side
from mmd.jit.kernel import new
from tests.session import session_spec

ZERO = InstrumentId(0)
MS = 1_000_000
Levels = dict[int, int]


class EngineBench:
    """An engine, its time, and the orders that a well-behaved venue would hold."""

    def __init__(self, spec: SessionSpec | None = None, models: ModelSource | None = None) -> None:
        self.engine = Engine(spec or session_spec(), models)
        self.maker = self.engine.makers[0]
        self.now_ns = 1_000 * MS
        self.update_id = 100
        self.decisions = 0
        self.trades = 0
        self.open: dict[ClientOrderId, PlaceOrder | ReplaceOrder] = {}
        self._market = new(MARKET)

    def pass_time(self, ms: float) -> None:
        """Let engine time pass."""
        self.now_ns += int(ms * MS)

    def market(self, kind: int, bids: Levels, asks: Levels, **fields: int) -> None:
        """One market record; levels are {ticks: lots}."""
        m = self._market
        m["kind"], m["instrument"], m["ts_recv_ns"], m["ts_event_ns"] = (
            kind,
            fields.get("at", 0),
            self.now_ns,
            fields.get("ts_event_ns", self.now_ns),
        )
        m["last"] = fields.get("last", self.update_id)
        m["prev"] = fields.get("prev", self.update_id - 1)
        m["first"] = m["prev"] + 1
        for side, levels in enumerate((bids, asks)):
            m["n"][0, side] = len(levels)
            for i, (px, sz) in enumerate(levels.items()):
                m["px"][0, side, i], m["sz"][0, side, i] = px, sz
        self.engine.apply_market(m)

    def snapshot(
        self, bid: int = 9_999, ask: int = 10_001, lots: int = 5_000, depth: int = 30, at: int = 0
    ) -> None:
        """A full book around the touch of an instrument."""
        self.update_id += 1
        bids = {bid - i: lots for i in range(depth)}
        asks = {ask + i: lots for i in range(depth)}
        self.market(SNAPSHOT, bids, asks, at=at)

    def diff(
        self,
        bids: Levels | None = None,
        asks: Levels | None = None,
        *,
        gap: int = 0,
        **fields: int,
    ) -> None:
        """The next diff; a gap skips so many ids before it."""
        prev = self.update_id + gap
        self.update_id = prev + 1
        self.market(DIFF, bids or {}, asks or {}, last=self.update_id, prev=prev, **fields)

    def shift(self, ticks: int) -> None:
        """Move the whole book."""
        view = self.maker.view
        self.snapshot(view.bid_ticks + ticks, view.ask_ticks + ticks)

    def event(self, event: Event) -> None:
        """Any other event."""
        self.engine.apply(event)

    def bring_up(self, base: int = 1_000, quote: int = 100_000) -> None:
        """Feed, balances, reconciliation and order entry, in the order in which a venue brings them up."""
        self.event(FeedUp(self.now_ns, ZERO))
        self.snapshot()
        self.event(Balance(self.now_ns, "embedded", "MMD", base * ATOMS_PER_UNIT, 0))
        self.event(Balance(self.now_ns, "embedded", "USDT", quote * ATOMS_PER_UNIT, 0))
        self.event(Reconciled(self.now_ns, "embedded", ZERO, base * ATOMS_PER_UNIT))
        self.event(PrivateUp(self.now_ns, "embedded"))

    def decide(self) -> list[Command]:
        """One decision."""
        self.decisions += 1
        return [a.command for a in self.engine.decide(Decision(self.now_ns, self.decisions))]

    def turn(self) -> list[Command]:
        """A decision whose commands the venue obeys at once."""
        commands = self.decide()
        for command in commands:
            self.obey(command)
        return commands

    def obey(self, command: Command) -> None:
        """What the venue says to a command."""
        if isinstance(command, CancelOrder):
            self._end(command.client_order_id)
        if isinstance(command, ReplaceOrder):
            self._end(command.cancel_id)
        if isinstance(command, PlaceOrder | ReplaceOrder):
            self.open[command.client_order_id] = command
            order_id = command.client_order_id
            self.event(
                OrderAccepted(self.now_ns, command.instrument, order_id, order_id, self.now_ns)
            )

    def fill(self, order_id: ClientOrderId, lots: int | None = None, *, maker: bool = True) -> Fill:
        """Fill an open order, in full unless told otherwise."""
        order = self.open[order_id]
        self.trades += 1
        qty = order.qty_lots if lots is None else lots
        fill = Fill(
            self.now_ns,
            ZERO,
            order_id,
            order_id,
            self.trades,
            order.side,
            order.price_ticks,
            qty,
            maker,
            0,
            "USDT",
            self.now_ns,
        )
        self.event(fill)
        return fill

    def end(self, order_id: ClientOrderId, filled_lots: int) -> None:
        """An order that takes is over with so much filled."""
        del self.open[order_id]
        self.event(
            OrderEnded(self.now_ns, ZERO, order_id, EndReason.EXPIRED, filled_lots, self.now_ns)
        )

    def tick(self) -> None:
        """The driver's timer."""
        self.event(Timer(self.now_ns))

    def best(self, side: Side) -> PlaceOrder | ReplaceOrder:
        """Our best open order of a side."""
        mine = [o for o in self.open.values() if o.side is side]
        return max(mine, key=lambda o: side.sign * o.price_ticks)

    def _end(self, order_id: ClientOrderId) -> None:
        if self.open.pop(order_id, None) is not None:
            self.event(OrderEnded(self.now_ns, ZERO, order_id, EndReason.CANCELED, 0, self.now_ns))
