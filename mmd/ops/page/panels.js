// The cards of the selected instrument and of the session that are lists, bars and small tables.

import { duration, fixed, limitName, make, micros, minus, percent, put, signed, words } from "./format.js";

const SOURCES = ["spread", "drift", "hedging", "arbitrage", "rebates", "funding", "fees"];

/** Rows of a definition list, made once and then only rewritten. */
export function showFacts(list, facts) {
  if (list.children.length !== 2 * facts.length) {
    list.replaceChildren(...facts.flatMap(() => [make("dt"), make("dd")]));
  }
  facts.forEach(([name, text], k) => {
    put(list.children[2 * k], name);
    put(list.children[2 * k + 1], text);
  });
}

export function quotingFacts(row) {
  const made = row.fills ? row.fills_maker / row.fills : null;
  return [
    ["State", words(row.quote_state) + (row.reason === "NONE" ? "" : `: ${words(row.reason)}`)],
    ["Half spread, skew", `${fixed(row.half_spread_bps, 2)}, ${fixed(row.skew_bps, 2)} bps`],
    ["Volatility", `${fixed(row.sigma_bps, 2)} bps/√s`],
    ["Spread model", words(row.model.spread_model)],
    ["Position of its limit", percent(row.inventory_ratio)],
    ["Value at risk, a day", `${fixed(row.held.value_at_risk, 2)} ${row.quote}`],
    ["Quoting both sides", percent(row.uptime_ratio, 1)],
    ["Orders sent, rejected", `${fixed(row.orders_sent, 0)}, ${fixed(row.orders_rejected, 0)}`],
    ["Fills, as maker", `${fixed(row.fills, 0)}, ${percent(made)}`],
    ["Adverse fills", percent(row.model.adverse_fill_ratio)],
  ];
}

/** Bars of equal build: [name, value text, from %, size %, weight]. */
export function showBars(list, bars) {
  if (list.children.length !== bars.length) {
    list.replaceChildren(...bars.map(() => {
      const item = make("li");
      const track = make("span", "track");
      track.append(make("i"));
      item.append(make("span", "name"), track, make("span", "value"));
      return item;
    }));
  }
  bars.forEach(([name, text, from, size, weight], k) => {
    const item = list.children[k];
    item.dataset.weight = weight;
    put(item.querySelector(".name"), name);
    put(item.querySelector(".value"), text);
    const bar = item.querySelector("i");
    bar.style.setProperty("--from", `${from}%`);
    bar.style.setProperty("--size", `${size}%`);
  });
}

export function sourceBars(row) {
  const values = SOURCES.map((name) => (name === "fees" ? -row.sources.fees : row.sources[name]));
  const most = Math.max(...values.map(Math.abs), 1e-12);
  return SOURCES.map((name, k) => {
    const share = (50 * Math.abs(values[k])) / most;
    const weight = values[k] > 0 ? "good" : values[k] < 0 ? "bad" : "plain";
    return [name, signed(values[k], 4), values[k] < 0 ? 50 - share : 50, share, weight];
  });
}

export function limitBars(headroom) {
  return Object.entries(headroom).sort((a, b) => a[1] - b[1]).map(([name, free]) => {
    const weight = free <= 0 ? "bad" : free < 0.2 ? "caution" : "good";
    return [limitName(name), percent(free), 0, 100 * Math.min(Math.max(free, 0), 1), weight];
  });
}

/** Bars between the edges in seconds, from the first that is not empty to the last. */
export function showLatency(element, text, t2o, edges) {
  put(text, t2o.count ? `p50 ${micros(t2o.p50)} · p99 ${micros(t2o.p99)} · ${fixed(t2o.count, 0)} orders` : "no order yet");
  const counts = t2o.histogram.cumulative.map((n, k, all) => n - (k ? all[k - 1] : 0));
  const first = counts.findIndex((n) => n > 0);
  const last = counts.findLastIndex((n) => n > 0);
  if (first < 0) return;
  const shown = `${first} ${last}`;
  if (element.dataset.shown !== shown) {
    element.dataset.shown = shown;
    const every = Math.ceil((last - first + 1) / 5);
    element.replaceChildren(...counts.slice(first, last + 1).map((_, k) => column(edges[first + k], k % every === 0)));
  }
  const most = Math.max(...counts);
  for (let k = first; k <= last; k += 1) {
    element.children[k - first].firstChild.style.setProperty("--size", `${(100 * counts[k]) / most}%`);
  }
}

function column(edgeS, isNamed) {
  const bar = make("div");
  const name = edgeS === undefined ? "more" : micros(1e6 * edgeS);
  bar.append(make("i"), make("span", "", isNamed ? name.replace(" ", "\u00a0") : ""));
  bar.title = edgeS === undefined ? name : `at most ${name}`;
  return bar;
}

export function showModels(element, prediction) {
  if (!prediction) {
    put(element, "No learned model predicts here: quoting.strategy = full turns them on.");
    element.className = "sub";
    return;
  }
  element.className = "";
  const facts = make("dl", "facts");
  const forecast = prediction.forecast_ticks;
  const said = forecast === null ? `none (${words(prediction.price_status)})` : `${signed(forecast, 3)} ticks`;
  const made = prediction.age_s === null ? "none yet" : `${said}, ${duration(prediction.age_s)} ago`;
  showFacts(facts, [
    ["In use", `${words(prediction.rung)}${prediction.refusal ? `, refused: ${prediction.refusal}` : ""}`],
    ["Last forecast", made],
  ]);
  element.replaceChildren(facts, scoreTable(prediction.scores));
}

function scoreTable(scores) {
  const table = make("table", "scores");
  const head = table.createTHead().insertRow();
  for (const name of ["Model", "Ahead", "Scored", "R²", "Hits"]) {
    const cell = make("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const s of scores) {
    const row = body.insertRow();
    const cells = [s.role, `${s.bars_ahead} bars`, fixed(s.n, 0), fixed(s.r2, 4), percent(s.hit_ratio, 1)];
    for (const text of cells) row.insertCell().textContent = text;
  }
  return table;
}

/** One line for each instrument; a click shows it. */
export function showRows(body, rows, select) {
  while (body.rows.length < rows.length) {
    const line = body.insertRow();
    const button = make("button");
    button.type = "button";
    button.addEventListener("click", () => select(button.dataset.name));
    line.insertCell().append(button);
    for (let k = 1; k < 7; k += 1) line.insertCell().className = k === 6 ? "spare" : "";
  }
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, at) => {
    const cells = body.rows[at].cells;
    const button = cells[0].firstChild;
    button.dataset.name = `${row.venue}:${row.symbol}`;
    put(button, button.dataset.name);
    const state = words(row.quote_state) + (row.reason === "NONE" ? "" : `: ${words(row.reason)}`);
    const texts = [state, row.mid === null ? "–" : String(Number(row.mid.toPrecision(9))), minus(row.position), signed(row.pnl_total, 4), fixed(row.fills, 0), percent(row.uptime_ratio, 1)];
    texts.forEach((text, k) => put(cells[k + 1], text));
    cells[4].className = row.pnl_total > 0 ? "up" : row.pnl_total < 0 ? "down" : "";
  });
}
