"""Whether a spread model earns its place: its edge on unseen data beside a fixed half-spread and a volatility rule.

All three are chosen on what came before the test stretch. Differences are taken sample by sample, so that what
moves all three alike drops out, and their intervals keep what depends on what (see bootstrap).
"""

from typing import Final, NamedTuple

import numpy as np

from mmd.analytics.bootstrap import Interval, ratio_interval
from mmd.core.learned.schema import NAMES
from mmd.jit.kernel import F4, F8
from models.spread_labels import SpreadData

_SIGMA: Final = [name for name, _ in NAMES].index("sigma")
_OFFSETS: Final = 12
_SLOPES: Final = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_WEIGHTS: Final = (0.25, 0.5, 0.75, 1.0)


class Rule(NamedTuple):
    """Half-spread = offset + slope * sigma, as the GLFT closed form has it: bps, and bps per (bps / sqrt(s))."""

    offset_bps: float
    slope: float


class Verdict(NamedTuple):
    """What was found on the test stretch; edges in bps earned by a quote, filled or not.

    Attributes:
        model, fixed, rule: edge of each.
        over_fixed, over_rule: the model's edge less theirs.
        fixed_bps: the half-spread that was best before.
        sigma_rule: the rule that was best before.
        weight: what the ensemble should give the model, 0 where it has not earned any.
        sentence: all of it in words.
    """

    model: Interval
    fixed: Interval
    rule: Interval
    over_fixed: Interval
    over_rule: Interval
    fixed_bps: float
    sigma_rule: Rule
    weight: float
    sentence: str


def sigma_bps(x: F4, mid: F8) -> F8:
    """Volatility that the daemon's quotes go by, bps per square root of a second."""
    out: F8 = x[:, _SIGMA] / mid * 1e4
    return out


def edge_at(data: SpreadData, half_spreads_bps: F8) -> F8:
    """What quotes at these half-spreads earned, as those at the nearest one of the grid did (by ratio).

    Args:
        data: n samples.
        half_spreads_bps: shape (n,).

    Returns:
        Shape (n,), bps, NaN where unknown.
    """
    grid = data.half_spreads_bps
    between = np.sqrt(grid[1:] * grid[:-1])
    edge: F8 = data.edge_bps[np.arange(len(data.mid)), np.searchsorted(between, half_spreads_bps)]
    return edge


def best_fixed(data: SpreadData) -> float:
    """The half-spread of the grid that earned most; of equals the wider."""
    average = np.nanmean(data.edge_bps, axis=0)
    return float(data.half_spreads_bps[len(average) - 1 - int(np.argmax(average[::-1]))])


def best_rule(data: SpreadData) -> Rule:
    """The offset and slope that earned most."""
    sigma, grid = sigma_bps(data.x, data.mid), data.half_spreads_bps
    offsets = np.append(0.0, np.geomspace(grid[0], grid[-1], _OFFSETS))
    rules = [Rule(float(a), b) for b in _SLOPES for a in offsets]
    edges = [float(np.nanmean(edge_at(data, a + b * sigma))) for a, b in rules]
    return rules[int(np.argmax(edges))]


def judge(
    before: SpreadData, selection: SpreadData, test: SpreadData, model: tuple[F8, F8], seed: int = 1
) -> Verdict:
    """Compare on the test stretch.

    Args:
        before: fit and whatever else may be looked at to choose the other two.
        selection: where the model's weight is chosen.
        test: unseen by all.
        model: the model's half-spreads on selection and on test, bps.
        seed: of the intervals.
    """
    fixed_bps, rule = best_fixed(before), best_rule(before)
    rng = np.random.default_rng(seed)
    known = ~np.isnan(test.edge_bps[:, 0])
    by_rule = _follow(rule, test)
    edges = [
        edge_at(test, half)[known]
        for half in (model[1], np.full_like(model[1], fixed_bps), by_rule)
    ]
    of_model, of_fixed, of_rule = edges
    ones = np.ones(int(known.sum()))
    over_fixed = ratio_interval(of_model - of_fixed, ones, rng)
    over_rule = ratio_interval(of_model - of_rule, ones, rng)
    weight = 0.0
    if _is_above(over_fixed) and _is_above(over_rule):
        weight = best_weight(selection, model[0], _follow(rule, selection))
    return Verdict(
        ratio_interval(of_model, ones, rng),
        ratio_interval(of_fixed, ones, rng),
        ratio_interval(of_rule, ones, rng),
        over_fixed,
        over_rule,
        fixed_bps,
        rule,
        weight,
        _sentence(over_fixed, over_rule, weight),
    )


def best_weight(data: SpreadData, model_bps: F8, rule_bps: F8) -> float:
    """The share of the model in the half-spread that earned most."""
    edges = [
        float(np.nanmean(edge_at(data, (1.0 - w) * rule_bps + w * model_bps))) for w in _WEIGHTS
    ]
    return _WEIGHTS[int(np.argmax(edges))]


def manifest_metrics(verdict: Verdict) -> dict[str, float]:
    """Estimates and bounds by the names that a manifest has; what is unknown is left out."""
    out = {"ensemble_weight": verdict.weight, "fixed_half_spread_bps": verdict.fixed_bps}
    for name in ("model", "fixed", "rule", "over_fixed", "over_rule"):
        interval: Interval = getattr(verdict, name)
        bounds = {"": interval.estimate, "_low": interval.low, "_high": interval.high}
        out |= {f"edge_{name}{k}_bps": v for k, v in bounds.items() if v is not None}
    return out


def told(interval: Interval) -> str:
    """Estimate and interval in bps."""
    if interval.estimate is None:
        return "unknown"
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:+.4f} bps"
    return f"{interval.estimate:+.4f} bps [{interval.low:+.4f}, {interval.high:+.4f}]"


def _follow(rule: Rule, data: SpreadData) -> F8:
    return rule.offset_bps + rule.slope * sigma_bps(data.x, data.mid)


def _is_above(interval: Interval) -> bool:
    return interval.low is not None and interval.low > 0.0


def _is_below(interval: Interval) -> bool:
    return interval.high is not None and interval.high < 0.0


def _sentence(over_fixed: Interval, over_rule: Interval, weight: float) -> str:
    compared = (
        f"a quote at the model's half-spread less one at the best fixed half-spread earned {told(over_fixed)}, "
        f"less one by the volatility rule {told(over_rule)}"
    )
    if weight > 0.0:
        return f"It helps: {compared}, both beyond chance; its weight is {weight:g}."
    is_worse = _is_below(over_fixed) or _is_below(over_rule)
    found = "It does worse" if is_worse else "It has not been shown to help"
    return f"{found}: {compared}; its weight is 0."
