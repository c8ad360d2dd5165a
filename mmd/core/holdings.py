"""Tells the risk gate what an instrument holds, and leaves to others of the session what is theirs."""

from mmd.core.inventory.ledger import Ledger
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.risk.session_risk import SessionRisk
from mmd.core.risk.view import RiskView
from mmd.core.units import InstrumentId


class Holdings:
    """One instrument's holdings between its ledger, the gate's view, and what the session shares.

    Attributes:
        instrument: whose they are.
        ledger: where they are booked.
        changes: how often the ledger had changed when the gate was told last.
    """

    __slots__ = ("_orders", "_risk", "_session", "_told", "changes", "instrument", "ledger")

    def __init__(
        self,
        instrument: InstrumentId,
        session: SessionRisk,
        ledger: Ledger,
        orders: WorkingOrders,
        risk: RiskView,
    ) -> None:
        self.instrument = instrument
        self._session = session
        self.ledger = ledger
        self._orders = orders
        self._risk = risk
        self.changes = -1
        self._told: tuple[int, ...] = ()
        """What it was told in a session that is shared."""

    def tell(self) -> None:
        """Tell the gate where anything has changed: the ledger, or funds that others lock, exposure that they have."""
        ledger, shared = self.ledger, self._session.is_shared
        self.changes = ledger.changes
        if shared:
            self._tell_shared()
        else:
            self._risk.hold(ledger.position_atoms, ledger.base_atoms, ledger.quote_atoms)

    def _tell_shared(self) -> None:
        ledger, shared, at = self.ledger, self._session.commitments, self.instrument
        told = shared.version, ledger.position_atoms, ledger.base_atoms, ledger.quote_atoms
        if told == self._told:
            return
        self._told = told
        base_atoms, quote_atoms = shared.others_locked(at)
        self._risk.hold(
            ledger.position_atoms, ledger.base_atoms - base_atoms, ledger.quote_atoms - quote_atoms
        )
        self._risk.exposure_lots = shared.room_lots(at, ledger.position_lots)

    def share(self) -> None:
        """Tell the others at once; where there are none it is soon enough by the timer, for the metrics."""
        if self._session.is_shared:
            self.commit()

    def commit(self) -> None:
        """State what this instrument holds and may come to."""
        orders = self._orders
        self._session.commitments.state(
            self.instrument, self.ledger.position_lots, orders.open_lots, orders.open_ticklots
        )
