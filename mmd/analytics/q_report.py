"""The report of a trained inventory policy: how it learned, what it does where, and whether it helps."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from mmd.analytics.figure_layout import Figure
from mmd.analytics.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED
from mmd.analytics.page import chapter, heading, page, plain_table, plots
from mmd.core.learned.q_policy import (
    ACTION_NAMES,
    ACTIONS,
    INVENTORY,
    SHAPE,
    greedy_actions,
)
from mmd.errors import TrainingError
from models.q_evaluation import Difference, QEvaluation
from models.q_training import QSettings, TrainedQ

_COLOURS: Final = (RED, GREY, BLUE, GREEN, PURPLE)
_REACH: Final = INVENTORY // 2


def write_q_report(
    out: Path,
    model_id: str,
    preset: str,
    settings: QSettings,
    trained: TrainedQ,
    found: QEvaluation,
) -> None:
    """Write the page. Raises: TrainingError if the file cannot be written."""
    lines = [
        f"{settings.episodes:,} episodes of {settings.bars:,} bars on {preset}, seed {settings.seed}",
        f"On {len(found.learned)} held-out paths, after costs and the price of inventory: {found.reward.verdict}.",
    ]
    figures = [
        _rewards(trained),
        _action_map(trained, settings),
        _actions_by_inventory(trained, settings),
        _visits(trained),
        _differences(found),
    ]
    parts = [
        heading(model_id, lines),
        chapter("Against always normal"),
        plain_table(
            ("per episode", "learned", "normal", "difference", "95 % interval", "verdict"),
            [
                _row("reward, ticks x units", found.reward),
                _row("PnL, ticks x units", found.pnl),
                _row("inventory sd, units", found.inventory_sd),
            ],
        ),
        chapter("Actions"),
        plain_table(("action", "share of decisions", "share of known states"), _shares(trained, found, settings)),
        plots([True, False, False, False, False]),
    ]  # fmt: skip
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page(model_id, parts, figures), encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            f"{out}: cannot be written ({error.strerror}); name another file"
        ) from error


def _row(name: str, gain: Difference) -> list[str]:
    interval = f"{gain.low:+,.3f} to {gain.high:+,.3f}"
    verdict = gain.verdict if "sd" not in name else ""
    return [name, f"{gain.learned:,.3f}", f"{gain.normal:,.3f}", f"{gain.mean:+,.3f}", interval, verdict]  # fmt: skip


def _actions(trained: TrainedQ, settings: QSettings) -> np.ndarray[Any, Any]:
    w = trained.weights
    return greedy_actions(w["q"], w["q_error"], w["visits"], settings.visits_min)


def _shares(trained: TrainedQ, found: QEvaluation, settings: QSettings) -> list[list[str]]:
    taken = np.sum([r.taken for r in found.learned], axis=0)
    seen = trained.weights["visits"].sum(axis=1) >= settings.visits_min
    states = np.bincount(_actions(trained, settings)[seen], minlength=ACTIONS)
    return [
        [name, f"{taken[i] / taken.sum():.2%}", f"{states[i] / max(seen.sum(), 1):.2%}"]
        for i, name in enumerate(ACTION_NAMES)
    ]


def _rewards(trained: TrainedQ) -> Figure:
    """Reward by episode, with its running mean over a fiftieth of them."""
    n = len(trained.rewards)
    window = max(n // 50, 1)
    smooth = np.convolve(trained.rewards, np.ones(window) / window, "valid")
    return _figure(
        "Reward of each episode while learning (exploration included)",
        [
            _scatter(np.arange(n), trained.rewards, "episode", GREY, mode="markers"),
            _scatter(np.arange(window - 1, n), smooth, f"mean of {window}", BLUE),
        ],
        "episode",
        "ticks x units",
    )


def _action_map(trained: TrainedQ, settings: QSettings) -> Figure:
    """The most visited action by inventory and imbalance."""
    visits = trained.weights["visits"].sum(axis=1).reshape(SHAPE)
    actions = _actions(trained, settings).reshape(SHAPE)
    weight = np.array([np.where(actions == a, visits, 0).sum(axis=(1, 2, 3, 4)) for a in range(ACTIONS)])  # fmt: skip
    active = weight.copy()
    active[1] = 0  # what differs from NORMAL is what a reader looks for
    share = active.sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
    shown = np.where(share > 0.05, active.argmax(axis=0), 1)
    scale = [[(i + e) / ACTIONS, c] for i, c in enumerate(_COLOURS) for e in (0, 1)]
    trace = {
        "type": "heatmap",
        "z": shown.T.tolist(),
        "x": list(range(-_REACH, _REACH + 1)),
        "y": list(range(-2, 3)),
        "zmin": -0.5,
        "zmax": ACTIONS - 0.5,
        "colorscale": scale,
        "colorbar": {"tickvals": list(range(ACTIONS)), "ticktext": list(ACTION_NAMES)},
    }
    title = "Action taken in more than 5 % of visits, else normal"
    return _figure(title, [trace], "inventory, tenths of the limit", "imbalance")


def _actions_by_inventory(trained: TrainedQ, settings: QSettings) -> Figure:
    """Shares of actions by inventory, weighted by visits."""
    visits = trained.weights["visits"].sum(axis=1).reshape(INVENTORY, -1)
    actions = _actions(trained, settings).reshape(INVENTORY, -1)
    total = np.maximum(visits.sum(axis=1), 1)
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": list(range(-_REACH, _REACH + 1)),
            "y": (np.where(actions == a, visits, 0).sum(axis=1) / total).tolist(),
            "marker": {"color": _COLOURS[a]},
        }
        for a, name in enumerate(ACTION_NAMES)
    ]
    figure = _figure("Actions by inventory", traces, "inventory, tenths of the limit", "share")
    figure["layout"]["barmode"] = "stack"
    return figure


def _visits(trained: TrainedQ) -> Figure:
    """How many states were seen how often."""
    visits = trained.weights["visits"].sum(axis=1)
    seen = visits[visits > 0]
    if len(seen) == 0:
        return _figure("Visits of states", [], "visits", "states")
    edges = np.unique(
        np.geomspace(1.0, float(seen.max()) + 1.0, 30).astype(np.int64)
    )  # counts are whole
    count, _ = np.histogram(seen, edges)
    trace = _scatter(edges[:-1], count, "states", ORANGE) | {"line": {"shape": "hv", "color": ORANGE}}  # fmt: skip
    title = f"Visits of states: {len(seen):,} of {len(visits):,} were seen"
    figure = _figure(title, [trace], "visits", "states")
    figure["layout"]["xaxis"]["type"] = "log"
    return figure


def _differences(found: QEvaluation) -> Figure:
    """Paired differences of reward."""
    gains = [a.reward - b.reward for a, b in zip(found.learned, found.normal, strict=True)]
    trace = {"type": "histogram", "x": gains, "marker": {"color": BLUE}}
    return _figure("Held-out: learned less normal", [trace], "ticks x units an episode", "episodes")


def _scatter(x: Any, y: Any, name: str, colour: str, mode: str = "lines") -> Figure:
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": np.asarray(x).tolist(),
        "y": np.asarray(y).tolist(),
        "marker": {"color": colour, "size": 3},
        "line": {"color": colour},
    }


def _figure(title: str, traces: list[Figure], x: str, y: str) -> Figure:
    return {
        "data": traces,
        "layout": {
            "title": {"text": title, "x": 0.012, "xanchor": "left", "font": {"size": 14}},
            "height": 340,
            "margin": {"l": 64, "r": 16, "t": 44, "b": 44},
            "xaxis": {"title": {"text": x}},
            "yaxis": {"title": {"text": y}},
        },
    }
