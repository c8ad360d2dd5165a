"""An EngineBench whose venue also fills orders that take, in whole or in part, on one or several instruments."""

from collections.abc import Callable
from decimal import Decimal

from mmd.core.commands import CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.events import (
    Balance,
    EndReason,
    FeedUp,
    Fill,
    OrderAccepted,
    OrderEnded,
    PrivateUp,
    Reconciled,
)
from mmd.core.hedging.hedger import Hedger
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.spec import SessionSpec
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, InstrumentId, Side, TimeInForce
from tests.engine_bench import EngineBench
from tests.session import instrument, session_spec

HELD = 1_000
"""Base units in every account."""
Takes = Callable[[PlaceOrder], int]


def hedge_spec(
    carried: float = 9.5,
    hedge: HedgeSpec | None = None,
    inventory: InventorySpec | None = None,
    **changes: object,
) -> SessionSpec:
    """A session over one instrument at 100 with a limit of 10 units, of which it begins with `carried`."""
    targets = (HELD * ATOMS_PER_UNIT - round(carried * ATOMS_PER_UNIT),)
    return session_spec(
        **{
            "target_atoms": targets,
            "hedge": HedgeSpec(route="same") if hedge is None else hedge,
            "inventory": InventorySpec() if inventory is None else inventory,
        }
        | changes
    )


def two_venues(carried: float = 9.5, lot: str = "0.01", **hedge: object) -> SessionSpec:
    """The same with a second venue, coarser lots and nothing held, that the first is hedged on."""
    other = instrument(id=InstrumentId(1), venue="other", lot_size=Decimal(lot))
    base = HELD * ATOMS_PER_UNIT
    spec = {"route": "named", "instruments": ("other:MMDUSDT",)} | hedge
    return hedge_spec(
        carried,
        HedgeSpec(**spec),  # type: ignore[arg-type]
        instruments=(instrument(), other),
        target_atoms=(base - round(carried * ATOMS_PER_UNIT), base),
    )


class HedgeBench(EngineBench):
    """Hedge orders that it saw stand in `hedges`, with the instrument's time."""

    def __init__(self, spec: SessionSpec, takes: Takes | None = None) -> None:
        super().__init__(spec)
        self.takes = takes or (lambda order: order.qty_lots)
        self.hedges: list[tuple[int, PlaceOrder]] = []
        self.commands: list[Command] = []

    @property
    def hedger(self) -> Hedger:
        """Of the first instrument."""
        hedging = self.engine.hedging
        assert hedging is not None
        return hedging.hedgers[0]

    @property
    def lots(self) -> int:
        """Position of the first instrument."""
        return self.maker.ledger.position_lots

    def start(self) -> None:
        """Bring every instrument up, let the estimates begin, and quote."""
        for maker in self.engine.makers:
            at, venue = maker.instrument.id, maker.instrument.venue
            self.event(FeedUp(self.now_ns, at))
            self.snapshot(at=at)
            self.event(Balance(self.now_ns, venue, "MMD", HELD * ATOMS_PER_UNIT, 0))
            self.event(Balance(self.now_ns, venue, "USDT", 100_000 * ATOMS_PER_UNIT, 0))
            self.event(Reconciled(self.now_ns, venue, at, HELD * ATOMS_PER_UNIT))
            self.event(PrivateUp(self.now_ns, venue))
        self.turn()

    def run(self, ms: float, step_ms: float = 100.0) -> None:
        """Let time pass with timers and live books."""
        for _ in range(round(ms / step_ms)):
            self.pass_time(step_ms)
            for maker in self.engine.makers:
                view = maker.view
                self.snapshot(view.bid_ticks, view.ask_ticks, at=maker.instrument.id)
            self.tick()
            self.turn()

    def decide(self) -> list[Command]:
        commands = super().decide()
        self.commands += commands
        return commands

    def turn(self) -> list[Command]:
        """Decide until nothing more is wanted of this moment."""
        first = super().turn()
        for _ in range(5):
            if not super().turn():
                break
        return first

    def obey(self, command: Command) -> None:
        """Orders that take are filled and end; hedges that rest stay until `give`."""
        at = command.instrument
        is_hedge = isinstance(command, PlaceOrder) and self._is_apart(command)
        if is_hedge:
            assert isinstance(command, PlaceOrder)
            self.hedges.append((self.now_ns, command))
        if isinstance(command, PlaceOrder) and command.tif is TimeInForce.IOC:
            order_id, now = command.client_order_id, self.now_ns
            self.event(OrderAccepted(now, at, order_id, order_id, now))
            lots = min(self.takes(command), command.qty_lots)
            if lots > 0:
                self.give(command, lots)
            if lots < command.qty_lots:
                self.event(OrderEnded(now, at, order_id, EndReason.EXPIRED, lots, now))
            return
        if isinstance(command, CancelOrder):
            self._gone(at, command.client_order_id)
        elif isinstance(command, ReplaceOrder):
            self._gone(at, command.cancel_id)
            new = command.client_order_id
            self.open[new] = command
            self.event(OrderAccepted(self.now_ns, at, new, new, self.now_ns))
        else:
            super().obey(command)

    def _gone(self, at: InstrumentId, order_id: ClientOrderId) -> None:
        now = self.now_ns
        self.open.pop(order_id, None)
        self.event(OrderEnded(now, at, order_id, EndReason.CANCELED, 0, now))

    def give(self, order: PlaceOrder, lots: int) -> None:
        """Fill so much of an order at its price."""
        self.trades += 1
        order_id, now = order.client_order_id, self.now_ns
        is_maker = order.tif is TimeInForce.POST_ONLY
        side: Side = order.side
        self.event(
            Fill(
                now,
                order.instrument,
                order_id,
                order_id,
                self.trades,
                side,
                order.price_ticks,
                lots,
                is_maker,
                0,
                "USDT",
                now,
            )
        )

    def _is_apart(self, command: PlaceOrder) -> bool:
        order = self.engine.makers[command.instrument].orders.get(command.client_order_id)
        return order is not None and order.purpose.name == "HEDGE"
