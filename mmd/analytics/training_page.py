"""The HTML report of a price predictor's training: how it went, and what it is worth out of sample."""

from collections.abc import Sequence
from typing import NamedTuple

from mmd.analytics import page
from mmd.analytics.bootstrap import Interval
from mmd.analytics.figure_layout import Figure
from mmd.analytics.figures import BLUE, GREEN, GREY, ORANGE, PURPLE
from mmd.analytics.forecast_scores import Bin, HorizonScores
from models.artefact import Manifest

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
_HEADER = ("bars", "forecast", "R2", "R2 less ours", "right signs", "Brier", "of none", "forecasts")
_CONFUSION = ("bars", "forecast", "fell", "stayed", "rose")


class Losses(NamedTuple):
    """Of one epoch, on the training and the selection stretch."""

    fit: float
    selection: float


def training_page(
    manifest: Manifest, losses: Sequence[Losses], scores: Sequence[HorizonScores]
) -> str:
    """The page's text.

    Args:
        manifest: of the model.
        losses: by epoch.
        scores: by horizon, of the test stretch.
    """
    title = f"mmd train lstm: {manifest.venue}:{manifest.symbol}"
    drawn = [_loss_figure(losses), _r2_figure(scores), _reliability(scores), _deciles(scores)]
    parts = [
        page.heading(title, _facts(manifest, scores)),
        page.chapter("Verdicts"),
        "".join(f"<p>{line}</p>" for s in scores for line in s.verdicts),
        page.plots([False] * len(drawn)),
        page.chapter("Out of sample"),
        page.plain_table(_HEADER, [row for s in scores for row in _rows(s)]),
        page.chapter("Direction: what was forecast, and what came"),
        page.plain_table(_CONFUSION, [row for s in scores for row in _confusion(s)]),
        page.chapter("Provenance"),
        page.plain_table(("data", "SHA-256"), [(d.name, d.sha256) for d in manifest.data]),
        page.folded("settings", "\n".join(f"{k} = {v}" for k, v in manifest.settings.items())),
    ]
    return page.page(f"{title} {manifest.id}", parts, drawn)


def told(interval: Interval, digits: int = 4) -> str:
    """An estimate with its interval as text."""
    if interval.estimate is None:
        return "-"
    text = f"{interval.estimate:.{digits}f}"
    if interval.low is None or interval.high is None:
        return text
    return f"{text} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def _facts(manifest: Manifest, scores: Sequence[HorizonScores]) -> list[str]:
    block = scores[0].block if scores else "-"
    return [
        f"{manifest.id}, made {manifest.created} by mmd {manifest.version}: {manifest.command}",
        (
            f"Bars of {manifest.bar_ns / 1e9:g} s. R2 is against the forecast of no change; right signs are of moves; "
            f"intervals are 95 %, from resampled blocks (each: {block}) of the test stretch, which nothing was fitted on. "
            "Brier is the mean squared error of the probability of a rise; of none: the same of the share of rises, always"
        ),
    ]


def _rows(s: HorizonScores) -> list[tuple[str, ...]]:
    brier = f"{s.brier:.4f}", f"{s.brier_of_none:.4f}"
    ours = (str(s.bars), "LSTM", told(s.r2), "", told(s.hits), *brier, f"{s.n:,}")
    rest = [
        (str(s.bars), a.name, told(a.r2), told(_negative(a.r2_more)), told(a.hits), "", "", "")
        for a in s.against
    ]
    return [ours, *rest]


def _confusion(s: HorizonScores) -> list[tuple[str, ...]]:
    """Counts, and the share of what was forecast alike."""
    return [
        (str(s.bars), name, *(f"{n:,} ({n / max(sum(came), 1):.1%})" for n in came))
        for name, came in zip(("a fall", "a rise"), s.confusion, strict=True)
    ]


def _negative(interval: Interval) -> Interval:
    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    low, high = minus(interval.high), minus(interval.low)
    return Interval(minus(interval.estimate), low, high, interval.count)


def _loss_figure(losses: Sequence[Losses]) -> Figure:
    numbers = list(range(1, len(losses) + 1))
    traces = [
        _curve(numbers, [loss.fit for loss in losses], "training", BLUE),
        _curve(numbers, [loss.selection for loss in losses], "selection", ORANGE),
    ]
    figure = _figure("Loss by epoch", traces, x="epoch", y="loss")
    figure["layout"]["xaxis"]["dtick"] = max(len(losses) // 8, 1)
    return figure


def _r2_figure(scores: Sequence[HorizonScores]) -> Figure:
    series: dict[str, list[Interval]] = {"LSTM": [s.r2 for s in scores]}
    for s in scores:
        for other in s.against:
            series.setdefault(other.name, []).append(other.r2)
    names = [s.ahead for s in scores]
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": names,
            "y": [v.estimate for v in values],
            "marker": {"color": colour},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [_less(v.high, v.estimate) for v in values],
                "arrayminus": [_less(v.estimate, v.low) for v in values],
            },
        }
        for (name, values), colour in zip(series.items(), _COLOURS, strict=False)
    ]
    return _figure("R2 against no change, test stretch", traces, x="horizon", y="R2")


def _reliability(scores: Sequence[HorizonScores]) -> Figure:
    made = [
        _curve(*_points(s.calibration), s.ahead, colour, mode="lines+markers")
        for s, colour in zip(scores, _COLOURS, strict=False)
    ]
    ends = [b.forecast for s in scores for b in s.calibration] or [0.0, 1.0]
    line = [min(ends), max(ends)]
    made.append(_curve(line, line, "perfect", GREY, dash="dot"))
    return _figure(
        "Reliability of the probability of a rise", made, x="forecast", y="share that rose"
    )


def _deciles(scores: Sequence[HorizonScores]) -> Figure:
    made = [
        _curve(*_points(s.deciles), s.ahead, colour, mode="lines+markers")
        for s, colour in zip(scores, _COLOURS, strict=False)
    ]
    return _figure(
        "Realised change by decile of the forecast", made, x="forecast, ticks", y="realised, ticks"
    )


def _points(bins: Sequence[Bin]) -> tuple[list[float], list[float]]:
    return [b.forecast for b in bins], [b.realised for b in bins]


def _less(a: float | None, b: float | None) -> float:
    return 0.0 if a is None or b is None else a - b


def _curve(
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    *,
    mode: str = "lines",
    dash: str = "solid",
) -> Figure:
    line = {"color": colour, "dash": dash, "width": 1.6}
    return {
        "type": "scatter", "mode": mode, "name": name, "x": list(x), "y": list(y), "line": line,
    }  # fmt: skip


def _figure(title: str, traces: list[Figure], *, x: str, y: str) -> Figure:
    legend = {"orientation": "h", "x": 1.0, "xanchor": "right", "y": 1.0, "yanchor": "bottom"}
    return {
        "data": traces,
        "layout": {
            "title": {
                "text": title, "x": 0.012, "xanchor": "left", "y": 0.97, "yanchor": "top",
                "font": {"size": 14},
            },
            "height": 356,
            "margin": {"l": 64, "r": 16, "t": 60, "b": 44},
            "legend": legend,
            "xaxis": {"title": {"text": x}},
            "yaxis": {"title": {"text": y}, "zeroline": True},
        },
    }  # fmt: skip
