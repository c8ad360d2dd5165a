"""From market, estimates and inventory to targets in one call: inputs, a spread model's offsets, ladder.

One kernel for each spread model, because a kernel that is passed a function is not cached. Called one after
the other from Python the three stages take 1.8 us longer: most of a call is taking its records apart.
"""

from mmd.core.quoting import (
    avellaneda_stoikov,
    dynamic_spread,
    fixed_spread,
    glft,
    ho_stoll,
    learned_spread,
)
from mmd.core.quoting.inputs import prepare
from mmd.core.quoting.ladder import ladder
from mmd.core.quoting.record import OK
from mmd.jit.kernel import Rec, kernel


@kernel
def glft_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `glft.offsets` and `ladder`; returns OK, or the status of the stage that failed."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = glft.offsets(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status


@kernel
def avellaneda_stoikov_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `avellaneda_stoikov.offsets` and `ladder`; returns as `glft_targets` does."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = avellaneda_stoikov.offsets(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status


@kernel
def fixed_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `fixed_spread.offsets` and `ladder`; returns as `glft_targets` does."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = fixed_spread.offsets(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status


@kernel
def glft_closed_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `glft.closed_form` and `ladder`; returns as `glft_targets` does."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = glft.closed_form(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status


@kernel
def ho_stoll_linear_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `ho_stoll.linear_offsets` and `ladder`; returns as `glft_targets` does."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = ho_stoll.linear_offsets(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status


@kernel
def ho_stoll_components_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `ho_stoll.component_offsets` and `ladder`; returns as `glft_targets` does."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = ho_stoll.component_offsets(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status


@kernel
def dynamic_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `dynamic_spread.offsets` and `ladder`; returns as `glft_targets` does."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = dynamic_spread.offsets(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status


@kernel
def learned_targets(  # noqa: PLR0913, PLR0917 - a kernel
    quote: Rec,
    model: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
    best_bid_ticks: int,
    best_ask_ticks: int,
) -> int:
    """`prepare`, `learned_spread.offsets` and `ladder`; returns as `glft_targets` does."""
    status = prepare(quote, features, vol, intensity, position_lots, limit_lots, flow_coefficient)
    if status == OK:
        status = learned_spread.offsets(quote, model)
    return ladder(quote, best_bid_ticks, best_ask_ticks) if status == OK else status
