"""A target price as the sum of its terms, each read from the records that the quoting kernels read and wrote.

The sum is made again here, by the rules of `mmd.core.quoting.ladder`, and compared with the target that the ladder
wrote: an explanation that does not come to the recorded price says so.
"""

import math

import msgspec

from mmd.analytics.spread_terms import Term, model_parts
from mmd.core.maker import Maker
from mmd.core.quoting.inputs import OFI_5S
from mmd.core.spec import QuotingSpec
from mmd.core.units import Side
from mmd.jit.kernel import Rec

MID = "mid"
_STARTS = {
    "mid": "mid of the fair value",
    "weighted_mid": "size-weighted mid",
    "microprice": "microprice",
}
"""What the fair value starts from, less the mid."""
_SNAP = 1e-6
"""Ticks: sums made in another order may fall this far on the other side of a whole tick."""


class TargetPrice(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of the ladder and how its price came about."""

    side: str
    level: int
    price_ticks: int
    qty_lots: int
    terms: tuple[Term, ...]
    """Their sum is the price, rounding and limits included."""
    recomputed_ticks: int
    """The price that the terms come to by the ladder's rules; differs from price_ticks only if a term is missing."""

    @property
    def is_exact(self) -> bool:
        """Whether the terms explain the price."""
        return self.recomputed_ticks == self.price_ticks


def target_prices(maker: Maker, spec: QuotingSpec) -> list[TargetPrice]:
    """Every target of the last decision, bids first, best first."""
    return [price for side in Side for price in _side(maker, spec, side)]


def _side(maker: Maker, spec: QuotingSpec, side: Side) -> list[TargetPrice]:
    quote = maker.quoter.quote[0]
    found: list[TargetPrice] = []
    levels = int(quote["n"][side])
    limit = _limit(maker, spec, side) if levels > 0 else 0
    for level in range(levels):
        raw = [t for t in _terms(maker, spec, side, level) if t.ticks != 0.0 or t.name == MID]
        rounded, rounding = _rounded(sum(t.ticks for t in raw), side)
        price = min(rounded, limit) if side is Side.BUY else max(rounded, limit)
        limit_name = "post-only" if level == 0 else "a tick apart"
        clamp = Term(limit_name, float(price - rounded), f"no better than {limit}")
        terms = [*raw, rounding, *([clamp] if price != rounded else [])]
        recorded = int(quote["px"][side, level])
        found.append(
            TargetPrice(
                side=side.name,
                level=level,
                price_ticks=recorded,
                qty_lots=int(quote["sz"][side, level]),
                terms=tuple(terms),
                recomputed_ticks=price,
            )
        )
        limit = price - side.sign
    return found


def _limit(maker: Maker, spec: QuotingSpec, side: Side) -> int:
    """The best price that a post-only order may have; a tick less for the side that gives way where both meet."""
    view, quote = maker.view, maker.quoter.quote[0]
    best = (view.ask_ticks - 1, view.bid_ticks + 1)
    raw = [sum(t.ticks for t in _terms(maker, spec, s, 0)) for s in Side]
    bid = min(_rounded(raw[Side.BUY], Side.BUY)[0], best[Side.BUY])
    ask = max(_rounded(raw[Side.SELL], Side.SELL)[0], best[Side.SELL])
    if bid < ask:
        return best[side]
    gives_way = Side.BUY if _skew(quote)[0] + _skew(quote)[1] < 0.0 else Side.SELL
    if side is not gives_way:
        return best[side]
    return bid - 1 if side is Side.BUY else bid + 1


def _rounded(ticks: float, side: Side) -> tuple[int, Term]:
    """Outwards to the tick: bids down, asks up."""
    whole = math.floor(ticks + _SNAP) if side is Side.BUY else math.ceil(ticks - _SNAP)
    return whole, Term("rounding", whole - ticks, "down" if side is Side.BUY else "up")


def _terms(maker: Maker, spec: QuotingSpec, side: Side, level: int) -> list[Term]:
    quote = maker.quoter.quote[0]
    away = -float(side.sign)
    lean, volatile = _skew(quote)
    skew_growth = float(quote["skew_growth"])
    growth = skew_growth * level
    half, parts = _half_spread(maker, spec, quote, side)
    spread_growth, spacing = float(quote["spread_growth"]), float(quote["level_spacing_ticks"])
    terms = [*_fair_terms(maker, spec, quote)]
    funded = _funding_lean(maker, quote)
    terms.append(Term("inventory skew", lean - funded, _why_skew(quote)))
    terms.append(Term("funding drift", funded, f"mu {float(quote['drift']):+.3g} ticks a second"))
    terms.append(Term("volatility skew", volatile, "sigma above its slow average"))
    terms.append(Term("level skew growth", growth * (lean + volatile), f"{skew_growth:g} a level"))
    terms += [Term(p.name, away * p.ticks, p.why) for p in parts]
    terms.append(
        Term(
            "level spread growth", away * half * spread_growth * level, f"{spread_growth:g} a level"
        )
    )
    terms.append(Term("level spacing", away * spacing * level, f"{spacing:g} a level"))
    reducing = min(max(-float(quote["inventory_ratio"]) * side.sign, 0.0), 1.0)
    wider = float(quote["spacing_growth"]) * reducing
    terms.append(Term("reducing side wider", away * spacing * wider * level, f"x {wider:.3f}"))
    return terms


def _fair_terms(maker: Maker, spec: QuotingSpec, quote: Rec) -> list[Term]:
    """Mid, microprice, forecast, smoothing: together the fair value."""
    x = maker.view.features[0]["x"]
    mid = float(quote["mid"])
    micro = float(maker.view.features[0]["centre"]) - mid
    coefficient = spec.flow_coefficient
    predicted = float(quote["forecast"])
    flow = coefficient * float(x[OFI_5S])
    bound = 0.25 * max(float(x[0]), 0.0)
    forecast = min(max(flow + predicted, -bound), bound)
    source = f"5 s order flow {float(x[OFI_5S]):+.0f} lots"
    if predicted != 0.0:
        source = f"predicted {predicted:+.4g} ticks"
    lead = float(quote["lead_shift"])
    rest = float(quote["fair"]) - (mid + micro + lead + forecast)
    other = "smoothing" if spec.smoothing_s > 0.0 else "other forecast"
    return [
        Term(MID, mid, "of the best prices without our own orders"),
        Term(_STARTS[spec.fair_value], micro, f"imbalance {float(x[1]):+.3f}"),
        Term("leader", lead, f"what {spec.lead} did lately"),
        Term(
            "forecast",
            forecast,
            f"{source}, clipped to a quarter spread",
        ),
        Term(other, 0.0 if abs(rest) < _SNAP else rest, "what the fair value has besides"),
    ]


def _skew(quote: Rec) -> tuple[float, float]:
    """Skew by inventory and by volatility."""
    lean = float(quote["skew"]) * float(quote["skew_multiplier"])
    if float(quote["volatility_skew"]) == 0.0:
        return lean, 0.0
    excess = max(float(quote["sigma"]) - float(quote["sigma_slow"]), 0.0)
    ratio = min(max(float(quote["inventory_ratio"]), -1.0), 1.0)
    return lean, -ratio * float(quote["volatility_skew"]) * excess


def _funding_lean(maker: Maker, quote: Rec) -> float:
    """The part of the skew that a perpetual's funding makes: the model's, less what it would be without."""
    if float(quote["drift"]) == 0.0:
        return 0.0
    without = maker.quoter.quote.copy()
    without["drift"] = 0.0
    maker.quoter.model.offsets(without)
    changed = float(quote["skew"]) - float(without["skew"][0])
    return changed * float(quote["skew_multiplier"])


def _why_skew(quote: Rec) -> str:
    multiplier = float(quote["skew_multiplier"])
    text = f"inventory {float(quote['inventory']):+.2f} units, {float(quote['inventory_ratio']):+.1%} of the limit"
    return text if multiplier == 1.0 else f"{text}, x {multiplier:.3f}"


def _half_spread(
    maker: Maker, spec: QuotingSpec, quote: Rec, side: Side
) -> tuple[float, list[Term]]:
    """Level 0's half spread and its parts: the model's, the multipliers', the limits'."""
    offset, multiplier = float(quote["offset"][side]), float(quote["spread_multiplier"])
    low, high = float(quote["half_spread_min"]), float(quote["half_spread_max"])
    wide = offset * multiplier
    half = min(max(wide, low, 0.0), high)
    parts = model_parts(maker.quoter.model.name, spec, quote, side)
    if multiplier != 1.0:
        parts.append(Term("spread multipliers", wide - offset, f"x {multiplier:.3f}"))
    bounded = "least half spread" if half > wide else "largest half spread"
    parts.append(Term(bounded, half - wide, f"{low:.4g} to {high:.4g} ticks"))
    return half, parts
