"""Adverse selection as people see it: verdicts, toxicity by side and level, the answer of the quotes, impact."""

from collections.abc import Sequence

from mmd.core.flow.adverse_kernels import JUDGED_NS
from mmd.core.flow.adverse_tests import NAMES
from mmd.core.flow.toxicity import LEVELS, SHRINK_FILLS
from mmd.core.maker import Maker
from mmd.core.market.trade_flow import net_imbalance
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.jit.kernel import Rec
from mmd.ops.state import AdverseState, InstrumentState, ToxicityState

_POOLS = tuple(f"{ns // NANOS_PER_SECOND}s" for ns in JUDGED_NS)
STAGES = ("fill", *_POOLS)


def adverse_state(maker: Maker) -> AdverseState | None:
    """One instrument's; None where fills are not judged."""
    watch = maker.adverse.selection
    if watch is None:
        return None
    record, told, scale = watch.record[0], watch.response, maker.scale
    per_bps = 1.0 if scale is None else scale.ticks_per_bps
    per_unit = (1.0 if scale is None else scale.unit_lots) / per_bps
    impact = watch.impact.impact
    return AdverseState(
        mode=watch.spec.mode,
        responds=watch.spec.responds,
        level=watch.level,
        size_multiplier=told.size_multiplier,
        spread_multiplier=told.spread_multiplier,
        impact_bps=told.impact_ticks / per_bps,
        measured_impact_bps=watch.impact_ticks / per_bps,
        z={
            name: float(record["pool_z"][k]) if record["pool_n"][k] > 0 else None
            for k, name in enumerate(_POOLS)
        },
        judged=dict(zip(STAGES, record["staged"].tolist(), strict=True)),
        judged_adverse=dict(zip(STAGES, record["staged_adverse"].tolist(), strict=True)),
        fired=dict(zip(NAMES, record["fired"].tolist(), strict=True)),
        adverse_fills=int(record["adverse"]),
        toxicity=_toxicity(record, per_bps),
        imbalance_5m=net_imbalance(maker.view.flow),
        vpin=float(maker.view.flow["vpin"][0]),
        kyle_lambda_bps=None if impact.kyle is None else impact.kyle * per_unit,
        permanent_impact_bps=None if impact.permanent is None else impact.permanent * per_unit,
        temporary_impact_bps=None if impact.temporary is None else impact.temporary * per_unit,
    )


def _toxicity(record: Rec, per_bps: float) -> list[ToxicityState]:
    """One entry for each side and level that was ever filled."""
    pooled = float(record["all_moved"]) / max(float(record["all_moved_weight"]), 1.0)
    rows = []
    for side in Side:
        for level in range(LEVELS):
            fills = int(record["cell_fills"][side, level])
            if fills > 0:
                weight = float(record["cell_moved_weight"][side, level])
                moved = float(record["cell_moved"][side, level])
                ticks = (moved + SHRINK_FILLS * pooled) / (weight + SHRINK_FILLS)
                recent = float(record["cell_weight"][side, level])
                adverse = float(record["cell_adverse"][side, level])
                rows.append(
                    ToxicityState(
                        side.name, level, fills, recent, adverse / recent, ticks / per_bps
                    )
                )
    return rows


def venue_toxicity(instruments: Sequence[InstrumentState]) -> dict[str, float]:
    """Share of the recent fills of each venue that was adverse; venues without judged fills are left out."""
    sums: dict[str, tuple[float, float]] = {}
    for instrument in instruments:
        if instrument.adverse is not None:
            for row in instrument.adverse.toxicity:
                adverse, recent = sums.get(instrument.venue, (0.0, 0.0))
                sums[instrument.venue] = (
                    adverse + row.ratio * row.recent_fills,
                    recent + row.recent_fills,
                )
    return {venue: adverse / recent for venue, (adverse, recent) in sums.items()}
