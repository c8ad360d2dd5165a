"""One instrument's watch on adverse selection: told of fills and of time, it tells the quoter how to answer."""

from collections.abc import Callable
from typing import Final

from mmd.core.flow.adverse_kernels import ADVERSE, JUDGED_NS, NOT_QUOTED, on_fill, on_step
from mmd.core.flow.adverse_spec import AdverseSpec
from mmd.core.flow.impact import ImpactTracker
from mmd.core.flow.mid_history import HISTORY
from mmd.core.flow.response import IMPACT_MODELS, Response, response_at
from mmd.core.flow.toxicity import SHRINK_FILLS
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, bind, new

STEP_NS: Final = NANOS_PER_SECOND
"""How often fills are judged again and the answer is let fade."""
_SEED_MASK: Final = 0x7FFFFFFF


class AdverseSelection:
    """Judges each fill of our quotes and answers it.

    Attributes:
        record: ADVERSE record; history: HISTORY record.
        impact: what trades do to the mid.
        response: what quotes were last told.
        stepped_ns: when what has come of fills was last judged, 0 = never.
    """

    def __init__(
        self,
        spec: AdverseSpec,
        seed: int,
        *,
        spread_model: str,
        markout: Rec,
        vol: Rec,
        flow: Rec,
        respond: Callable[[Response], None],
    ) -> None:
        """The records are the instrument's; `respond` is called when the answer changes."""
        self.spec = spec
        self.record = new_adverse(spec, seed)
        self.history: Rec = new(HISTORY)
        self.impact = ImpactTracker(self.history)
        self.response = Response()
        self._by_impact = spread_model in IMPACT_MODELS
        self._respond = respond
        self._ticks_per_bps = 0.0
        self.stepped_ns = 0
        self._level = memoryview(self.record["response"])
        fill_records = (self.record, markout, vol, flow)
        step_records = (self.record, markout, self.history, flow)
        self._fill_records, self._step_records = fill_records, step_records
        self._on_fill = bind(on_fill, *fill_records, 0, 0)
        self._on_step = bind(on_step, *step_records, 0, 0)

    def on_fill(self, level: int, quoted_lots: int) -> None:
        """The markouts have taken in a fill: of which level, or NOT_QUOTED, and the size of its order."""
        self._on_fill(*self._fill_records, level, quoted_lots)
        if level != NOT_QUOTED:
            self.answer()

    def on_time(self, mid_half_ticks: int, ticks_per_bps: float, now_ns: int) -> None:
        """Once a second: judge what has come of the fills, and let the answer fade."""
        if now_ns - self.stepped_ns < STEP_NS or mid_half_ticks == 0:
            return
        self.stepped_ns = now_ns
        self._ticks_per_bps = ticks_per_bps
        self._on_step(*self._step_records, mid_half_ticks, now_ns)
        self.impact.on_step()
        self.answer()

    @property
    def level(self) -> float:
        """How strongly quotes answer: 0 not at all, 1 fully."""
        return self._level[0]

    @property
    def impact_ticks(self) -> float:
        """Impact xi of a fill at full response: ticks that the mid goes against us within 30 s of a fill, never below 0.

        Source: the impact of a fill in Gueant, Lehalle, Fernandez-Tapia (2013), section 5, from measured markouts.
        """
        a = self.record[0]
        moved = float(a["all_moved"]) / (float(a["all_moved_weight"]) + SHRINK_FILLS)
        return min(max(-moved, 0.0), self.spec.impact_bps_max * self._ticks_per_bps)

    def has_answered(self, ticks_per_bps: float) -> bool:
        """Whether quotes were told all that there is to tell at a price level; not where it is another than the last."""
        is_heard = self._wanted() == self.response or not self.spec.responds
        return is_heard and ticks_per_bps == self._ticks_per_bps

    def _wanted(self) -> Response:
        spec = self.spec
        return response_at(
            self._level[0],
            size_multiplier_min=spec.size_multiplier_min,
            spread_multiplier_max=spec.spread_multiplier_max,
            impact_ticks=self.impact_ticks if self._by_impact else None,
        )

    def answer(self) -> None:
        """Tell the quoter, if what it should be told has changed."""
        response = self._wanted()
        if self.spec.responds and response != self.response:
            self.response = response
            self._respond(response)


def new_adverse(spec: AdverseSpec, seed: int) -> Rec:
    """ADVERSE record with these settings; nothing has been judged."""
    adverse: Rec = new(ADVERSE)
    adverse["seed"] = seed & _SEED_MASK
    adverse["fills_pooled"] = spec.fills_pooled
    adverse["pool_ns"][0] = JUDGED_NS
    adverse["by_z"] = spec.mode == "z"
    adverse["z_limit"] = spec.z_threshold
    adverse["moved_bps_limit"][0] = spec.immediate_bps, spec.delayed_bps
    adverse["delayed_fills_min"] = spec.delayed_fills_min
    adverse["imbalance_limit"] = spec.imbalance_max
    adverse["imbalance_trades_min"] = spec.imbalance_trades_min
    adverse["size_ratio_limit"] = spec.size_ratio_max
    adverse["fills_per_minute_limit"] = spec.fills_per_minute_max
    adverse["percentile"] = spec.percentile
    adverse["tests_min"] = spec.tests_min
    adverse["confidence_limit"] = spec.confidence_max
    adverse["halflife_ns"] = spec.response_halflife_s * NANOS_PER_SECOND
    adverse["step"] = spec.response_step
    return adverse
