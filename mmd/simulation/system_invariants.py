"""What must hold in a world with faults: for each of a daemon's processes, and from one to the next.

Some is judged with each command before it is sent, some with each order that the venue has accepted, some after each
step, and some when nothing is on its way: then engine and exchange must agree on every order and every atom.
"""

from collections.abc import Callable
from typing import Final

from mmd.core.commands import Command, PlaceOrder, ReplaceOrder
from mmd.core.maker import Maker
from mmd.core.units import NANOS_PER_SECOND, InstrumentId, Side
from mmd.exchange.executions import Execution, ExecutionKind
from mmd.simulation.faulty_link import FaultyLink
from mmd.simulation.invariants import (
    INVENTORY_RATIO_MAX,
    InvariantError,
    broken,
    check_account,
    check_money,
    check_orders,
)
from mmd.simulation.memory_journal import MemoryJournal
from mmd.simulation.order_gateway import order_number
from mmd.simulation.trader import Trader

_NEW_ORDERS: Final = (PlaceOrder, ReplaceOrder)
COMMANDS_PER_SECOND_MAX: Final = 500
_DECISION_NS: Final = 1_000_000
"""A book may come of age while its decision is made."""


class SystemInvariants:
    """Watches one daemon over all of its processes.

    Attributes:
        checks, checks_at_rest: how often all was looked at, and how often books were compared with the exchange's.
        orders_sent: new orders that were sent.
        is_guarded: whether the guardian has confirmed that a venue, by name, holds none of our orders, and we are not back.
        guarded: how often the guardian confirmed that a venue holds none of our orders.
        worst_case_ratio_max: the largest share of a position limit that could have been held.
    """

    def __init__(self, opening: dict[str, dict[str, int]]) -> None:
        """Opening are the account's atoms by asset, by venue."""
        self.checks = self.checks_at_rest = self.orders_sent = self.guarded = 0
        self.worst_case_ratio_max = 0.0
        self.is_guarded: Callable[[str], bool] = lambda _: False
        self._opening = opening
        self._intents: set[int] = set()
        self._before: dict[str, set[int]] = {}
        """By venue, what had been ordered when the guardian last confirmed that nothing was left."""
        self._trades: dict[str, set[int]] = {}
        """By venue, what it made of the account's orders."""
        self._told: set[tuple[InstrumentId, int]] = set()
        """Fills in the journals of earlier processes."""
        self._journal: MemoryJournal | None = None
        self._links: dict[str, FaultyLink] = {}
        self._has_quoted = False
        self._second = self._commands = 0
        self._agreed: dict[InstrumentId, tuple[int, ...]] = {}
        """How many fills there were of each sort when they agreed last."""

    def follow(self, trader: Trader, links: dict[str, FaultyLink], journal: MemoryJournal) -> None:
        """A process begins."""
        if self._journal is not None:
            self._intents |= self._journal.intents
            self._told |= self._journal.trades
        self._journal, self._links, self._has_quoted = journal, links, False
        self._agreed.clear()
        trader.on_settled, trader.on_command = self._on_settled, self._on_command
        for link in links.values():
            link.service.on_served = self._on_served(trader, link)

    @property
    def fills(self) -> int:
        """Trades that the venues made of the account's orders."""
        return sum(map(len, self._trades.values()))

    def on_execution(self, venue: str, event: Execution) -> None:
        """Something happened to an order of the account."""
        if event.kind is ExecutionKind.TRADE:
            self._trades.setdefault(venue, set()).add(event.trade_id)

    def on_guarded(self, venue: str) -> None:
        """A guardian has confirmed that nothing is left at a venue. Raises: InvariantError."""
        self.guarded += 1
        link = self._links[venue]
        assert self._journal is not None, "follow comes first"
        self._before[venue] = self._intents | self._journal.intents
        left = link.venue.exchange.history.open_orders(link.gateway.account)
        if left:
            names = ", ".join(o.client_order_id for o in left)
            raise InvariantError(
                f"guardian: expected no order at {venue}, found {names}", "guardian"
            )

    def is_settled(self, trader: Trader) -> bool:
        """Whether nothing is on its way and nothing is in doubt."""
        if not trader.is_at_rest:
            return False
        for maker in trader.engine.makers:  # plain loops: this is asked after every event
            if maker.orders.unknown_count > 0:
                return False
            for order in maker.orders:
                if order.is_in_flight:
                    return False
        return True

    def _on_settled(self, trader: Trader) -> None:
        self.checks += 1
        makers = trader.engine.makers
        for maker in makers:
            check_money(trader, maker)
            if maker.view.mismatches > 0:
                raise broken(trader, "book: expected the venue's, found another")
        if self.is_settled(trader):
            self.checks_at_rest += 1
            for maker in makers:
                check_orders(trader, maker)
                check_account(trader, maker)
                self._check_position(trader, maker)

    def _on_command(self, trader: Trader, command: Command) -> None:
        """An order may only be sent with its intent on record, on a good book, at a venue that trades."""
        self._check_pace(trader)
        if not isinstance(command, _NEW_ORDERS):
            return
        self.orders_sent += 1
        maker = trader.engine.makers[command.instrument]
        link = self._links[maker.instrument.venue]
        assert self._journal is not None, "follow comes first"
        if command.client_order_id not in self._journal.intents:
            raise broken(
                trader, f"intent: order {command.client_order_id:#x} is not in the journal"
            )
        self._check_book(trader, maker, link)
        if not link.orders.is_up:
            raise broken(trader, "order entry: an order was sent while it was down")
        if not link.told_trading[command.instrument]:
            raise broken(trader, "trading: an order was sent while the venue did not trade")
        if not self._has_quoted:
            self._has_quoted = True
            for other in self._links.values():
                self._check_sessions(trader, other)

    def _check_pace(self, trader: Trader) -> None:
        """Requests that are turned away must not make more requests at once."""
        second = trader.engine.now_ns // NANOS_PER_SECOND
        if second != self._second:
            self._second, self._commands = second, 0
        self._commands += 1
        if self._commands > COMMANDS_PER_SECOND_MAX:
            raise broken(trader, f"pace: more than {COMMANDS_PER_SECOND_MAX} commands in a second")

    def _check_book(self, trader: Trader, maker: Maker, link: FaultyLink) -> None:
        view, at = maker.view, maker.instrument.id
        if not link.feed.is_up or not view.is_up or view.wants_resync:
            raise broken(trader, "book: an order was sent on one that is not synchronised")
        if view.is_crossed or not 0 < view.bid_ticks < view.ask_ticks:
            raise broken(trader, f"book: an order was sent on {view.bid_ticks}/{view.ask_ticks}")
        age_ns = link.feed.age_ns(InstrumentId(at))
        if age_ns > maker.pace.age_ns_max + _DECISION_NS:
            raise broken(trader, f"book: an order was sent on one {age_ns / 1e9:.3f} s old")

    def _on_served(self, trader: Trader, link: FaultyLink) -> Callable[[Command], None]:
        """What to check when the venue has carried out a request of a process, be it dead by then."""

        def check(command: Command) -> None:
            if not isinstance(command, _NEW_ORDERS):
                return
            self._check_intents(trader, link)
            name, number = link.venue.name, command.client_order_id
            is_late = number in self._before.get(name, ()) and number not in link.service.postdated
            if is_late and self.is_guarded(name):
                raise broken(trader, "guardian: an order came after it saw that none was left")
            self._check_worst_case(trader, link, command.instrument)
            if self._has_quoted:
                self._check_sessions(trader, link)

        return check

    def _check_intents(self, trader: Trader, link: FaultyLink) -> None:
        """Every order at the venue is in the journal of one of the processes."""
        assert self._journal is not None, "follow comes first"
        for order in link.venue.exchange.history.open_orders(link.gateway.account):
            number = order_number(order.client_order_id)
            if number not in self._intents and number not in self._journal.intents:
                raise broken(trader, f"intent: order {number:#x} works and is in no journal")

    def _check_sessions(self, trader: Trader, link: FaultyLink) -> None:
        """No order of an earlier process works once there are quotes of this one."""
        assert self._journal is not None, "follow comes first"
        for order in self._links[link.venue.name].venue.exchange.history.open_orders(
            link.gateway.account
        ):
            number = order_number(order.client_order_id)
            if number not in self._journal.intents:
                raise broken(
                    trader, f"restart: order {number:#x} of an earlier process works beside quotes"
                )

    def _check_worst_case(self, trader: Trader, link: FaultyLink, at: InstrumentId) -> None:
        """Holdings and every order of a side together, by the exchange's own books."""
        maker = trader.engine.makers[at]
        if maker.scale is None or maker.scale.position_lots_max == 0:
            return
        held_atoms = self._held_atoms(maker, link)
        worst_atoms = 0
        market = link.gateway.markets[at]
        orders = link.venue.exchange.history.open_orders(link.gateway.account, market)
        per_lot = link.venue.exchange.markets[market].value.atoms_per_lot
        for side in Side:
            open_lots = sum(o.open_lots for o in orders if o.side is side)
            worst_atoms = max(worst_atoms, side.sign * held_atoms + open_lots * per_lot)
        ratio = worst_atoms / (maker.scale.position_lots_max * per_lot)
        self.worst_case_ratio_max = max(self.worst_case_ratio_max, ratio)
        if ratio > INVENTORY_RATIO_MAX:
            raise broken(trader, f"worst case: {ratio:.0%} of the position limit could be held")

    def _held_atoms(self, maker: Maker, link: FaultyLink) -> int:
        """What the account has gained since the beginning."""
        asset = maker.instrument.base
        account = link.venue.exchange.accounts[link.gateway.account]
        return account.total(asset) - self._opening[link.venue.name][asset]

    def _check_position(self, trader: Trader, maker: Maker) -> None:
        ledger, link = maker.ledger, self._links[maker.instrument.venue]
        if ledger.pnl is None:
            return
        held_atoms = self._held_atoms(maker, link)
        if ledger.position_atoms != held_atoms:
            raise broken(
                trader, f"position: expected {held_atoms} atoms, found {ledger.position_atoms}"
            )
        self._check_fills(trader, maker, self._trades.get(link.venue.name, set()))

    def _check_fills(self, trader: Trader, maker: Maker, made: set[int]) -> None:
        """Each trade of the account is a fill of one process, and in its journal as far as there is one.

        Nothing is ever taken out of any of the sets: where none has grown since they agreed, they agree.
        """
        assert self._journal is not None, "follow comes first"
        at, count = maker.instrument.id, maker.ledger.fill_count
        sizes = (
            count,
            len(made),
            len(self._told),
            len(self._journal.trades),
            int(trader.journal_up),
        )
        if self._agreed.get(at) == sizes:
            return
        before = {trade for i, trade in self._told if i == at}
        if count != len(made - before):
            raise broken(trader, f"fills: expected {len(made - before)}, found {count}")
        told = {trade for i, trade in self._journal.trades if i == at}
        if trader.journal_up and before | told != made:
            differing = sorted((before | told) ^ made)
            raise broken(trader, f"fills: expected trades {differing} in one journal")
        self._agreed[at] = sizes
