"""An account that is being opened: what was held before the first fills, and what that was worth.

A daemon that starts learns of the fills that were made while no process ran before it learns what is held, and of
both perhaps before it knows a price. They are booked like any other: what is held at the end of them is what the
venue said, so what was held before them follows.
"""

from mmd.core.events import Fill
from mmd.core.instrument import Instrument
from mmd.core.inventory.pnl import Pnl
from mmd.core.orders.order import OrderPurpose


class Opening:
    """Fills and payments since the beginning, until the account stands on a price."""

    __slots__ = ("_fills", "_funding_atoms", "_instrument", "_opened")

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._fills: list[tuple[Fill, OrderPurpose]] = []
        self._funding_atoms = 0
        self._opened: tuple[int, int] | None = None

    def on_fill(self, fill: Fill, purpose: OrderPurpose) -> None:
        """Keep a fill to be booked with the opening."""
        self._fills.append((fill, purpose))

    def on_funding(self, received_atoms: int) -> None:
        """Keep a payment likewise."""
        self._funding_atoms += received_atoms

    def open(self, position_atoms: int, mid_half_ticks: int, now_ns: int) -> Pnl:
        """The account as of the first reconciliation, with an inventory that contains the fills so far.

        Where the mid is not known (0) inventory has no value yet: `reopen` gives it one.
        """
        self._opened = position_atoms - sum(self._atoms(fill) for fill, _ in self._fills), now_ns
        return self.reopen(mid_half_ticks)

    def reopen(self, mid_half_ticks: int) -> Pnl:
        """The same account, with all fills so far, from another mid."""
        assert self._opened is not None, "open comes first"
        carried_atoms, now_ns = self._opened
        pnl = Pnl(self._instrument, mid_half_ticks, carried_atoms)
        pnl.position.hold_since(now_ns)
        for fill, purpose in self._fills:
            pnl.on_fill(fill, mid_half_ticks, purpose=purpose)
        if self._funding_atoms != 0:
            pnl.on_funding(self._funding_atoms)
        return pnl

    def _atoms(self, fill: Fill) -> int:
        """What a fill did to our holdings of the base asset."""
        gained = fill.side.sign * fill.qty_lots * self._instrument.atoms_per_lot
        return gained - (fill.fee_atoms if fill.fee_asset == self._instrument.base else 0)
