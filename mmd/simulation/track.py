"""What a simulated session does over time: quote states, risk levels, losses; looked at after each of its steps."""

from collections import Counter

from mmd.core.maker import Maker
from mmd.core.orders.order import OrderPurpose
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.units import ATOMS_PER_UNIT
from mmd.simulation.trader import Trader

_WITHDRAWN = QuoteState.WITHDRAWN


class Track:
    """Watches the first instrument of a session.

    Attributes:
        state_ns: time spent in each quote state.
        withdrawals: how often quotes were withdrawn after having been out, by reason.
        fills: how many there were, by the purpose of their orders.
        equity_atoms_min, drawdown_atoms_max: of the session's equity, which begins at 0.
    """

    def __init__(self) -> None:
        self.state_ns: Counter[QuoteState] = Counter()
        self.withdrawals: Counter[QuoteReason] = Counter()
        self.fills: Counter[OrderPurpose] = Counter()
        self.equity_atoms_min = self.drawdown_atoms_max = 0
        self._peak_atoms = 0
        self._state = _WITHDRAWN
        self._since_ns: int | None = None

    def observe(self, trader: Trader) -> None:
        """Take note of the present."""
        engine = trader.engine
        maker, now_ns = engine.makers[0], engine.now_ns
        state = maker.state
        if self._since_ns is not None:
            self.state_ns[self._state] += now_ns - self._since_ns
        if state is _WITHDRAWN and self._state is not _WITHDRAWN:
            self.withdrawals[maker.reason] += 1
        self._state, self._since_ns = state, now_ns
        if maker.ledger.fill_count > self.fills.total():
            self._count_fills(maker)
        equity = engine.risk.equity_atoms
        if equity is not None:
            self.equity_atoms_min = min(self.equity_atoms_min, equity)
            self._peak_atoms = max(self._peak_atoms, equity)
            self.drawdown_atoms_max = max(self.drawdown_atoms_max, self._peak_atoms - equity)

    def _count_fills(self, maker: Maker) -> None:
        new = maker.ledger.fill_count - self.fills.total()
        for fill in list(maker.ledger.fills)[-new:]:
            order = maker.orders.get(fill.client_order_id)
            self.fills[OrderPurpose.QUOTE if order is None else order.purpose] += 1

    def share(self, state: QuoteState) -> float:
        """Share of the time so far in a quote state."""
        total = self.state_ns.total()
        return self.state_ns[state] / total if total > 0 else 0.0

    @property
    def loss(self) -> float:
        """The most that was ever lost since the beginning, in the reporting currency, 0 or more."""
        return -self.equity_atoms_min / ATOMS_PER_UNIT

    @property
    def drawdown(self) -> float:
        """The deepest fall from a peak."""
        return self.drawdown_atoms_max / ATOMS_PER_UNIT
