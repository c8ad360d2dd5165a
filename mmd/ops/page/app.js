// Wires the page: one live connection, the selected instrument, and the cards that show them.

import { Chart, fillMarks } from "./charts.js";
import { Control } from "./control.js";
import { Events } from "./events.js";
import { clock, decimalsOf, fixed, minus, put, signed } from "./format.js";
import { Past } from "./history.js";
import { Ladder } from "./ladder.js";
import { connect } from "./live.js";
import { limitBars, quotingFacts, showBars, showFacts, showLatency, showModels, showRows, sourceBars } from "./panels.js";
import { showVitals } from "./vitals.js";

const at = (id) => document.getElementById(id);
const past = new Past();
const events = new Events(at("events"), at("event-kinds"));
const ladder = new Ladder(at("ladder"), document.querySelector('.ladder-card [data-field="further"]'));
const control = new Control(document.querySelectorAll("button[data-action]"), at("confirm"));
let decimals = 2;
let selected = "";
let horizons = [];
let spanS = 300;

/** What writes the values of a chart: with so many decimals, or more where the axis is finer. */
const written = (write, usual) => (value, least = 0) => write(value, Math.max(usual(), least));
const charts = {
  price: new Chart(at("price-chart"), [
    { label: "mid", colour: "--ink", width: 1.5 },
    { label: "fair", colour: "--c1", width: 1, dash: [4, 3] },
    { label: "our bid", colour: "--bid", steps: true },
    { label: "our ask", colour: "--ask", steps: true },
  ], { values: written(fixed, () => decimals), draw: fillMarks(() => past.fills) }),
  inventory: new Chart(at("inventory-chart"), [
    { label: "position", colour: "--c1", fill: "--accent-fill", steps: true },
  ], { values: written(fixed, () => 2), range: (_, low, high) => around(low, high) }),
  pnl: new Chart(at("pnl-chart"), [
    { label: "total", colour: "--ink", width: 2 },
    { label: "spread", colour: "--c2" },
    { label: "drift", colour: "--c4" },
    { label: "fees", colour: "--c6" },
    { label: "hedging", colour: "--c3" },
    { label: "arbitrage", colour: "--c5" },
  ], { values: written(signed, () => 2), range: (_, low, high) => around(low, high) }),
  markout: new Chart(at("markout-chart"), [
    { label: "bps", colour: "--c1", width: 2, points: true, fill: "--accent-fill" },
  ], { values: written(signed, () => 1), names: () => horizons.map(short), range: (_, low, high) => around(low, high) }),
  model: new Chart(at("model-chart"), [
    { label: "forecast, ticks", colour: "--c1" },
    { label: "outcome, ticks", colour: "--faint", width: 1 },
  ], { values: written(signed, () => 1) }),
};

/** 300s as 5m. */
function short(horizon) {
  const seconds = Number.parseFloat(horizon);
  return seconds >= 60 ? `${seconds / 60}m` : horizon;
}

/** A range that has zero in it and some air. */
function around(low, high) {
  const [from, to] = [Math.min(low ?? 0, 0), Math.max(high ?? 0, 0)];
  const air = 0.08 * (to - from) || 0.1;
  return [from < 0 ? from - air : from, to > 0 ? to + air : to || air];
}

function drawCharts() {
  charts.price.show(past.last(spanS, ["unix_s", "mid", "fair", "bid", "ask"]));
  charts.inventory.show(past.last(spanS, ["unix_s", "position"]));
  charts.pnl.show(past.last(spanS, ["unix_s", "pnl", "spread", "drift", "fees", "hedging", "arbitrage"]));
}

/** The forecast beside what the mid did in the time that as many bars take here on average. */
function drawModel(row) {
  const [times, mids, forecasts, bars] = past.last(1800, ["unix_s", "mid", "forecast_ticks", "bars"]);
  const horizon = row.prediction?.scores[0]?.bars_ahead;
  const first = bars.findIndex((n) => n !== null);
  at("model-chart").hidden = !row.prediction;
  if (!horizon || first < 0) return;
  const perBar = (times.at(-1) - times[first]) / Math.max(bars.at(-1) - bars[first], 1);
  const ahead = Math.max(Math.round(horizon * perBar), 1);
  const tick = Number(row.tick_size);
  const outcome = mids.map((mid, k) => (mid === null || mids[k + ahead] == null ? null : (mids[k + ahead] - mid) / tick));
  const from = Math.max(times.length - spanS, 0);
  charts.model.show([times, forecasts, outcome].map((column) => column.slice(from)));
}

function showSession(session, news, whole) {
  document.documentElement.dataset.taken = session.taken_unix_s ?? "";
  const stale = Boolean(session.error && session.rows) || session.engine_age_s > 3;
  document.body.classList.toggle("stale", stale);
  showBanner(stale && session.rows ? session.error || `The engine has published nothing for ${session.engine_age_s} s.` : "");
  control.allow(session.controls);
  showVitals(session);
  events.add(news, whole);
  if (!session.rows) return;
  const badge = at("environment");
  put(badge, session.environment);
  badge.hidden = false;
  badge.dataset.weight = session.environment === "live" ? "bad" : "plain";
  put(at("about"), `mmd ${session.version} · session ${session.session} · picture of ${clock(session.taken_unix_s)} · ${fixed(session.journal_records, 0)} records journalled`);
  showBars(at("limits"), limitBars(session.risk.headroom));
  showLatency(at("latency"), at("latency-text"), session.tick_to_order_us, session.edges_s);
  at("instruments-card").hidden = session.rows.length < 2;
  showRows(at("rows").tBodies[0], session.rows, select);
  offer(session.rows.map((row) => `${row.venue}:${row.symbol}`));
}

/** Keep the choice of instruments up to date; the first one is shown unless the address names another. */
function offer(names) {
  const list = at("instrument");
  if (list.dataset.names !== names.join()) {
    list.dataset.names = names.join();
    list.replaceChildren(...names.map((name) => new Option(name, name)));
    if (selected) list.value = selected;
  }
  if (!names.includes(selected)) {
    const wanted = decodeURIComponent(location.hash.slice(1));
    select(names.includes(wanted) ? wanted : names[0]);
  }
}

function select(name) {
  if (name === selected) return;
  selected = name;
  at("instrument").value = name;
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  past.clear(name);
  live.watch(name);
  past.load().then(drawCharts);
}

function showInstrument(name, row, point, fills) {
  past.add(point, fills);
  decimals = decimalsOf(row.tick_size);
  ladder.show(row, decimals);
  put(document.querySelector('[data-value="position"]'), `${minus(row.position)} ${row.base}`);
  put(document.querySelector('[data-value="quote"]'), row.quote);
  put(document.querySelector('[data-value="pnl_total"]'), `${signed(row.pnl_total, 4)} ${row.quote}`);
  showFacts(at("quoting"), quotingFacts(row));
  showBars(at("sources"), sourceBars(row));
  horizons = Object.keys(row.markout_bps);
  if (point || !charts.markout.plot) {
    charts.markout.show([horizons.map((_, k) => k), Object.values(row.markout_bps)]);
    showModels(at("models"), row.prediction);
    drawModel(row);
    drawCharts();
  }
  document.title = `${signed(row.pnl_total, 2)} ${row.symbol} · mmd`;
}

function showBanner(text) {
  const banner = at("banner");
  banner.hidden = text === "";
  put(banner, text);
}

function showLink(isUp) {
  const link = at("link");
  link.dataset.weight = isUp ? "good" : "bad";
  put(link, isUp ? "live" : "connection lost, trying again");
  if (!isUp) document.body.classList.add("stale");
  if (isUp && selected) past.load().then(drawCharts);
}

for (const input of document.querySelectorAll('#spans input')) {
  input.addEventListener("change", () => {
    spanS = Number(input.value);
    drawCharts();
  });
}
at("instrument").addEventListener("change", () => select(at("instrument").value));
const live = connect({ session: showSession, instrument: showInstrument, link: showLink });
