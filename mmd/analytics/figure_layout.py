"""What every plot of a report has in common: where title, legend and axes stand, and what it says where there is nothing to draw."""

from typing import Any, Final

Figure = dict[str, Any]
"""What plotly draws: {"data": traces, "layout": layout}."""

_NOTHING: Final = {
    "text": "nothing to show", "showarrow": False,
    "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5,
}  # fmt: skip


def laid_out(
    title: str,
    traces: list[Figure],
    *,
    y: str = "",
    x: str = "",
    dates: bool = False,
    log_x: bool = False,
    legend: bool = True,
    height: int = 340,
) -> Figure:
    """Traces under a title; where none has a point it says so, instead of an axis of nothing."""
    kind = "date" if dates else "log" if log_x else "-"
    figure: Figure = {
        "data": traces,
        "layout": {
            "title": {"text": title, "x": 0.012, "xanchor": "left", "font": {"size": 14}},
            "height": height,
            "margin": {"l": 64, "r": 16, "t": 44, "b": 44},
            "showlegend": legend,
            "legend": {
                "orientation": "h",
                "x": 1.0,
                "xanchor": "right",
                "y": 1.0,
                "yanchor": "bottom",
            },
            "xaxis": {"type": kind, "title": {"text": x}} | ({"dtick": "D2"} if log_x else {}),
            "yaxis": {"title": {"text": y}, "zeroline": True},
            "hovermode": "x unified" if dates else "closest",
        },
    }
    if not any(len(trace["x"]) > 0 for trace in traces):
        axes = figure["layout"]["xaxis"], figure["layout"]["yaxis"]
        for axis in axes:
            axis["visible"] = False
        figure["layout"]["annotations"] = [_NOTHING]
    return figure
