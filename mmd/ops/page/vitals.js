// The three answers at the top: is it healthy, is it making money, is it inside its limits.

import { duration, fixed, limitName, micros, percent, put, signed, words } from "./format.js";

const STALE_S = 3;
const TIGHT = 0.2;

function tell(id, weight, texts) {
  const card = document.getElementById(id);
  card.dataset.weight = weight;
  for (const [field, text] of Object.entries(texts)) put(card.querySelector(`[data-field="${field}"]`), text);
}

/** Word, weight and reason of the daemon's health, worst first. */
function healthOf(s) {
  if (!s.rows) return ["Starting", "caution", s.error || "nothing was published yet"];
  if (s.error) return ["No engine", "bad", s.error];
  if (s.engine_age_s > STALE_S) return ["Engine not answering", "bad", `its last picture is ${duration(s.engine_age_s)} old`];
  const why = words(s.risk_reason);
  if (["CANCEL_ALL", "HALTED"].includes(s.risk_level)) return ["Halted", "bad", why || "by its operator"];
  if (s.risk_level === "FLATTEN") return ["Flattening", "bad", why];
  if (!s.journal_up) return ["No journal", "bad", "nothing new is sent while it cannot be written"];
  if (!s.ready) return ["Starting", "caution", s.rows.filter((r) => !r.synced).map((r) => r.symbol).join(", ") || "not reconciled yet"];
  if (s.risk_level !== "NORMAL") return [words(s.risk_level).replace(/^./, (c) => c.toUpperCase()), "caution", why];
  const out = s.rows.filter((r) => r.quote_state === "WITHDRAWN");
  if (out.length) return ["Not quoting", "caution", out.map((r) => `${r.symbol}: ${words(r.reason)}`).join(", ")];
  return ["Healthy", "good", ""];
}

export function showVitals(s) {
  const [word, weight, why] = healthOf(s);
  const t2o = s.tick_to_order_us;
  const up = s.uptime_s === undefined ? "" : `up ${duration(s.uptime_s)}`;
  const pace = t2o?.count ? `half of its orders within ${micros(t2o.p50)}` : "";
  tell("health", weight, { word, why: [why, up, pace].filter(Boolean).join(" · ") });
  if (!s.risk) return;
  showMoney(s);
  showLimits(s);
}

function showMoney(s) {
  const { day_pnl: day, day_drawdown: fall, reporting_currency: currency } = s.risk;
  const weight = day > 0 ? "good" : day < 0 ? "bad" : "plain";
  const fills = s.rows.reduce((sum, row) => sum + row.fills, 0);
  const parts = [`drawdown ${fixed(fall, 2)}`, `${fixed(fills, 0)} fills this session`];
  if (s.risk.day_return !== null) parts.unshift(`${percent(s.risk.day_return, 3)} of capital`);
  tell("money", weight, { day: signed(day, 2), currency: `${currency} today`, parts: parts.join(" · ") });
}

function showLimits(s) {
  const [name, free] = Object.entries(s.risk.headroom).sort((a, b) => a[1] - b[1])[0] ?? ["", 1];
  const weight = free <= 0 || !["NORMAL", "CAUTIOUS"].includes(s.risk_level) ? "bad" : free < TIGHT ? "caution" : "good";
  const level = `risk level ${words(s.risk_level)}`;
  const exposure = `exposure ${fixed(s.risk.exposure_gross, 0)} gross, ${fixed(s.risk.exposure_net, 0)} net`;
  tell("limits-vital", weight, {
    tightest: `${percent(free)} free`,
    level: [`tightest: ${limitName(name)}`, level, exposure].filter(Boolean).join(" · "),
  });
}
