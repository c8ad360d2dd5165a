"""What a stress run came to, and the bounds that it was held against."""

import msgspec

from mmd.core.orders.order import OrderPurpose
from mmd.core.quoting.quote_state import QuoteState
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND
from mmd.simulation.invariants import INVENTORY_RATIO_MAX
from mmd.simulation.scenario import Scenario

CLOSING_COST_RATIO = 0.01
"""Of the position limit: what closing a position may cost once the loss stop has spoken, at the pace of a crash."""


class LevelStep(msgspec.Struct, frozen=True):
    """One change of the risk level."""

    at_s: float
    level: str
    reason: str


class StressResult(msgspec.Struct, frozen=True, kw_only=True):
    """One run; money in the quote currency, times in seconds."""

    preset: str
    seed: int
    seconds: float
    wall_s: float
    cpu_s: float
    decisions: int
    commands: int
    fills: int
    fills_by_purpose: dict[str, int]
    inventory_ratio_max: float
    """The largest share of the position limit that was held."""
    position_ratio: float
    """Of the limit, at the end."""
    pnl: float
    loss: float
    """The most that was lost since the beginning, inventory at mid."""
    drawdown: float
    loss_allowed: float
    """The configured stop and what closing at the position limit may cost."""
    quoted_ratio: float
    """Share of the time in which something was quoted."""
    withdrawals: dict[str, int]
    """How often quotes were withdrawn, by reason."""
    levels: tuple[LevelStep, ...]
    level: str
    gaps: int
    """Holes in the feed, each answered by a new snapshot."""
    mismatches: int
    """Books that were not the exchange's; always 0."""
    checks: int
    """Steps after which every invariant held."""
    checks_at_rest: int
    """Of these, those at which each order and atom was compared with the exchange's."""
    broken: str = ""
    """The invariant that did not hold, and when."""
    missing: tuple[str, ...] = ()
    """Withdrawals that the preset must cause and did not."""

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the run; nothing if all bounds were kept."""
        found = [self.broken] if self.broken else []
        if self.inventory_ratio_max > INVENTORY_RATIO_MAX:
            found.append(
                f"inventory: expected at most {INVENTORY_RATIO_MAX:.0%} of the limit, found {self.inventory_ratio_max:.0%}"
            )
        if self.loss > self.loss_allowed:
            found.append(f"loss: expected at most {self.loss_allowed:.2f}, found {self.loss:.2f}")
        if self.mismatches > 0:
            found.append(f"book: expected the exchange's, found {self.mismatches} differences")
        found += [f"withdrawal: expected one for {reason}, found none" for reason in self.missing]
        return tuple(found)


def stress_result(
    at: Scenario,
    preset: str,
    seed: int,
    *,
    expected: frozenset[str],
    broken: str,
    wall_s: float,
    cpu_s: float,
) -> StressResult:
    """Describe a finished run; expected are reasons of which one at least must have withdrawn the quotes."""
    engine, track = at.trader.engine, at.track
    maker, risk = engine.makers[0], engine.spec.risk
    limit = 1 if maker.scale is None else max(maker.scale.position_lots_max, 1)
    withdrawals = {reason.name: n for reason, n in track.withdrawals.items()}
    equity = engine.risk.equity_atoms
    stop = min(risk.loss_max, risk.drawdown_max)
    return StressResult(
        preset=preset,
        seed=seed,
        seconds=at.world.elapsed_s,
        wall_s=wall_s,
        cpu_s=cpu_s,
        decisions=at.trader.decisions,
        commands=at.trader.commands,
        fills=maker.ledger.fill_count,
        fills_by_purpose={
            purpose.name.lower(): track.fills[purpose]
            for purpose in OrderPurpose
            if track.fills[purpose] > 0
        },
        inventory_ratio_max=at.invariants.inventory_ratio_max,
        position_ratio=maker.ledger.position_lots / limit,
        pnl=0.0 if equity is None else equity / ATOMS_PER_UNIT,
        loss=track.loss,
        drawdown=track.drawdown,
        loss_allowed=float(stop) + CLOSING_COST_RATIO * float(risk.position_notional_max),
        quoted_ratio=1.0 - track.share(QuoteState.WITHDRAWN),
        withdrawals=withdrawals,
        levels=tuple(
            LevelStep(
                (change.ts_ns - at.world.start_ns) / NANOS_PER_SECOND,
                change.after.name,
                "" if change.reason is None else change.reason.name,
            )
            for change in engine.levels.history
        ),
        level=engine.levels.level.name,
        gaps=maker.view.gaps,
        mismatches=maker.view.mismatches,
        checks=at.invariants.checks,
        checks_at_rest=at.invariants.checks_at_rest,
        broken=broken,
        missing=() if not expected or expected & withdrawals.keys() else tuple(sorted(expected)),
    )
