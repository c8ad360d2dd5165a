"""Bugs that are planted into simulated worlds, one for each invariant: the simulation must catch every one of them.

Each is a function of a process that is about to connect: it wraps what the engine, the journal or the connection of that
process does. None of this can be reached from the command line.
"""

import contextlib
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.events import Fill
from mmd.core.orders.order_state import OrderState
from mmd.core.units import Side
from mmd.errors import JournalError
from mmd.simulation.trial import Process


class PlantedBug(NamedTuple):
    """A bug, the rule that it must break, and what it looks like."""

    rule: str
    plant: Callable[[Process], None]
    about: str


def _no_intent(process: Process) -> None:
    """Commands are sent before they are journalled."""
    journal, count = process.journal, [0]
    command = journal.command

    def skip(intent):
        count[0] += 1
        if count[0] % 40 != 0:
            command(intent)

    journal.command = skip


def _lost_fill(process: Process) -> None:
    """Every third fill is not applied."""
    engine, count = process.trader.engine, [0]
    apply = engine.apply

    def lose(event):
        if isinstance(event, Fill):
            count[0] += 1
            if count[0] % 3 == 0:
                return
        apply(event)

    engine.apply = lose


def _double_fill(process: Process) -> None:
    """Fills are told apart by when they came, not by their trade id."""
    engine, count = process.trader.engine, [0]
    apply = engine.apply

    def book(event):
        if isinstance(event, Fill):
            count[0] += 1
            event = msgspec.structs.replace(event, trade_id=event.trade_id + 10**9 * count[0])
        apply(event)

    engine.apply = book


def _no_limit(process: Process) -> None:
    """Ten times the size is ordered that the gate approved."""
    for link in process.links.values():
        send = link.orders.send

        def larger(command, sent_ns, send=send):
            if isinstance(command, PlaceOrder | ReplaceOrder):
                command = msgspec.structs.replace(command, qty_lots=10 * command.qty_lots)
            send(command, sent_ns)

        link.orders.send = larger


def _deaf_to_feed_loss(process: Process) -> None:
    """A lost feed leaves the book as it was."""
    for maker in process.trader.engine.makers:
        maker.view.lose = lambda *_: None


def _no_age_limit(process: Process) -> None:
    """A book never gets too old."""
    for maker in process.trader.engine.makers:
        maker._judge.set_book_age = lambda _, at=maker: type(at._judge).set_book_age(
            at._judge, 10**15
        )
        maker.risk.set_book_age = lambda _, at=maker: type(at.risk).set_book_age(at.risk, 10**15)


def _deaf_to_status(process: Process) -> None:
    """Nobody hears that the venue does not trade."""
    for maker in process.trader.engine.makers:
        maker.on_status = lambda _: None


def _leaves_orders_over(process: Process) -> None:
    """A restart does not take back what the last process left, and nobody did before."""
    process.guard.venues = []
    for link in process.links.values():
        reconciler = link.orders._reconciler

        async def nothing():
            return None

        reconciler.cancel_own = nothing


def _crooked_money(process: Process) -> None:
    """A fee is booked on one side of the accounts alone."""
    for maker in process.trader.engine.makers:
        on_fill = maker.ledger.on_fill

        def crooked(fill, *rest, at=maker, on_fill=on_fill):
            on_fill(fill, *rest)
            if at.ledger.pnl is not None:
                at.ledger.pnl._edge_units += fill.side is Side.SELL

        maker.ledger.on_fill = crooked


def _forgets_doubts(process: Process) -> None:
    """A request without an answer means that there is no order."""
    for maker in process.trader.engine.makers:
        orders = maker.orders
        apply = orders.apply

        def trusting(event, orders=orders, apply=apply):
            applied = apply(event)
            order = applied.order
            if order is not None and order.state is OrderState.UNKNOWN:
                orders._withdraw(order)
                order.state = OrderState.CANCELED
                orders._deposit(order)
            return applied

        orders.apply = trusting


def _never_asks(process: Process) -> None:
    """Orders whose fate is unknown are never asked about, and nobody takes them back."""
    process.guard.venues = []
    for maker in process.trader.engine.makers:
        maker.desk.queries = lambda _: []


def _blind_orders(process: Process) -> None:
    """Orders are sent although order entry is down."""
    for maker in process.trader.engine.makers:
        maker.on_private_down = lambda _: None


def _wrong_book(process: Process) -> None:
    """Gaps in the feed go unnoticed: every diff says that it continues the last."""
    for link in process.links.values():
        deliver, last = link.feed._deliver, [0]

        def bridge(frame, deliver=deliver, last=last):
            if frame[0] & 0xFF in (1, 2):
                if frame[0] & 0xFF == 2 and 0 < last[0] < frame[4]:
                    frame[3], frame[5] = last[0] + 1, last[0]
                last[0] = frame[4]
            deliver(frame)

        link.feed._deliver = bridge


def _impatient(process: Process) -> None:
    """A decision follows every event, refusals of what the venue did not even look at among them; none has to wait."""
    trader = process.trader
    trader.engine.risk.backoff.on_turned_away = lambda *_: None
    on_event = trader.on_event

    def at_once(event):
        on_event(event)
        trader._schedule()

    trader.on_event = at_once


def _idle_guardian(process: Process) -> None:
    """The guardian confirms what it has not done."""
    for venue in process.guard.venues:

        async def nothing():
            return ()

        venue.working = nothing


def _full_speed(process: Process) -> None:
    """Orders go on although the journal has refused them."""

    def carry_on(write, what):
        with contextlib.suppress(JournalError):
            write(what)

    process.trader._record = carry_on


def _starts_afresh(process: Process) -> None:
    """A restart begins with the venue's newest trade, whatever is on record."""
    for link in process.links.values():
        link._state.__init__(link.gateway.markets)


PLANTED = {
    "no_intent": PlantedBug("intent", _no_intent, "every fortieth command is not journalled"),
    "lost_fill": PlantedBug("orders|position|fills", _lost_fill, "every third fill is not applied"),
    "double_fill": PlantedBug("orders|position|fills", _double_fill, "doubled fills count twice"),
    "starts_afresh": PlantedBug(
        "fills", _starts_afresh, "fills made while no process ran are not asked for"
    ),
    "no_limit": PlantedBug("worst case", _no_limit, "ten times the approved size is sent"),
    "deaf_to_feed_loss": PlantedBug("book", _deaf_to_feed_loss, "a lost feed leaves the book"),
    "no_age_limit": PlantedBug("book", _no_age_limit, "a book never gets too old"),
    "wrong_book": PlantedBug("book", _wrong_book, "gaps in the feed go unnoticed"),
    "deaf_to_status": PlantedBug("trading", _deaf_to_status, "a halted market is quoted"),
    "blind_orders": PlantedBug("order entry", _blind_orders, "quotes go on without order entry"),
    "leaves_orders_over": PlantedBug(
        "restart|orders", _leaves_orders_over, "a restart cancels nothing"
    ),
    "idle_guardian": PlantedBug(
        "guardian", _idle_guardian, "the guardian confirms what it has not done"
    ),
    "full_speed": PlantedBug("intent", _full_speed, "orders go on although the disk is full"),
    "crooked_money": PlantedBug("PnL identity", _crooked_money, "one unit a sale is made up"),
    "forgets_doubts": PlantedBug(
        "orders|position|fills", _forgets_doubts, "no answer is taken for no order"
    ),
    "never_asks": PlantedBug("rest", _never_asks, "unknown orders are never asked about"),
    "impatient": PlantedBug("pace", _impatient, "what was turned away is sent again at once"),
}
