"""What one instrument holds, has earned and is owed: fills, PnL, markouts and the venue's own balances."""

from collections import deque

from mmd.core.events import Balance, Fill, FundingPaid, Reconciled
from mmd.core.flow.markout import Markouts
from mmd.core.instrument import Instrument
from mmd.core.inventory.money import Money
from mmd.core.inventory.opening import Opening
from mmd.core.inventory.pnl import Pnl
from mmd.core.orders.order import OrderPurpose

FILLS_KEPT = 256
_QUOTE = OrderPurpose.QUOTE


class Ledger:
    """The accounts of one instrument.

    The first `Reconciled` sets the baseline: inventory is what is held beyond the target. Later ones are
    compared with it and never change it.

    Attributes:
        pnl: None until the first reconciliation.
        fills: the last FILLS_KEPT of our trades.
        drift_atoms: holdings that the venue reported last less those that our fills explain; 0, or something
            happened that we have not been told.
        base_atoms, quote_atoms: total holdings, as the venue last said and moved by the fills that are not in it yet.
        position_atoms: inventory; 0 before the first reconciliation.
        position_lots: the same in whole lots, towards zero.
        early_count: how many of the fills were told before the first reconciliation: made while no process ran.
        turnover_ticklots: by side, price times quantity of what was bought and sold since the start.
        hedge_lots: what of that is held for other instruments, as hedges of theirs.
        quoted_lots: the rest, which is what quotes are about.
        changes: how often position or holdings may have changed.
    """

    def __init__(
        self,
        instrument: Instrument,
        target_atoms: int | None,
        *,
        books_early_fills: bool = False,
    ) -> None:
        """See `mmd.core.spec.SessionSpec` for target_atoms and books_early_fills."""
        self.pnl: Pnl | None = None
        self.markouts = Markouts()
        self.fills: deque[Fill] = deque(maxlen=FILLS_KEPT)
        self.fill_count = 0
        self.maker_count = 0
        self.early_count = 0
        self.turnover_ticklots = [0, 0]
        self.drift_atoms = 0
        self.base_atoms = 0
        self.quote_atoms = 0
        self.position_atoms = 0
        self.position_lots = 0
        self.hedge_lots = 0
        self.quoted_lots = 0
        self.changes = 0
        self._stated_atoms: int | None = None
        self._stated_quote_atoms = 0
        self._reconciled_to = -1
        """The newest trade in the last reconciliation; -1: that is not known."""
        self._funded_ns = 0
        self._instrument = instrument
        self._target_atoms = target_atoms
        self._opening: Opening | None = Opening(instrument) if books_early_fills else None
        """None once it is over."""

    def on_reconciled(self, event: Reconciled, mid_half_ticks: int) -> None:
        """Set the baseline, or compare with it."""
        self.changes += 1
        self.base_atoms = event.base_atoms
        if self.pnl is None:
            if self._target_atoms is None:
                self._target_atoms = event.base_atoms
            carried_atoms = event.base_atoms - self._target_atoms
            self.pnl = self._opened(carried_atoms, mid_half_ticks, event.ts_recv_ns)
            self._note_position(self.pnl)
        assert self._target_atoms is not None, "set with the first reconciliation"
        self.drift_atoms = event.base_atoms - self._target_atoms - self.position_atoms
        self._stated_atoms = event.base_atoms
        self._reconciled_to = -1 if event.trade_id is None else event.trade_id

    def on_balance(self, event: Balance) -> None:
        """Take over what the venue says we hold."""
        self.changes += 1
        total = event.free_atoms + event.locked_atoms
        if event.asset == self._instrument.base:
            self.base_atoms = self._stated_atoms = total
        if event.asset == self._instrument.quote:
            self.quote_atoms = self._stated_quote_atoms = total

    def on_fill(
        self, fill: Fill, mid_half_ticks: int, now_ns: int, purpose: OrderPurpose = _QUOTE
    ) -> None:
        """Book one of our trades; for one before the first reconciliation see `books_early_fills` of the spec."""
        if self._opening is not None:
            self._value_opening(mid_half_ticks)
        if self._opening is not None:
            self._opening.on_fill(fill, purpose)
            if self.pnl is None:
                self.early_count += 1
                self._count(fill)
        if self.pnl is None:
            return
        self.changes += 1
        self.pnl.on_fill(fill, mid_half_ticks, purpose=purpose)
        ahead_atoms, held_atoms = self.stated_drift_atoms, self.position_atoms
        if ahead_atoms == 0:  # the balance with this fill in it is still to come
            self._stated_atoms = None
        self._note_position(self.pnl)
        if fill.trade_id <= self._reconciled_to:  # overtaken on its way: that picture has it
            self.drift_atoms -= self.position_atoms - held_atoms
        if purpose is _QUOTE:  # who takes knows what he pays
            self.markouts.on_fill(
                fill.side, fill.price_ticks, fill.qty_lots, mid_half_ticks, now_ns
            )
        self._count(fill)
        self._move_holdings(fill, self.pnl.position.money, ahead_atoms)

    def _count(self, fill: Fill) -> None:
        self.fills.append(fill)
        self.fill_count += 1
        self.maker_count += fill.is_maker
        self.turnover_ticklots[fill.side] += fill.price_ticks * fill.qty_lots

    def _opened(self, position_atoms: int, mid_half_ticks: int, now_ns: int) -> Pnl:
        """The account as of the first reconciliation."""
        if self._opening is None:
            pnl = Pnl(self._instrument, mid_half_ticks, position_atoms)
            pnl.position.hold_since(now_ns)
            return pnl
        pnl = self._opening.open(position_atoms, mid_half_ticks, now_ns)
        if mid_half_ticks > 0:
            self._opening = None
        return pnl

    def _value_opening(self, mid_half_ticks: int) -> None:
        """Have what was carried over, and fills since, begin at the first mid that is known."""
        if self._opening is not None and self.pnl is not None and mid_half_ticks > 0:
            self.pnl, self._opening = self._opening.reopen(mid_half_ticks), None
            self.changes += 1

    def _move_holdings(self, fill: Fill, money: Money, ahead_atoms: int) -> None:
        """Move holdings by a fill, unless it was in the last balance, which said ahead_atoms more than fills explained.

        A fill that comes late (by another way than balances, or fetched by a question) is told after its balance.
        """
        left_atoms = self.stated_drift_atoms
        if self._stated_atoms is not None and abs(left_atoms) < abs(ahead_atoms):
            if left_atoms == 0:  # every fill in it is told, whatever was made of the first of them
                self.base_atoms, self.quote_atoms = self._stated_atoms, self._stated_quote_atoms
            return
        self.base_atoms += fill.side.sign * fill.qty_lots * money.atoms_per_lot
        self.quote_atoms -= fill.side.sign * money.quote_atoms(
            money.notional(fill.qty_lots, fill.price_ticks)
        )

    def on_funding(self, event: FundingPaid) -> None:
        """Book a payment that was not booked before: they come in the order of the venue's time, some of them twice."""
        if self.pnl is None or event.ts_event_ns <= self._funded_ns:
            return
        self._funded_ns = event.ts_event_ns
        self.changes += 1
        if self._opening is not None:
            self._opening.on_funding(event.received_atoms)
        self.pnl.on_funding(event.received_atoms)
        self.quote_atoms += event.received_atoms

    @property
    def stated_drift_atoms(self) -> int:
        """What the last balance says beyond what our fills explain."""
        if self._stated_atoms is None or self._target_atoms is None:
            return 0
        return self._stated_atoms - self._target_atoms - self.position_atoms

    def hold_for_others(self, lots: int) -> None:
        """Take so many lots more of the position as a hedge of another instrument, fewer if negative."""
        self.hedge_lots += lots
        self.quoted_lots = self.position_lots - self.hedge_lots

    @property
    def opened_ns(self) -> int | None:
        """Engine time since which the inventory is on its present side; None while under one lot."""
        return None if self.pnl is None else self.pnl.position.opened_ns

    def time_in_position_ns(self, now_ns: int) -> int:
        """Engine time for which the inventory has been on its present side; 0 while under one lot."""
        return 0 if self.pnl is None else self.pnl.position.held_ns(now_ns)

    def on_mid(self, mid_half_ticks: int, now_ns: int) -> None:
        """Mark the inventory and judge the fills whose horizon has passed."""
        if self.pnl is not None:
            if self._opening is not None:
                self._value_opening(mid_half_ticks)
            self.pnl.on_mid(mid_half_ticks)
        self.markouts.on_mid(mid_half_ticks, now_ns)

    def _note_position(self, pnl: Pnl) -> None:
        """Decisions read the position far more often than fills change it."""
        self.position_atoms, self.position_lots = pnl.position.atoms, pnl.position.lots
        self.quoted_lots = self.position_lots - self.hedge_lots
