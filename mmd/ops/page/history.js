// The watched instrument's last half hour in columns: what the daemon kept before the page was opened, and what came since.

export const COLUMNS = [
  "unix_s", "mid", "fair", "bid", "ask", "position", "pnl", "spread", "drift", "hedging", "arbitrage", "rebates",
  "funding", "fees", "forecast_ticks", "bars",
];
const POINTS_MAX = 1800;
const FILLS_MAX = 1000;

export class Past {
  constructor() {
    this.clear("");
  }

  /** Begin anew with another instrument. */
  clear(instrument) {
    this.instrument = instrument;
    this.columns = Object.fromEntries(COLUMNS.map((name) => [name, []]));
    this.fills = [];
  }

  /** Fetch what was before; points that came meanwhile are in it, or newer. */
  async load() {
    const answer = await fetch(`/api/history?instrument=${encodeURIComponent(this.instrument)}`);
    if (!answer.ok) return;
    const history = await answer.json();
    if (history.instrument !== this.instrument) return;
    const since = history.columns.unix_s.at(-1) ?? 0;
    const later = this.columns.unix_s.map((t, k) => [t, k]).filter(([t]) => t > since).map(([, k]) => k);
    for (const name of COLUMNS) {
      this.columns[name] = [...history.columns[name], ...later.map((k) => this.columns[name][k])];
    }
    const known = new Set(history.fills.map(identity));
    this.fills = [...history.fills, ...this.fills.filter((fill) => !known.has(identity(fill)))];
  }

  add(point, fills) {
    this.fills.push(...fills);
    this.fills.splice(0, Math.max(this.fills.length - FILLS_MAX, 0));
    if (!point) return;
    COLUMNS.forEach((name, k) => {
      const column = this.columns[name];
      column.push(point[k]);
      if (column.length > POINTS_MAX) column.shift();
    });
  }

  /** Columns of the last so many seconds. */
  last(seconds, names) {
    const times = this.columns.unix_s;
    const from = times.length ? times.at(-1) - seconds : 0;
    const first = times.findIndex((t) => t >= from);
    return names.map((name) => this.columns[name].slice(Math.max(first, 0)));
  }
}

function identity(fill) {
  return `${fill.unix_s} ${fill.side} ${fill.price} ${fill.qty}`;
}
