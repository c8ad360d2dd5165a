"""A dashboard as a list of panels that flow from left to right, each with unit, description and legend."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

COLUMNS = 24
TAG = "mmd"
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
CHOSEN = 'venue=~"$venue",instrument=~"$instrument"'
"""What `$on` stands for in expressions: the instruments that were picked above."""
BPS = "suffix: bps"
TICKS = "suffix: ticks"
PER_MINUTE = "suffix:/min"
COLUMN_MIN = 60
"""Pixels; Grafana's own minimum of 150 pushes the last columns of a narrow table out of sight."""
_BAR_TEXT = 12, 14
"""Sizes of names and values beside bars. By itself Grafana measures the name with most letters, which need not be the widest."""

Steps = Sequence[tuple[float | None, str]]
"""(from which value, colour); the first from None."""
Queries = Sequence[tuple[str, str]]
"""(expression, legend)."""
Size = tuple[int, int]
"""Columns of 24, and rows."""
Span = tuple[float | None, float | None]
"""From where to where the axis goes; None: by the data."""


@dataclass
class Page:
    """One dashboard in the making."""

    uid: str
    title: str
    description: str
    panels: list[Any] = field(default_factory=list)
    _x: int = 0
    _y: int = 0
    _row: int = 0

    def lines(
        self,
        title: str,
        description: str,
        unit: str,
        queries: Queries,
        *,
        size: Size = (8, 8),
        steps: Steps = (),
        span: Span = (None, None),
    ) -> None:
        """Values over time; steps are drawn as lines where they are given, and the axis reaches down to them.

        Grafana draws a line that lies below the axis over its labels.
        """
        panel = timeseries.Panel().line_width(1).fill_opacity(8)
        panel = panel.legend(_legend()).tooltip(_tooltip())
        if steps:
            panel = panel.thresholds(_thresholds(steps)).thresholds_style(
                common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED)
            )
        low, high = span
        drawn = [value for value, _ in steps if value is not None]
        if low is not None:
            panel = panel.min(low)
        elif drawn:
            panel = panel.axis_soft_min(min(drawn))
        if high is not None:
            panel = panel.max(high)
        self._add(panel, title, description, unit, queries, size)

    def number(
        self,
        title: str,
        description: str,
        unit: str,
        query: tuple[str, str],
        *,
        size: Size = (3, 4),
        steps: Steps = ((None, "text"),),
        is_name: bool = False,
        decimals: int | None = None,
    ) -> None:
        """The last value, large; or the name of the series that holds."""
        panel = stat.Panel().thresholds(_thresholds(steps)).graph_mode(BigValueGraphMode.NONE)
        panel = panel.color_mode(BigValueColorMode.VALUE)
        panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        if is_name:
            panel = panel.text_mode(BigValueTextMode.NAME)
        if decimals is not None:
            panel = panel.decimals(decimals)
        self._add(panel, title, description, unit, [query], size)

    def bars(
        self,
        title: str,
        description: str,
        unit: str,
        *queries: tuple[str, str],
        size: Size = (8, 8),
        steps: Steps,
        span: tuple[float, float] = (0, 1),
    ) -> None:
        """The last values side by side, in the order of the queries."""
        panel = bargauge.Panel().thresholds(_thresholds(steps)).min(span[0]).max(span[1])
        panel = panel.orientation(VizOrientation.HORIZONTAL)
        panel = panel.display_mode(BarGaugeDisplayMode.BASIC)
        name, value = _BAR_TEXT
        panel = panel.text(common.VizTextDisplayOptions().title_size(name).value_size(value))
        panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        self._add(panel, title, description, unit, queries, size)

    def rows(
        self,
        title: str,
        description: str,
        metric: str,
        columns: dict[str, int | None],
        *,
        size: Size = (8, 8),
    ) -> None:
        """The labels of each series that is there; of each column its width in pixels, None for a share of the rest."""
        query = f"sum by ({', '.join(columns)}) ({metric})"
        target = prometheus.Dataquery().expr(_expression(query)).instant().ref_id("A")
        target = target.format(PromQueryFormat.TABLE).legend_format("")
        panel = table.Panel().title(title).description(description).unit("none").datasource(SOURCE)
        order = {name: at for at, name in enumerate(columns)}
        shown = {"excludeByName": {"Time": True, "Value": True}, "indexByName": order}
        panel = panel.with_transformation(DataTransformerConfig("organize", options=shown))
        for name, width in columns.items():
            rule = ("minWidth", COLUMN_MIN) if width is None else ("width", width)
            panel = panel.override_by_name(name, [DynamicConfigValue(f"custom.{rule[0]}", rule[1])])
        self._place(panel.with_target(target), size)

    def build(self) -> Dashboard:
        """The dashboard with its variables, links and annotations."""
        made = (
            dashboard.Dashboard(f"mmd: {self.title}")
            .uid(f"mmd-{self.uid}")
            .description(self.description)
            .tags([TAG])
            .timezone("utc")
            .refresh("5s")
            .time("now-30m", "now")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .with_variable(
                dashboard.DatasourceVariable("source").label("source").type("prometheus")
            )
            .link(dashboard.DashboardLink("mmd").type(DashboardLinkType.DASHBOARDS).tags([TAG]))
        )
        for label in ("venue", "instrument"):
            made = made.with_variable(_choice(label))
        for mark in _annotations():
            made = made.annotation(mark)
        for panel in self.panels:
            made = made.with_panel(panel)
        return made.build()

    def _add(
        self,
        panel: Any,
        title: str,
        description: str,
        unit: str,
        queries: Queries,
        size: Size,
    ) -> None:
        panel = panel.title(title).description(description).unit(unit).datasource(SOURCE)
        for at, (query, legend) in enumerate(queries):
            target = prometheus.Dataquery().expr(_expression(query)).legend_format(legend)
            panel = panel.with_target(target.ref_id("ABCDEFGH"[at]))
        self._place(panel, size)

    def _place(self, panel: Any, size: Size) -> None:
        """To the right of the last one, or below."""
        width, height = size
        if self._x + width > COLUMNS:
            self._x, self._y, self._row = 0, self._y + self._row, 0
        self.panels.append(panel.grid_pos(GridPos(h=height, w=width, x=self._x, y=self._y)))
        self._x += width
        self._row = max(self._row, height)


def _expression(query: str) -> str:
    return query.replace("$on", CHOSEN)


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    rows = [Threshold(value=value, color=color) for value, color in steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(rows)


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST)
    return legend.placement(LegendPlacement.BOTTOM).show_legend(show_legend=True)


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI)


def _choice(label: str) -> dashboard.QueryVariable:
    choice = dashboard.QueryVariable(label).label(label).datasource(SOURCE)
    choice = choice.query(f"label_values(mmd_feed_up, {label})").include_all(include_all=True)
    return choice.multi(multi=True).all_value(".*").refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)


def _annotations() -> list[dashboard.AnnotationQuery]:
    """Marks on every graph: what explains a change of anything else."""
    marks = (
        ("Fills", f"changes(mmd_fills_total{{{CHOSEN}}}[15s]) > 0", "blue"),
        ("Halts", 'mmd_risk_level{level=~"CANCEL_ALL|FLATTEN|HALTED"} == 1', "red"),
        ("Model swaps", f"changes(mmd_model_swaps_total{{{CHOSEN}}}[15s]) > 0", "purple"),
    )
    return [
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(SOURCE)
        .expr(expression)
        .enable(enable=True)
        .icon_color(color)
        for name, expression, color in marks
    ]
