"""Parts of a quoter's settings in the form in which others take them."""

from mmd.core.quoting.quote_state import QuoteState
from mmd.core.quoting.spread_models import SpreadSettings
from mmd.core.spec import QuotingSpec


def multipliers_of(spec: QuotingSpec) -> dict[QuoteState, float]:
    """How much wider or narrower quotes are in states that are not ordinary."""
    return {
        QuoteState.PASSIVE: spec.passive_spread_multiplier,
        QuoteState.AGGRESSIVE: spec.aggressive_spread_multiplier,
    }


def spread_settings(spec: QuotingSpec) -> SpreadSettings:
    """What the spread model is made of."""
    return SpreadSettings(
        fixed_half_spread_bps=spec.fixed_half_spread_bps,
        fixed_skew_half_spreads=spec.fixed_skew_half_spreads,
        glft_form=spec.glft_form,
        glft_q_max=spec.inventory_units_max,
        close_s=spec.close_utc_s,
        ho_stoll_form=spec.ho_stoll_form,
        ho_stoll_processing_bps=spec.ho_stoll_processing_bps,
        dynamic_width=spec.dynamic_width,
        dynamic_life_s=spec.dynamic_life_s,
        dynamic_inventory_widening=spec.dynamic_inventory_widening,
        dynamic_activity_exponent=spec.dynamic_activity_exponent,
    )
