"""The generated market beside the real one: a table of numbers with distances, and plots in one HTML file."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]
from plotly.subplots import make_subplots  # type: ignore[import-untyped]

from mmd.calibration.observed_market import Floats
from mmd.calibration.realism_statistics import (
    MARKOUT_LAGS_S,
    QUEUE_QUARTERS,
    SIGN_LAGS,
    Distribution,
    Statistics,
    kolmogorov_smirnov,
)
from mmd.errors import TapeError

_COLOURS = {"real": "#1f77b4", "generated": "#ff7f0e"}
_PROBABILITIES = np.linspace(0.0, 1.0, 201)
_COLUMNS = 3


class Line(NamedTuple):
    """One row of the table; distance is Kolmogorov-Smirnov's, None where there is no distribution."""

    what: str
    real: float
    generated: float
    distance: float | None = None


def lines(real: Statistics, generated: Statistics) -> list[Line]:
    """The table: each statistic, real and generated."""
    return [
        *_distribution_lines(real, generated),
        *_signature_lines(real, generated),
        *_pairs("order sign correlation, lag", SIGN_LAGS, real.sign_autocorrelation, generated.sign_autocorrelation),
        *(
            Line(f"OFI R2, {name}", value, generated.flow_r2[name])
            for name, value in real.flow_r2.items()
        ),
        *_pairs("response of the mid (ticks), s", MARKOUT_LAGS_S, real.response_ticks, generated.response_ticks),
        *_pairs("fill probability, queue", QUEUE_QUARTERS, real.phantoms.fill_probability, generated.phantoms.fill_probability),
        *_pairs("phantom markout (ticks), s", MARKOUT_LAGS_S, real.phantoms.markout_ticks, generated.phantoms.markout_ticks),
    ]  # fmt: skip


def markdown(rows: list[Line]) -> str:
    """The table as Markdown."""
    body = "\n".join(
        f"| {r.what} | {r.real:.4g} | {r.generated:.4g} | {_told(r.distance)} |" for r in rows
    )
    return f"| statistic | real | generated | KS distance |\n|---|---:|---:|---:|\n{body}\n"


def write_report(real: Statistics, generated: Statistics, title: str, out: Path) -> None:
    """Write table and plots into one file that needs nothing else. Raises: TapeError if it cannot be."""
    table = "".join(
        f"<tr><td>{escape(r.what)}</td><td>{r.real:.4g}</td><td>{r.generated:.4g}</td><td>{_told(r.distance)}</td></tr>"
        for r in lines(real, generated)
    )
    plots = _figure(real, generated).to_html(include_plotlyjs=True, full_html=False)
    page = (
        f"<!doctype html><html><head><meta charset='utf-8'><title>{escape(title)}</title><style>"
        "body{font-family:sans-serif;margin:2em}td,th{padding:.2em 1em;text-align:right;border-bottom:1px solid #ddd}"
        "td:first-child{text-align:left}table{border-collapse:collapse}</style></head><body>"
        f"<h1>{escape(title)}</h1>{plots}<table><tr><th>statistic</th><th>real</th><th>generated</th>"
        f"<th>KS distance</th></tr>{table}</table></body></html>"
    )
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise TapeError(
            f"{out}: cannot be written ({error.strerror}); name another file"
        ) from error


def _told(distance: float | None) -> str:
    return "" if distance is None else f"{distance:.3f}"


def _distribution_lines(real: Statistics, generated: Statistics) -> Iterator[Line]:
    for name, of_real in real.distributions.items():
        of_generated = generated.distributions[name]
        distance = kolmogorov_smirnov(of_real, of_generated)
        yield Line(f"{name}: mean", of_real.average(), of_generated.average(), distance)
        at = np.array([0.5, 0.95])
        for label, x, y in zip(
            ("median", "95 %"), of_real.quantiles(at), of_generated.quantiles(at), strict=True
        ):
            yield Line(f"{name}: {label}", float(x), float(y))


def _signature_lines(real: Statistics, generated: Statistics) -> Iterator[Line]:
    shared = min(len(real.signature_s), len(generated.signature_s))
    for k in range(shared):
        name = f"volatility (ticks per root second), {real.signature_s[k]:g} s"
        yield Line(name, float(real.signature_ticks[k]), float(generated.signature_ticks[k]))


def _pairs(
    what: str, keys: tuple[float | str, ...], real: Floats, generated: Floats
) -> Iterator[Line]:
    for key, x, y in zip(keys, real.tolist(), generated.tolist(), strict=True):
        yield Line(f"{what} {key}", x, y)


def _figure(real: Statistics, generated: Statistics) -> go.Figure:
    names = list(real.distributions)
    curves: dict[str, list[tuple[Any, Any]]] = {
        "signature plot (ticks per root s)": [(s.signature_s, s.signature_ticks) for s in (real, generated)],
        "order sign correlation by lag": [(SIGN_LAGS, s.sign_autocorrelation) for s in (real, generated)],
        "response of the mid (ticks) by s": [(MARKOUT_LAGS_S, s.response_ticks) for s in (real, generated)],
        "phantom markout (ticks) by s": [(MARKOUT_LAGS_S, s.phantoms.markout_ticks) for s in (real, generated)],
        "fill probability by queue": [(QUEUE_QUARTERS, s.phantoms.fill_probability) for s in (real, generated)],
    }  # fmt: skip
    titles = [*(f"{n}: distribution" for n in names), *curves]
    rows = -(-len(titles) // _COLUMNS)
    figure = make_subplots(rows=rows, cols=_COLUMNS, subplot_titles=titles)
    for number, name in enumerate(names):
        sources = (real.distributions[name], generated.distributions[name])
        _draw(figure, number, [(d.quantiles(_PROBABILITIES), _PROBABILITIES) for d in sources])
        if _is_wide(sources[0]):
            figure.update_xaxes(type="log", row=number // _COLUMNS + 1, col=number % _COLUMNS + 1)
    for number, pair in enumerate(curves.values(), start=len(names)):
        _draw(figure, number, pair)
    return figure.update_layout(height=340 * rows, template="plotly_white")


def _draw(figure: go.Figure, number: int, pair: list[tuple[Any, Any]]) -> None:
    """Real and generated in one panel; the legend names them once."""
    for (name, colour), (x, y) in zip(_COLOURS.items(), pair, strict=True):
        trace = go.Scatter(
            x=list(x),
            y=list(y),
            name=name,
            legendgroup=name,
            showlegend=number == 0,
            line={"color": colour},
        )
        figure.add_trace(trace, row=number // _COLUMNS + 1, col=number % _COLUMNS + 1)


def _is_wide(values: Distribution) -> bool:
    low, high = values.quantiles(np.array([0.1, 0.9]))
    return bool(low > 0 and high > 20 * low)
