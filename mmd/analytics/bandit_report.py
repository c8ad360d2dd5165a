"""The report of the bandits' comparison: regret over time where the best arm stays and where it changes."""

from pathlib import Path
from typing import Final

import numpy as np

from mmd.analytics.figure_layout import Figure
from mmd.analytics.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED
from mmd.analytics.page import heading, page, plain_table, plots
from mmd.errors import TrainingError
from mmd.jit.kernel import F8

_COLOURS: Final = (GREY, BLUE, GREEN, PURPLE, ORANGE, RED)
_POINTS: Final = 400


def write_bandit_report(
    out: Path, still: dict[str, F8], moving: dict[str, F8], switches: int
) -> None:
    """Write the page from mean regret after each decision, by rule. Raises: TrainingError if it cannot be written."""
    decisions = len(next(iter(still.values())))
    figures = [
        _figure("The best arm never changes", still),
        _figure(f"The best arm changes {switches} times", moving),
    ]
    rows = [[n, f"{still[n][-1]:,.0f}", f"{moving[n][-1]:,.0f}"] for n in still]
    parts = [
        heading("Bandits", [f"Mean regret over {decisions:,} decisions, in gaps between best and other arms"]),
        plain_table(("rule", "best arm unchanged", f"{switches} switches"), rows),
        plots([True, True]),
    ]  # fmt: skip
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page("Bandits", parts, figures), encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            f"{out}: cannot be written ({error.strerror}); name another file"
        ) from error


def _figure(title: str, curves: dict[str, F8]) -> Figure:
    """Regret of each rule over decisions, thinned."""
    length = len(next(iter(curves.values())))
    at = np.unique(np.linspace(0, length - 1, _POINTS).astype(np.int64))
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": at.tolist(),
            "y": curve[at].tolist(),
            "line": {"color": colour},
        }
        for (name, curve), colour in zip(curves.items(), _COLOURS, strict=True)
    ]
    return {
        "data": traces,
        "layout": {
            "title": {"text": title, "x": 0.012, "xanchor": "left", "font": {"size": 14}},
            "height": 380,
            "margin": {"l": 64, "r": 16, "t": 44, "b": 44},
            "xaxis": {"title": {"text": "decisions"}},
            "yaxis": {"title": {"text": "regret"}},
        },
    }
