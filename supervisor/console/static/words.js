// Numbers, times and states in words and signs; every colour has a sign and a word beside it.

import { el } from "./dom.js";

export const HEALTH = {
  ok: ["●", "ok"],
  paused: ["◌", "paused"],
  behind: ["▲", "behind"],
  partial: ["◐", "partly ready"],
  stuck: ["■", "stuck"],
  down: ["✕", "down"],
  unknown: ["○", "unknown"],
};

const SEVERITY = { low: "▁", medium: "▃", high: "▅", critical: "▇" };

export function healthMark(health, words = "") {
  const [sign, word] = HEALTH[health] ?? HEALTH.unknown;
  return el("span", { class: `health ${health}` }, el("span", { class: "sign", "aria-hidden": "true" }, sign), words || word);
}

export function severityBadge(severity) {
  return el("span", { class: `severity ${severity}` }, el("span", { "aria-hidden": "true" }, `${SEVERITY[severity] ?? "·"} `), severity ?? "none");
}

export function count(value) {
  return value === null || value === undefined ? "?" : value.toLocaleString("en");
}

// 12,345 -> 12.3k, where there is little room.
export function short(value) {
  if (value === null || value === undefined) return "?";
  if (Math.abs(value) < 10000) return value.toLocaleString("en");
  return value < 1e6 ? `${(value / 1e3).toPrecision(3)}k` : `${(value / 1e6).toPrecision(3)}M`;
}

export function rate(value, digits = 0) {
  if (value === null || value === undefined) return "–/s";
  if (value === 0) return "0/s";
  if (digits && value >= 1000) return `${Number((value / 1000).toPrecision(digits))}k/s`;
  return value < 10 ? `${value.toFixed(1)}/s` : `${short(Math.round(value))}/s`;
}

export function number(value) {
  if (value === null || value === undefined) return "–";
  const big = Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3);
  return big ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

export function bytes(value) {
  return value === null || value === undefined ? "–" : `${(value / 1048576).toFixed(0)} MiB`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

// A time of today without its day; a producer may choose entry ids that are no time.
export function time(atMs) {
  const at = new Date(atMs);
  if (Number.isNaN(at.getTime())) return el("span", {}, `${atMs} ms`);
  const day = DAY.format(at) === DAY.format(new Date()) ? "" : `${DAY.format(at)} `;
  return el("time", { datetime: at.toISOString(), title: at.toISOString() }, `${day}${CLOCK.format(at)}`);
}

export function plural(many, one, more = `${one}s`) {
  return `${count(many)} ${many === 1 ? one : more}`;
}

const TOKENS = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;

// JSON with line breaks and every token as it was written (1.0 stays 1.0); anything else as it is.
export function indented(payload) {
  try {
    JSON.parse(payload);
  } catch {
    return payload;
  }
  let [text, depth, fresh] = ["", 0, false];
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const token of payload.match(TOKENS) ?? []) {
    if ("}]".includes(token)) {
      depth -= 1;
      text += fresh ? token : line() + token;
    } else {
      text += (fresh ? line() : "") + (token === ":" ? ": " : token);
    }
    fresh = "{[".includes(token);
    if (fresh) depth += 1;
    if (token === ",") text += line();
  }
  return text;
}
