"""The HTML page of a report: one file, nothing loaded from anywhere, light or dark as the reader's system is."""

from collections.abc import Iterable, Sequence
from html import escape

import msgspec
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

from mmd.analytics.figure_layout import Figure
from mmd.analytics.tables import Section

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --page: #ffffff; --card: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --page: #0d1117; --card: #151b23; }
}
body { margin: 0 auto; padding: 24px; max-width: 1240px; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 32px 0 8px; } h3 { font-size: 14px; margin: 0 0 4px; }
p, .soft { color: var(--soft); } p { margin: 4px 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { padding: 3px 10px 3px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 500; }
.metrics { columns: 2 520px; column-gap: 32px; } .metrics section { break-inside: avoid; padding-top: 16px; }
.plots { padding-top: 24px; }
.metrics td:nth-child(1) { white-space: nowrap; } .metrics td:nth-child(2), .metrics td:nth-child(3) { white-space: nowrap; }
.metrics td:nth-child(3), .metrics td:nth-child(4) { color: var(--soft); font-size: 12px; }
.plots { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
.plot { border: 1px solid var(--line); border-radius: 6px; background: var(--card); min-width: 0; }
.wide { grid-column: 1 / -1; } .scroll { overflow-x: auto; } .scroll td, .scroll th { white-space: nowrap; padding-right: 8px; font-size: 12px; } .warning { color: #d1495b; }
pre { background: var(--card); padding: 12px; border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; font-size: 12px; }
@media (max-width: 860px) { .plots { grid-template-columns: minmax(0, 1fr); } .metrics td:nth-child(4) { display: none; }
  .metrics td:nth-child(1) { white-space: normal; } }
"""

_SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
const NARROW = 560;
function themed(layout, width) {
  const ink = dark.matches ? "#c9d1d9" : "#1f2328", line = dark.matches ? "#2f363d" : "#dde3e8";
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  return { ...layout, ...(width < NARROW ? narrow(layout) : {}), autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, size: 12, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: dark.matches ? "#151b23" : "#ffffff", font: { color: ink } },
    xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis } };
}
function narrow(layout) {
  const { title, legend } = layout;
  return { title: { ...title, text: title.text.replace(": ", ":<br>"), font: { size: 12 } },
    legend: { ...legend, x: 0, xanchor: "left", yref: "container", y: 0.01, yanchor: "bottom" } };
}
function draw() {
  document.querySelectorAll(".plot").forEach((plot, i) => Plotly.react(
    plot, figures[i].data, themed(figures[i].layout, plot.clientWidth), { displayModeBar: false, responsive: true, scrollZoom: true }));
}
draw();
dark.addEventListener("change", draw);
"""


def page(title: str, parts: Iterable[str], figures: Sequence[Figure]) -> str:
    """A whole page; figures go into the `plots` of the parts, in order."""
    # "</" inside a script would end it; in JSON strings "<\\/" means the same.
    data = msgspec.json.encode(figures).decode().replace("</", "<\\/")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body>\n{''.join(parts)}\n<script>{get_plotlyjs()}</script>\n"
        f"<script>const figures = {data};\n{_SCRIPT}</script>\n</body></html>\n"
    )


def heading(text: str, lines: Sequence[str], warnings: Sequence[str] = ()) -> str:
    """The page's head: its name, lines below it, and what a reader must know first."""
    below = "".join(f"<p>{escape(line)}</p>" for line in lines)
    alarms = "".join(f'<p class="warning">{escape(line)}</p>' for line in warnings)
    return f"<header><h1>{escape(text)}</h1>{below}{alarms}</header>"


def chapter(title: str) -> str:
    """A heading within the page."""
    return f"<h2>{escape(title)}</h2>"


def metric_tables(sections: Sequence[Section]) -> str:
    """Sections of metrics side by side: name, value, interval, definition."""
    made = []
    for section in sections:
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in section.rows
        )
        made.append(f"<section><h3>{escape(section.title)}</h3><table>{rows}</table></section>")
    return f'<div class="metrics">{"".join(made)}</div>'


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a header, scrolled where the window is too narrow."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def plots(wide: Sequence[bool]) -> str:
    """Places for so many figures, each over the whole width or half of it."""
    places = "".join(f'<div class="plot{" wide" if is_wide else ""}"></div>' for is_wide in wide)
    return f'<div class="plots">{places}</div>'


def folded(title: str, text: str) -> str:
    """Preformatted text that opens on demand."""
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"
