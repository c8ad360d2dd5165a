"""The HTML report of a spread model's training: labels, what each half-spread earned, the trees, the verdict."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from mmd.analytics import page
from mmd.analytics.figure_layout import Figure, laid_out
from mmd.analytics.figures import BLUE, GREEN, GREY, ORANGE
from mmd.analytics.spread_verdict import Verdict, told
from models.artefact import Manifest
from models.spread_labels import SpreadData
from models.train_spread import Forest, Importance, SpreadSplit

_SHOWN: Final = 15
_HEADER = ("half-spread", "a quote earned", "the model's less this one's", "how it was chosen")


def spread_page(
    manifest: Manifest, forest: Forest, split: SpreadSplit, found: Importance, verdict: Verdict
) -> str:
    """The page's text.

    Args:
        manifest: of the model.
        forest: with its losses.
        split: what it was trained and judged on.
        found: importance of its inputs.
        verdict: on the test stretch.
    """
    title = f"mmd train spread: {manifest.venue}:{manifest.symbol}"
    drawn = [
        _bars("Importance by gain", found.names, found.gain, "gain", BLUE),
        _bars("Importance by SHAP", found.names, found.shap, "mean |SHAP|, bps", GREEN),
        _edges(split),
        _labels(split),
        _learning(forest),
        _fills(split),
    ]
    warnings = [] if verdict.weight > 0.0 else ["The ensemble gives this model no weight."]
    parts = [
        page.heading(title, _facts(manifest, split), warnings),
        page.chapter("Verdict"),
        f"<p>{verdict.sentence}</p>",
        page.plain_table(_HEADER, _rows(verdict)),
        page.plots([False] * len(drawn)),
        page.chapter("Provenance"),
        page.plain_table(("data", "SHA-256"), [(d.name, d.sha256) for d in manifest.data]),
        page.folded("settings", "\n".join(f"{k} = {v}" for k, v in manifest.settings.items())),
    ]
    return page.page(f"{title} {manifest.id}", parts, drawn)


def _facts(manifest: Manifest, split: SpreadSplit) -> list[str]:
    sizes = ", ".join(f"{len(part.mid):,}" for part in split)
    return [
        f"{manifest.id}, made {manifest.created} by mmd {manifest.version}: {manifest.command}",
        (
            f"{sizes} samples to fit, to select and to test. Edges are bps of a quote of one lot, filled or not, at "
            "the markout and net of fees; intervals are 95 %, by the stationary bootstrap over the test stretch"
        ),
    ]


def _rows(v: Verdict) -> list[tuple[str, ...]]:
    offset, slope = v.sigma_rule
    rule = "best of a grid before the test stretch"
    return [
        ("model", told(v.model), "", f"weight in the ensemble {v.weight:g}"),
        (f"fixed, {v.fixed_bps:.3g} bps", told(v.fixed), told(v.over_fixed), "best of the grid before the test stretch"),
        (f"{offset:.3g} bps + {slope:g} x sigma", told(v.rule), told(v.over_rule), rule),
    ]  # fmt: skip


def _bars(
    title: str, names: Sequence[str], values: np.ndarray[tuple[int], np.dtype[np.float64]], x: str, colour: str
) -> Figure:  # fmt: skip
    top = np.argsort(values)[-_SHOWN:]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": values[top].tolist(),
        "y": [names[i] for i in top],
        "marker": {"color": colour},
    }
    figure = laid_out(title, [trace], x=x, legend=False, height=420)
    figure["layout"]["margin"]["l"] = 170  # room for names
    return figure


def _edges(split: SpreadSplit) -> Figure:
    traces = [
        _curve(part.half_spreads_bps.tolist(), np.nanmean(part.edge_bps, axis=0).tolist(), name, colour)
        for name, part, colour in _stretches(split)
    ]  # fmt: skip
    return laid_out(
        "Edge by half-spread", traces, x="half-spread, bps", y="bps a quote", log_x=True
    )


def _fills(split: SpreadSplit) -> Figure:
    traces = [
        _curve(part.half_spreads_bps.tolist(), part.fill_share.mean(axis=0).tolist(), name, colour)
        for name, part, colour in _stretches(split)
    ]
    return laid_out("Fills by half-spread", traces, x="half-spread, bps", y="share", log_x=True)


def _labels(split: SpreadSplit) -> Figure:
    traces = []
    for name, part, colour in _stretches(split):
        known = part.label_bps[~np.isnan(part.label_bps)]
        at = np.searchsorted(part.half_spreads_bps, known)
        share = np.bincount(at, minlength=len(part.half_spreads_bps)) / max(len(known), 1)
        labels = [f"{half:.3g}" for half in part.half_spreads_bps]
        traces.append({"type": "bar", "name": name, "x": labels, "y": share.tolist(), "marker": {"color": colour}})  # fmt: skip
    figure = laid_out("Labels", traces, x="best half-spread, bps", y="share of samples")
    figure["layout"]["xaxis"]["type"] = "category"
    return figure


def _learning(forest: Forest) -> Figure:
    rounds = list(range(1, len(forest.fit_loss) + 1))
    traces = [
        _curve(rounds, forest.fit_loss, "fit", GREY),
        _curve(rounds, forest.selection_loss, "selection", ORANGE),
    ]
    title = f"Learning curve, {forest.booster.num_trees()} trees kept"
    return laid_out(title, traces, x="round", y="RMSE, bps")


def _stretches(split: SpreadSplit) -> list[tuple[str, SpreadData, str]]:
    return [("fit", split.fit, GREY), ("selection", split.selection, ORANGE), ("test", split.test, BLUE)]  # fmt: skip


def _curve(x: Sequence[float], y: Sequence[float], name: str, colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour},
    }
