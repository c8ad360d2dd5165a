"""An instrument's watch on its fills: how toxic they are, how quotes answer, how many in a row went wrong."""

from mmd.core.events import Fill
from mmd.core.flow.adverse_kernels import NOT_QUOTED
from mmd.core.flow.adverse_selection import AdverseSelection
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.inventory.ledger import Ledger
from mmd.core.market_view import MarketView
from mmd.core.orders.order import Order, OrderPurpose
from mmd.core.quoter import Quoter
from mmd.core.risk.caution import AdverseStreak
from mmd.core.risk.levels import Raiser
from mmd.core.scaling import Scale
from mmd.core.spec import SessionSpec

_QUOTE = OrderPurpose.QUOTE


class AdverseWatch:
    """Told of fills that are booked and of time.

    Attributes:
        selection: judges fills for adverse selection and tells the quoter; None where that is off.
    """

    def __init__(
        self,
        spec: SessionSpec,
        levels: Raiser,
        quoter: Quoter,
        view: MarketView,
        ledger: Ledger,
    ) -> None:
        self._view = view
        self._ledger = ledger
        risk = spec.risk
        self._streak = AdverseStreak(levels, risk.adverse_streak_max, risk.caution_hold_ns)
        self._horizon = HORIZONS_NS.index(risk.adverse_horizon_ns)
        self.selection: AdverseSelection | None = None
        if spec.adverse is not None:
            self.selection = AdverseSelection(
                spec.adverse,
                spec.seed,
                spread_model=spec.quoting.spread_model,
                markout=ledger.markouts.record,
                vol=view.vol,
                flow=view.flow,
                respond=quoter.respond,
            )

    @property
    def streak(self) -> int:
        """Fills in a row with a negative markout at the horizon that is watched."""
        return self._ledger.markouts.streak(self._horizon)

    @property
    def streak_ends_ns(self) -> int:
        """When a streak that has raised the risk level is over, if nothing adds to it."""
        return self._streak.ends_ns

    def on_fill(self, order: Order | None, fill: Fill) -> None:
        """The ledger has taken in a fill; before the first reconciliation it books none."""
        if self.selection is not None and self._ledger.pnl is not None:
            self.selection.on_fill(*quoted(order, fill))

    def on_time(self, scale: Scale | None, now_ns: int) -> None:
        """Judge what has fallen due; the scale is None while no price is known."""
        markouts = self._ledger.markouts
        markouts.on_time(now_ns)
        if self.selection is not None and scale is not None:
            self.selection.on_time(self._view.mid_half_ticks, scale.ticks_per_bps, now_ns)
        if self._streak.on_streak(self.streak, now_ns):
            markouts.forget_streak(self._horizon)


def quoted(order: Order | None, fill: Fill) -> tuple[int, int]:
    """Level and size of the quote that was filled; (NOT_QUOTED, 0) for takers, hedges and strangers' orders."""
    if order is None or order.purpose is not _QUOTE or not fill.is_maker:
        return NOT_QUOTED, 0
    return order.level, order.qty_lots
