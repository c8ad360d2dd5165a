"""A risk view on which an ordinary order passes, and limits to judge it by."""

from decimal import Decimal

from mmd.core.instrument import TradingStatus
from mmd.core.orders.order_diff import new_working
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.risk.limits import Bounds, RiskLimits
from mmd.core.risk.view import RiskView
from tests.order_events import INSTRUMENT, SESSION, instrument


def limits(**changes):
    fields = {
        "qty_lots_max": 100,
        "notional_quote_max": Decimal(1000),
        "position_lots_max_long": 200,
        "position_lots_max_short": 200,
        "loss_quote_max": Decimal(100),
        "drawdown_quote_max": Decimal(100),
    }
    return RiskLimits(**(fields | changes))


def view(grid=None, **limit_changes):
    """Bid 1000, ask 1002, fresh, in sync, trading, rich and flat."""
    orders = WorkingOrders(INSTRUMENT, SESSION, new_working())
    made = RiskView(Bounds(instrument() if grid is None else grid, limits(**limit_changes)), orders)
    made.bid_ticks, made.ask_ticks, made.last_ticks = 1000, 1002, 1001
    made.is_synced = made.is_private_up = True
    made.status = TradingStatus.TRADING
    made.hold(0, 10**18, 10**18)
    return made


def hold(seen, **changes):
    """Change some of the holdings."""
    names = ("position_atoms", "base_atoms", "quote_atoms")
    seen.hold(**{name: changes.get(name, getattr(seen, name)) for name in names})
