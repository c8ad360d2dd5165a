// Numbers and times as people read them; nothing here knows of the daemon.

export const NONE = "–";
const MINUS = "\u2212";
const SPANS = { 1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day" };

/** A number with so many decimals; null is a dash. */
export function fixed(value, decimals) {
  if (value === null || value === undefined) return NONE;
  const text = value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return minus(text).replace(/^\u2212(0(\.0*)?)$/, "$1");
}

/** A number's text with a minus as wide as the plus. */
export function minus(text) {
  return text.replace("-", MINUS);
}

/** The same with a plus where it is above zero. */
export function signed(value, decimals) {
  const text = fixed(value, decimals);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A ratio in per cent. */
export function percent(ratio, decimals = 0) {
  return ratio === null || ratio === undefined ? NONE : `${fixed(100 * ratio, decimals)} %`;
}

/** Microseconds, or milliseconds from a thousand on. */
export function micros(us) {
  return us < 1000 ? `${fixed(us, 0)} µs` : `${fixed(us / 1000, us < 10000 ? 1 : 0)} ms`;
}

/** Seconds, minutes, hours or days. */
export function duration(seconds) {
  if (seconds < 90) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`;
  if (seconds < 5400) return `${fixed(seconds / 60, 0)} min`;
  return seconds < 172800 ? `${fixed(seconds / 3600, 1)} h` : `${fixed(seconds / 86400, 1)} d`;
}

/** Local time of day of a unix time. */
export function clock(unixS) {
  return new Date(unixS * 1000).toLocaleTimeString("en-GB");
}

/** How many decimals a tick size like "0.0100" has that matter. */
export function decimalsOf(tickSize) {
  const fraction = (tickSize.split(".")[1] || "").replace(/0+$/, "");
  return Math.min(fraction.length, 8);
}

/** QUOTE_STATE as words. */
export function words(name) {
  return name.toLowerCase().replaceAll("_", " ");
}

/** A limit as words: orders_10s as "orders in 10 s". */
export function limitName(name) {
  const [, what, seconds] = name.match(/^(.*)_(\d+)s$/) ?? [];
  return what ? `${words(what)} ${SPANS[seconds] ?? `in ${seconds} s`}` : words(name);
}

/** Set an element's text where it is another. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A new element with a class and a text. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
