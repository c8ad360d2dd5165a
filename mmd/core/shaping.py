"""What time, volatility and our own fills make of an instrument's quotes, beyond the spread model's own inputs.

Everything here is worked out now and then, when the quoter makes its estimates, and written where the kernels of the
hot path and the quote judge read it anyway.
"""

from functools import partial
from typing import Final

from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.flow.recent_markout import RecentMarkout
from mmd.core.instrument import Instrument
from mmd.core.inventory.ledger import Ledger
from mmd.core.quote_judge import QuoteJudge
from mmd.core.quoter import Quoter
from mmd.core.quoting.construction import ConstructionSpec
from mmd.core.quoting.multipliers import Cause
from mmd.core.quoting.slow_volatility import average_volatility
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, bind

NANOS_PER_HOUR: Final = 3_600 * NANOS_PER_SECOND
SHAPE_NS: Final = 10 * NANOS_PER_SECOND
"""How often what changes slowly is worked out."""
_HORIZON: Final = HORIZONS_NS.index(NANOS_PER_SECOND)


class Shaping:
    """Leans on one instrument's quotes.

    Attributes:
        sigma_slow: slow average of the volatility, ticks per square root of a second; 0 before the first.
        recent: markouts of the latest fills, one second after each.
        next_ns: when what changes slowly is worked out again.
        averaged_ns: when it last was.
        is_favourable: whether quotes may be tighter: little inventory, volatility not above its slow average, and the
            latest fills earned enough after the maker fee.
    """

    def __init__(
        self,
        instrument: Instrument,
        spec: ConstructionSpec,
        quoter: Quoter,
        judge: QuoteJudge,
        ledger: Ledger,
        vol: Rec,
    ) -> None:
        """`vol` is the VOLATILITY record of the instrument's view."""
        self.sigma_slow = 0.0
        self.recent = RecentMarkout(ledger.markouts.record, _HORIZON)
        self.is_favourable = False
        self.next_ns = 0
        self._spec = spec
        self._quoter = quoter
        self._judge = judge
        self._ledger = ledger
        self._sigma = memoryview(vol["sigma"])
        self._fee_bps = instrument.maker_fee_bps
        self._ticks_per_bps = 0.0
        self.averaged_ns = 0
        averaged = quoter.quote, vol
        self._average = partial(bind(average_volatility, *averaged, 0.0, 1.0), *averaged)

    def rescale(self, ticks_per_bps: float) -> None:
        """Take over a new price level; the QUOTE record has been made anew."""
        self._ticks_per_bps = ticks_per_bps
        spec, quote = self._spec, self._quoter.quote
        quote["spacing_growth"] = spec.reducing_spacing_multiplier - 1.0
        quote["volatility_skew"] = spec.volatility_skew
        quote["sigma_slow"] = self.sigma_slow
        self._judge.set_market_limits(
            spread_ticks_min=spec.market_spread_bps_min * ticks_per_bps,
            sigma_wide=spec.volatility_bps_wide * ticks_per_bps,
        )

    def on_step(self, now_ns: int) -> None:
        """A second has passed."""
        if now_ns >= self.next_ns:
            self.next_ns = now_ns + SHAPE_NS
            self._average_volatility(now_ns)
            self._lean_on_age(now_ns)
        if self._spec.aggressive:
            self.recent.update()
            self.is_favourable = self._find_favour()
            self._judge.set_favourable(is_favourable=self.is_favourable)

    def _average_volatility(self, now_ns: int) -> None:
        elapsed_s = (now_ns - self.averaged_ns) / NANOS_PER_SECOND
        self.averaged_ns = now_ns
        self._average(elapsed_s, self._spec.volatility_slow_halflife_s)
        self.sigma_slow = float(self._quoter.quote["sigma_slow"][0])

    def _lean_on_age(self, now_ns: int) -> None:
        spec = self._spec
        if spec.age_skew_per_hour > 0.0:
            hours = self._ledger.time_in_position_ns(now_ns) / NANOS_PER_HOUR
            skew = min(1.0 + spec.age_skew_per_hour * hours, spec.age_skew_multiplier_max)
            self._quoter.multipliers.set(Cause.POSITION_AGE, skew=skew)

    def _find_favour(self) -> bool:
        spec, markout_ticks = self._spec, self.recent.ticks
        if markout_ticks is None or self.recent.fills < spec.aggressive_fills_min:
            return False
        earned_ticks = markout_ticks - self._fee_bps * self._ticks_per_bps
        return (
            earned_ticks >= spec.aggressive_markout_bps_min * self._ticks_per_bps
            and self._sigma[0] <= self.sigma_slow
            and abs(self._judge.inventory_ratio) <= spec.aggressive_inventory_ratio_max
        )
