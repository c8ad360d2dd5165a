"""What people see of inventory risk and hedging."""

import msgspec

from mmd.core.engine import Engine
from mmd.core.hedging.hedger import Hedger
from mmd.core.inventory_watch import HeldRisk
from mmd.core.notices import NoticeKind
from mmd.core.units import NANOS_PER_SECOND

NOTICES_SHOWN = 20


class HedgeState(msgspec.Struct, frozen=True):
    """The hedging of one instrument; lots of the hedged instrument unless said otherwise."""

    state: str
    exposure_lots: int
    """Inventory and what is held against it elsewhere."""
    remaining_lots: int
    """Still to be traded, in lots of the route's instrument."""
    route: str | None
    release: bool
    """Whether an earlier hedge is being taken back."""
    choice: list[tuple[str, float]]
    """Routes when the last hedge began with their costs in basis points, best first; those not usable are left out."""
    held: list[tuple[str, int]]
    """What is held elsewhere as a hedge, in lots of that instrument."""
    started: int
    done: int
    late: int
    last_took_s: float


class HeldState(msgspec.Struct, frozen=True):
    """What one instrument's inventory risks; money in its quote currency."""

    value_at_risk: float
    """One day, 95 %."""
    expected_shortfall: float
    tail_samples: int
    """Bars that the shortfall's tail is made of; the normal distribution's holds below 100."""
    var_lots_max: int | None
    """What the VaR limit allows to hold; None without one."""
    position_age_s: float
    is_old: bool
    is_warned: bool
    hedge_lots: int
    """What of the position is held as a hedge of other instruments."""
    hedge: HedgeState | None


class NoticeState(msgspec.Struct, frozen=True):
    """Something that people should hear of."""

    age_s: float
    kind: str
    instrument: str
    text: str


class InventoryState(msgspec.Struct, frozen=True):
    """The inventories of the session together; money in the reporting currency."""

    value_at_risk: float | None
    """Of all positions with their correlations; None while something has no price."""
    equity: float | None
    correlations: list[tuple[str, str, float]]
    """Of each pair of instruments."""
    notice_counts: dict[str, int]
    last_notices: list[NoticeState]


def held_state(engine: Engine, at: int) -> HeldState:
    """One instrument as it stands."""
    held: HeldRisk = engine.inventory.held[at]
    maker = engine.makers[at]
    hedgers = [] if engine.hedging is None else engine.hedging.hedgers
    hedger = next((h for h in hedgers if h.source is maker), None)
    return HeldState(
        value_at_risk=held.value_at_risk,
        expected_shortfall=held.shortfall,
        tail_samples=held.tail.samples,
        var_lots_max=held.lots_max,
        position_age_s=held.age_ns / NANOS_PER_SECOND,
        is_old=held.is_old,
        is_warned=held.is_warned,
        hedge_lots=maker.ledger.hedge_lots,
        hedge=None if hedger is None else _hedge(hedger),
    )


def inventory_state(engine: Engine, now_ns: int) -> InventoryState:
    """The session as it stands."""
    names = [f"{i.venue}:{i.symbol}" for i in engine.instruments]
    portfolio, notices = engine.inventory.portfolio, engine.notices
    shown = notices.since(max(notices.total - NOTICES_SHOWN, 0))
    return InventoryState(
        value_at_risk=engine.inventory.value_at_risk,
        equity=engine.inventory.equity,
        correlations=[
            (one, other, portfolio.correlation(i, j))
            for i, one in enumerate(names)
            for j, other in enumerate(names[:i])
        ],
        notice_counts={
            kind.name: notices.counts[kind] for kind in NoticeKind if notices.counts[kind]
        },
        last_notices=[
            NoticeState(
                (now_ns - n.ts_ns) / NANOS_PER_SECOND, n.kind.name, names[n.instrument], n.text
            )
            for n in shown
        ],
    )


def _hedge(hedger: Hedger) -> HedgeState:
    return HedgeState(
        state=hedger.state.name,
        exposure_lots=hedger.exposure_lots,
        remaining_lots=hedger.remaining_lots,
        route=None if hedger.route is None else hedger.route.name,
        release=hedger.is_release,
        choice=[(cost.name, cost.cost_bps) for cost in hedger.choice],
        held=[(route.name, route.held_lots) for route in hedger.routes if not route.is_same],
        started=hedger.started,
        done=hedger.done,
        late=hedger.late,
        last_took_s=hedger.last_took_ns / NANOS_PER_SECOND,
    )
