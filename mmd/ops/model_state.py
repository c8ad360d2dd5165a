"""The part of the State that says what spread model and fair value go by."""

from mmd.core.maker import Maker
from mmd.ops.state import ModelState


def model_state(maker: Maker) -> ModelState:
    """One instrument as it stands."""
    quoter, quote, lead = maker.quoter, maker.quoter.quote[0], maker.quoter.lead
    touch, per_bps = maker.view.touch[0], None if maker.scale is None else maker.scale.ticks_per_bps
    seen = float(touch["seen"].sum())
    trusted = float((touch["seen"] * touch["trust"]).sum())
    return ModelState(
        spread_model=quoter.model.name,
        break_even_bps=quoter.break_even_bps,
        risk_aversion=float(quote["gamma"]),
        adverse_cost_bps=None if per_bps is None else float(quote["adverse_cost"]) / per_bps,
        adverse_fill_ratio=quoter.costs.adverse_ratio,
        activity_ratio=float(quote["activity"]),
        microprice_trust_ratio=trusted / seen if seen > 0.0 else 0.0,
        lead=None if lead is None else lead.symbol,
        lead_followed=None if lead is None else lead.is_followed,
        lead_shift_bps=None if lead is None or per_bps is None else lead.shift_ticks / per_bps,
    )
