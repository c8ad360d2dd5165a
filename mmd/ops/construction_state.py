"""What people see of quote construction: how the quote state came about and what leans on the quotes."""

from mmd.core.maker import Maker
from mmd.core.quoting.multipliers import Cause
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.ops.state import ConstructionState, QuoteChangeState

CHANGES_SHOWN = 20


def construction_state(maker: Maker, now_ns: int) -> ConstructionState:
    """As it stands."""
    changes, shaping = maker.quote_changes, maker.shaping
    per_bps = 1.0 if maker.scale is None else maker.scale.ticks_per_bps
    recent_ticks = shaping.recent.ticks
    shown = changes.since(max(changes.total - CHANGES_SHOWN, 0))
    held_until_ns = maker.working["held_until_ns"][0]
    return ConstructionState(
        state_changes=[(to.name, why.name, n) for (to, why), n in changes.counts.items()],
        last_changes=[
            QuoteChangeState(
                (now_ns - change.ts_ns) / NANOS_PER_SECOND,
                change.before.name,
                change.after.name,
                change.reason.name,
            )
            for change in shown
        ],
        sigma_slow_bps=shaping.sigma_slow / per_bps if shaping.sigma_slow > 0.0 else None,
        age_skew_multiplier=maker.quoter.multipliers.of(Cause.POSITION_AGE)[2],
        recent_markout_bps=None if recent_ticks is None else recent_ticks / per_bps,
        recent_fills=shaping.recent.fills,
        favourable=shaping.is_favourable,
        own_levels=(int(maker.view.own["n"][0, 0]), int(maker.view.own["n"][0, 1])),
        requotes_skipped=maker.counts.requotes_skipped,
        resting=[side.name for side in Side if now_ns < int(held_until_ns[side])],
    )
