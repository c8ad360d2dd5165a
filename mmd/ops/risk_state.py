"""Risk control as people see it: how far off each limit is, why the level rose, what the day has come to."""

from mmd.core.engine import Engine
from mmd.core.maker import Maker
from mmd.core.risk.reasons import LevelReason
from mmd.core.risk.throttle import TokenBucket
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND
from mmd.ops.state import RiskState


def risk_state(engine: Engine, now_ns: int) -> RiskState:
    """The session's risk control as it stands."""
    risk = engine.risk
    day, shared, offset_ns = risk.day_state, risk.commitments, risk.clock_offset_ns
    pnl_atoms = None if day is None else day.pnl_atoms
    capital_atoms, active = risk.capital_atoms, risk.blackouts.active
    return RiskState(
        reporting_currency=shared.reporting,
        level_rises={r.name: n for r, n in zip(LevelReason, risk.levels.rises, strict=True) if n},
        headroom=headroom(engine, now_ns),
        exposure_gross=shared.total.gross_atoms / ATOMS_PER_UNIT,
        exposure_net=shared.total.net_atoms / ATOMS_PER_UNIT,
        day_pnl=None if pnl_atoms is None else pnl_atoms / ATOMS_PER_UNIT,
        day_drawdown=None
        if day is None
        else max(day.peak_atoms - day.pnl_atoms, 0) / ATOMS_PER_UNIT,
        day_return=None if pnl_atoms is None or capital_atoms == 0 else pnl_atoms / capital_atoms,
        order_to_trade=risk.ratio.ratio,
        clock_offset_s=None if offset_ns is None else offset_ns / NANOS_PER_SECOND,
        blackout=None if active is None else active.reason,
    )


def headroom(engine: Engine, now_ns: int) -> dict[str, float]:
    """Share of each limit that is free, by the limit's name; of several instruments or scopes the least."""
    risk = engine.risk
    found: list[tuple[str, float]] = []
    for maker in engine.makers:
        found += _of_instrument(maker).items()
    for scope in risk.commitments.scopes:
        found += scope.headroom().items()
    if risk.equity_atoms is not None:
        found += risk.losses.headroom(risk.equity_atoms).items()
    found += (
        (_name(b), b.available(now_ns, urgent=True) / b.capacity) for b in risk.throttle.buckets
    )
    if risk.ratio.headroom is not None:
        found.append(("order_to_trade", risk.ratio.headroom))
    least: dict[str, float] = {}
    for name, ratio in found:
        least[name] = min(ratio, least.get(name, ratio))
    return least


def _of_instrument(maker: Maker) -> dict[str, float]:
    """Worst-case position and open orders, of the fuller side; what is unknown is left out."""
    orders, bounds = maker.orders, maker.risk.bounds
    free = {"open_orders": 1.0 - max(orders.open_orders) / bounds.open_orders_max}
    limit_lots = 0 if maker.scale is None else maker.scale.position_lots_max
    if limit_lots > 0:
        held, (bought, sold) = maker.ledger.position_lots, orders.open_lots
        free["position"] = 1.0 - max(held + bought, sold - held) / limit_lots
    return free


def _name(bucket: TokenBucket) -> str:
    """E.g. orders_10s, request_weight_60s."""
    budget = bucket.budget
    return f"{budget.name.lower()}_{budget.interval_ns // NANOS_PER_SECOND}s"
