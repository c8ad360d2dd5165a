"""The plots of one instrument's session, as plotly figures in plain data."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from mmd.analytics.bootstrap import Interval
from mmd.analytics.columns import Floats, Ints, Table
from mmd.analytics.figure_layout import Figure, laid_out
from mmd.analytics.fill_quality import distinct
from mmd.analytics.metrics import Metrics
from mmd.analytics.performance import underwater
from mmd.analytics.session import Track
from mmd.analytics.thinning import thinned
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.units import ATOMS_PER_UNIT

BLUE: Final = "#3b82c4"
ORANGE: Final = "#d9822b"
GREEN: Final = "#3a9d6e"
RED: Final = "#d1495b"
PURPLE: Final = "#8c6bb1"
GREY: Final = "#8a8f98"
GOLD: Final = "#b59b1f"
_STATE_COLOURS: Final = {
    QuoteState.ACTIVE: GREEN,
    QuoteState.PASSIVE: BLUE,
    QuoteState.AGGRESSIVE: PURPLE,
    QuoteState.WITHDRAWN: RED,
    QuoteState.INVENTORY_LIMIT: ORANGE,
}
STRETCHES_MAX: Final = 2000
_DECADE: Final = 10.0
_RARE: Final = frozenset({"funding", "hedging", "arbitrage"})
"""Sources that many sessions do not have: drawn where they brought anything."""


def equity_figure(track: Track) -> Figure:
    """PnL and its sources over time."""
    s, unit = track.samples, track.instrument.quote
    curves = (
        ("PnL", s["equity"], BLUE),
        ("spread", s["edge"], GREEN),
        ("inventory", s["drift"], ORANGE),
        ("fees and rebates", -s["fee"], RED),
        ("funding", s["funding"], PURPLE),
        ("hedging", s["hedging"], GREY),
        ("arbitrage", s["arbitrage"], GOLD),
    )
    traces = [
        _line(s["ts_ns"], curve - curve[0], name, colour, width=2.2 if name == "PnL" else 1.2)
        for name, curve, colour in curves
        if len(s) > 0 and (name not in _RARE or np.any(curve != curve[0]))
    ]
    return laid_out("PnL and its causes", traces, y=unit, dates=True)


def drawdown_figure(track: Track) -> Figure:
    """How far PnL is below its peak."""
    below = underwater(track.samples["equity"])
    trace = _line(track.samples["ts_ns"], below, "drawdown", RED) | {"fill": "tozeroy"}
    return laid_out("Drawdown", [trace], y=track.instrument.quote, dates=True, legend=False)


def inventory_figure(track: Track) -> Figure:
    """Inventory between its limits."""
    s = track.samples
    limit: Floats = np.where(s["limit_atoms"] > 0, s["limit_atoms"] / ATOMS_PER_UNIT, np.nan)
    traces = [
        _line(s["ts_ns"], track.position, "inventory", BLUE, shape="hv"),
        _line(s["ts_ns"], limit, "limit", GREY, dash="dot", shape="hv"),
        _line(s["ts_ns"], -limit, "limit", GREY, dash="dot", shape="hv") | {"showlegend": False},
    ]
    return laid_out("Inventory", traces, y=track.instrument.base, dates=True)


def quotes_figure(track: Track) -> Figure:
    """Our best quotes and our fills against the book's best prices; drag to zoom in."""
    s, tick = track.samples, track.tick
    columns = (
        ("best bid", "bid_ticks", GREY, "solid"),
        ("best ask", "ask_ticks", GREY, "dot"),
        ("our bid", "our_bid_ticks", GREEN, "solid"),
        ("our ask", "our_ask_ticks", RED, "solid"),
    )
    traces = [
        _line(
            s["ts_ns"],
            np.where(s[column] > 0, s[column] * tick, np.nan),
            name,
            colour,
            dash=dash,
            shape="hv",
        )
        for name, column, colour, dash in columns
    ]
    for sign, name, symbol, colour in (
        (1, "bought", "triangle-up", GREEN),
        (-1, "sold", "triangle-down", RED),
    ):
        traces.append(_fills(track, sign, name, symbol, colour))
    return laid_out(
        "Quotes and fills against the book",
        traces,
        y=track.instrument.quote,
        dates=True,
        height=460,
    )


def attribution_figure(m: Metrics) -> Figure:
    """What each cause brought, as bars, and their sum."""
    causes = m.attribution
    names = [*causes.__struct_fields__, "PnL"]
    amounts = [getattr(causes, name) for name in causes.__struct_fields__] + [causes.total]
    colours = [GREEN if amount >= 0.0 else RED for amount in amounts]
    bars = {
        "type": "bar",
        "x": names,
        "y": amounts,
        "text": [f"{amount:+,.3f}" for amount in amounts],
        "textposition": "auto",
        "marker": {"color": [*colours[:-1], BLUE]},
        "hovertemplate": "%{x}: %{y:+,.6f}<extra></extra>",
    }
    return laid_out("PnL attribution", [bars], y=m.currency, legend=False)


def markout_figure(m: Metrics) -> Figure:
    """Mean markout by horizon with 95 % bands, of all fills and by level of the ladder."""
    colours = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
    levels: list[int | None] = [None]
    levels += sorted({p.level for p in m.markouts_by_level if p.level is not None})
    traces: list[Figure] = []
    for level, colour in zip(levels, colours, strict=False):
        points = m.markouts if level is None else m.markouts_by_level
        known = [p for p in points if p.level == level and p.markout_bps.estimate is not None]
        name = {None: "all fills", -1: "unknown level"}.get(level, f"level {level}")
        traces += _banded(
            [p.horizon_s for p in known], [p.markout_bps for p in known], name, colour
        )
    return laid_out(
        "Markouts, net of fees",
        traces,
        y="bps of notional, 95 % bands",
        x="seconds after the fill",
        log_x=True,
    )


def adverse_figure(m: Metrics) -> Figure:
    """The adverse-selection rate at each horizon beside the rate at matched random times."""
    known = [rate for rate in m.adverse if rate.rate is not None]
    names = [f"{rate.horizon_s:g} s" for rate in known]
    traces = [
        {"type": "bar", "name": name, "x": names, "y": values, "marker": {"color": colour}}
        for name, values, colour in (
            ("our fills", [rate.rate for rate in known], RED),
            ("random times", [rate.baseline for rate in known], GREY),
        )
    ]
    figure = laid_out("Fills whose edge was taken back", traces, y="share of fills")
    figure["layout"]["barmode"] = "group"
    return figure


def fill_rate_figure(m: Metrics) -> Figure:
    """Share of a quoted lot that trades in a second, by the distance within which it was quoted."""
    known = [r for r in distinct(m.fills.rates) if r.rate_per_s is not None]
    bars = {
        "type": "bar",
        "x": ["any distance" if r.is_any else f"≤ {r.within_ticks:,}" for r in known],
        "y": [r.rate_per_s for r in known],
        "marker": {"color": BLUE},
    }
    return laid_out(
        "Fill rate", [bars], y="per second", x="ticks behind the best price", legend=False
    )


def states_figure(track: Track) -> Figure:
    """Quote states over time; of very many changes the longest stretches."""
    states = track.states
    lasted_ns = np.diff(np.append(states["ts_ns"], track.end_ns))
    shown = np.sort(np.argsort(-lasted_ns, kind="stable")[:STRETCHES_MAX])
    traces = []
    for state, colour in _STATE_COLOURS.items():
        rows = shown[states["state"][shown] == state]
        if len(rows) > 0:
            traces.append(_stretches(states[rows], lasted_ns[rows], state, colour))
    figure = laid_out("Quote state", traces, dates=True, height=170)
    figure["layout"] |= {"barmode": "overlay", "bargap": 0.0}
    figure["layout"]["yaxis"] |= {"showticklabels": False}
    return _over(track, figure)


def latency_figure(
    name: str, edges_ns: Sequence[float], counts: Ints, colour: str = BLUE
) -> Figure:
    """A histogram of durations on a logarithmic axis of a decade at least; empty bins at both ends are left out."""
    seen = np.flatnonzero(counts)
    shown = range(int(seen[0]), int(seen[-1]) + 1) if len(seen) > 0 else range(0)
    edges_us = [edge / 1e3 for edge in (*edges_ns, edges_ns[-1] * 1.12)]
    bars = {
        "type": "bar",
        "x": [edges_us[i] for i in shown],
        "y": counts[shown.start : shown.stop].tolist(),
        "width": [edges_us[i] * 0.11 for i in shown],
        "marker": {"color": colour},
        "hovertemplate": "≤ %{x:,.0f} µs: %{y:,}<extra></extra>",
    }
    figure = laid_out(name, [bars], y="count", x="µs", log_x=True, legend=False)
    if len(shown) > 0 and edges_us[shown[-1]] < _DECADE * edges_us[shown[0]]:
        middle = math.log10(edges_us[shown[0]] * edges_us[shown[-1]]) / 2
        figure["layout"]["xaxis"]["range"] = [middle - 0.5, middle + 0.5]
    return figure


def _line(
    ts_ns: Ints,
    values: Floats,
    name: str,
    colour: str,
    *,
    dash: str = "solid",
    shape: str = "linear",
    width: float = 1.4,
) -> Figure:
    at = thinned(values)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": _ms(ts_ns[at]),
        "y": values[at].tolist(),
        "line": {"color": colour, "dash": dash, "shape": shape, "width": width},
    }


def _fills(track: Track, sign: int, name: str, symbol: str, colour: str) -> Figure:
    fills: Table = track.fills[track.fills["sign"] == sign]
    fills = fills[thinned(fills["price_ticks"].astype(float))]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _ms(fills["ts_ns"]),
        "y": (fills["price_ticks"] * track.tick).tolist(),
        "text": [
            f"{lots * track.lot:g} {track.instrument.base}, level {level}"
            for lots, level in zip(fills["qty_lots"].tolist(), fills["level"].tolist(), strict=True)
        ],
        "marker": {"symbol": symbol, "size": 6, "color": colour, "opacity": 0.8},
    }


def _banded(x: list[float], found: Sequence[Interval], name: str, colour: str) -> list[Figure]:
    """A curve with the band of its intervals; where there is no interval the band is as thin as the line."""
    low = [f.estimate if f.low is None else f.low for f in found]
    high = [f.estimate if f.high is None else f.high for f in found]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": x + x[::-1],
        "y": high + low[::-1],
        "fill": "toself",
        "fillcolor": _faint(colour),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": name,
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": x,
        "y": [f.estimate for f in found],
        "line": {"color": colour},
        "legendgroup": name,
        "text": [f"{f.count:,} fills" for f in found],
    }
    return [band, line]


def _stretches(states: Table, lasted_ns: Ints, state: QuoteState, colour: str) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": state.name.lower(),
        "y": ["state"] * len(states),
        "base": _ms(states["ts_ns"]),
        "x": (lasted_ns / 1e6).tolist(),
        "text": [QuoteReason(reason).name.lower() for reason in states["reason"].tolist()],
        "textposition": "none",
        "hovertemplate": "%{text}<extra>" + state.name.lower() + "</extra>",
        "marker": {"color": colour, "line": {"width": 0}},
    }


def _over(track: Track, figure: Figure) -> Figure:
    """The figure with a track's whole span as its time axis: bars and markers would add a margin."""
    span_ns = np.array([track.start_ns, track.end_ns])
    figure["layout"]["xaxis"] |= {"range": _ms(span_ns)}
    return figure


def _ms(ts_ns: Ints) -> list[float]:
    """Unix milliseconds, as plotly's date axes take them."""
    times: list[float] = (ts_ns / 1e6).tolist()
    return times


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"
