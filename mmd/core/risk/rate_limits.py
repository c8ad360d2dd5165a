"""The rate limits of a session's settings as budgets: a set for each venue, because each venue counts for itself."""

from mmd.core.risk.throttle import Budget, Counted, Throttle
from mmd.core.spec import RiskSpec, SessionSpec, VenueBudgets
from mmd.core.units import NANOS_PER_SECOND

_DAY_S = 86_400


def throttle_of(spec: SessionSpec) -> Throttle:
    """The session's throttle; sessions that were recorded before venues had budgets of their own share one set."""
    risk = spec.risk
    every = VenueBudgets(
        venue="",
        orders_per_10s=risk.orders_per_10s,
        orders_per_day=risk.orders_per_day,
        messages_per_minute=risk.messages_per_minute,
    )
    if not risk.budgets_by_venue:
        return Throttle(_budgets(every, risk))
    own = {limits.venue: limits for limits in risk.venue_budgets}
    venues = dict.fromkeys(i.venue for i in spec.instruments)
    return Throttle((), {name: _budgets(own.get(name, every), risk) for name in venues})


def _budgets(limits: VenueBudgets, risk: RiskSpec) -> tuple[Budget, ...]:
    """Named and spaced as Binance spot counts, so that its usage corrects them."""
    orders, weight, reserved = Counted.ORDERS, Counted.WEIGHT, risk.orders_reserve_ratio
    return (
        Budget(
            name="ORDERS",
            counts=orders,
            limit=limits.orders_per_10s,
            interval_ns=10 * NANOS_PER_SECOND,
            reserve=int(limits.orders_per_10s // 2 * reserved),
        ),
        Budget(
            name="ORDERS",
            counts=orders,
            limit=limits.orders_per_day,
            interval_ns=_DAY_S * NANOS_PER_SECOND,
            reserve=int(limits.orders_per_day // 2 * reserved),
        ),
        Budget(
            name="REQUEST_WEIGHT",
            counts=weight,
            limit=limits.messages_per_minute,
            interval_ns=60 * NANOS_PER_SECOND,
            reserve=limits.messages_per_minute // 10,
        ),
    )
