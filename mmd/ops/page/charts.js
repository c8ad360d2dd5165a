// Charts over time, by uPlot (a global of its script), in the page's colours and drawn anew where those change.

/* global uPlot */

import { clock } from "./format.js";

const SMALLEST_HEIGHT = 60;
/** Steps between the lines of a value axis: those whose multiples need no more decimals than the step itself. */
const STEPS = Array.from({ length: 17 }, (_, k) => k - 8).flatMap((power) => [1, 2, 5].map((n) => Number(`${n}e${power}`)));

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axes(values) {
  const line = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: colour("--soft"), grid: line, ticks: { ...line, size: 4 }, font: "11px system-ui, sans-serif" };
  return [
    { ...axis, space: 76, size: 30, values: (_, splits) => splits.map((t) => clock(t)) },
    { ...axis, size: 64, space: 24, incrs: STEPS, values: (_, splits, at, space, step) => splits.map((v) => values(v, decimalsOfStep(step))) },
  ];
}

/** How many decimals the multiples of a step need. */
function decimalsOfStep(step) {
  return Math.max(-Math.floor(Math.log10(step) + 1e-9), 0);
}

/** A chart of columns; `series` are {label, colour, values, width, dash, fill, steps, points}. */
export class Chart {
  /**
   * @param {HTMLElement} element - which gives it its size
   * @param {object[]} series - one for each column after the first
   * @param {object} options - values(number, least decimals) for axis and legend, draw(uPlot) after the lines, time: false for an index,
   *   names: of that index, range: of the y axis
   */
  constructor(element, series, options) {
    this.element = element;
    this.series = series;
    this.options = options;
    this.data = [[], ...series.map(() => [])];
    this.plot = null;
    this.size = [0, 0];
    new ResizeObserver(() => this.resize()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
  }

  show(data) {
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else this.build();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || (width === this.size[0] && height === this.size[1])) return;
    this.size = [width, height];
    if (this.plot) this.fit();
    else this.build();
  }

  /** Leave to the lines what the legend, whose height depends on the width, does not take. */
  fit() {
    if (!this.plot) return;
    const legend = this.element.querySelector(".u-legend")?.offsetHeight ?? 0;
    this.plot.setSize({ width: this.size[0], height: Math.max(this.size[1] - legend, SMALLEST_HEIGHT) });
  }

  build() {
    if (!this.size[0]) return;
    this.plot?.destroy();
    const { values, draw, names, range } = this.options;
    const [x, y] = axes(values);
    if (names) Object.assign(x, { values: (_, at) => at.map((k) => names()[k] ?? ""), space: 30 });
    const xSeries = names ? { value: (_, k) => names()[k] ?? "" } : { value: (_, t) => (t === null ? "" : clock(t)) };
    this.plot = new uPlot({
      width: this.size[0],
      height: this.size[1],
      padding: [10, 22, 0, 0],
      legend: { live: true },
      cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
      scales: { x: { time: !names }, y: range ? { range } : {} },
      axes: [x, y],
      series: [{ label: names ? "after" : "at", ...xSeries }, ...this.series.map((s) => styled(s, values))],
      hooks: { draw: draw ? [draw] : [] },
    }, this.data, this.element);
    new ResizeObserver(() => this.fit()).observe(this.element.querySelector(".u-legend"));
  }
}

function styled(series, values) {
  return {
    label: series.label,
    stroke: colour(series.colour),
    width: series.width ?? 1.5,
    dash: series.dash,
    fill: series.fill ? colour(series.fill) : undefined,
    paths: series.steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
    points: { show: series.points ?? false, size: 7 },
    spanGaps: false,
    value: (plot, v, k) => values(v ?? plot.data[k].findLast((last) => last !== null) ?? null),
  };
}

/** A hook that marks fills on the price chart: a triangle upwards where we bought. */
export function fillMarks(fillsOf) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const size = 5 * devicePixelRatio;
    const [from, to] = [plot.scales.x.min, plot.scales.x.max];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour("--card");
    for (const fill of fillsOf()) {
      if (fill.unix_s < from || fill.unix_s > to) continue;
      const x = plot.valToPos(fill.unix_s, "x", true);
      const y = plot.valToPos(fill.price, "y", true);
      const up = fill.side === "BUY" ? 1 : -1;
      ctx.fillStyle = colour(fill.side === "BUY" ? "--bid" : "--ask");
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x - size, y + up * 1.7 * size);
      ctx.lineTo(x + size, y + up * 1.7 * size);
      ctx.closePath();
      ctx.fill();
      ctx.stroke();
    }
    ctx.restore();
  };
}
