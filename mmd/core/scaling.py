"""From what a user says (basis points, quote currency) to what the engine counts in (ticks, lots) at a price."""

import math
from decimal import ROUND_CEILING, Decimal

import msgspec

from mmd.core.instrument import Instrument
from mmd.core.risk.limits import RiskLimits
from mmd.core.spec import QuotingSpec, RiskSpec

_BPS = 1e-4
_NOTIONAL_MARGIN = Decimal("1.05")
"""Orders stay this far above the venue's least notional, so that a small move does not make them illegal."""


class Scale(msgspec.Struct, frozen=True):
    """Everything that depends on the price level; valid while the mid stays near `mid_ticks`."""

    mid_ticks: float
    ticks_per_bps: float
    unit_lots: int
    lots_min: int
    position_lots_max: int
    order_lots_max: int
    tolerance_ticks: int

    def holds_at(self, mid_ticks: float, drift_max: float = 0.1) -> bool:
        """Whether the mid is still within a tenth of where the scale was made."""
        return abs(mid_ticks - self.mid_ticks) <= drift_max * self.mid_ticks

    def half_ticks_range(self, drift_max: float = 0.09) -> tuple[int, int]:
        """Between which sums of best bid and ask it surely holds; outside ask `holds_at`."""
        mid_half_ticks = 2.0 * self.mid_ticks
        return (
            math.ceil((1.0 - drift_max) * mid_half_ticks),
            math.floor((1.0 + drift_max) * mid_half_ticks),
        )


NO_SCALE = Scale(
    mid_ticks=0.0,
    ticks_per_bps=0.0,
    unit_lots=1,
    lots_min=1,
    position_lots_max=0,
    order_lots_max=1,
    tolerance_ticks=0,
)
"""Before the first mid: nothing may be held, so nothing can be placed."""


def scale_at(
    mid_ticks: float,
    instrument: Instrument,
    quoting: QuotingSpec,
    risk: RiskSpec,
    lots_max: int | None = None,
) -> Scale:
    """The scale at a mid price above 0, with a position limit of no more than lots_max."""
    lot_notional = instrument.notional_per_ticklot * Decimal(mid_ticks)
    least = (instrument.notional_min * _NOTIONAL_MARGIN / lot_notional).to_integral_value(
        ROUND_CEILING
    )
    lots_min = max(instrument.qty_lots_min, int(least), 1)
    ticks_per_bps = mid_ticks * _BPS
    position_lots = int(risk.position_notional_max / lot_notional)
    return Scale(
        mid_ticks=mid_ticks,
        ticks_per_bps=ticks_per_bps,
        unit_lots=max(round(quoting.order_notional / lot_notional), lots_min),
        lots_min=lots_min,
        position_lots_max=position_lots if lots_max is None else min(position_lots, lots_max),
        order_lots_max=min(int(risk.order_notional_max / lot_notional), instrument.qty_lots_max),
        tolerance_ticks=round(quoting.requote_tolerance_bps * ticks_per_bps),
    )


def risk_limits(risk: RiskSpec, scale: Scale) -> RiskLimits:
    """The risk limits at a price level."""
    return RiskLimits(
        qty_lots_max=max(scale.order_lots_max, 1),
        notional_quote_max=risk.order_notional_max,
        position_lots_max_long=scale.position_lots_max,
        position_lots_max_short=scale.position_lots_max,
        open_orders_max=risk.open_orders_max,
        collar_bps=risk.collar_bps,
        stale_book_ns=risk.stale_book_ns,
        loss_quote_max=risk.loss_max,
        drawdown_quote_max=risk.drawdown_max,
        rejects_max=risk.rejects_max,
        reject_window_ns=risk.rejects_window_ns,
    )
