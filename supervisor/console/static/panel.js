// What stands beside the topology: all there is to know of a worker or a stream, else what needs
// somebody's attention.

import { el } from "./dom.js";
import { spark } from "./spark.js";
import { bytes, count, healthMark, plural, rate, severityBadge, time } from "./words.js";

export function closer(what, onClose) {
  return el("button", { type: "button", class: "plain close", "aria-label": `Close the ${what}`, on: { click: onClose } }, "✕");
}

export function workerPanel(worker, inputs, onRestart) {
  const facts = [
    ["kind", worker.kind],
    ["processes", `${worker.ready} ready of ${worker.wanted ?? worker.processes.length}`],
    ["restarts", count(worker.restarts)],
    ["memory", bytes(worker.rss_bytes)],
    ["accepted", count(worker.accepted)],
    ["rejected", count(worker.rejected)],
    ["dead letters", count(worker.dead)],
    ["duplicates", count(worker.duplicate)],
  ];
  return [
    el("h2", {}, `Worker ${worker.worker}`, healthMark(worker.health)),
    factList(facts),
    el("h3", {}, "Reads"),
    table(["stream", "rate", "waiting", "in hand", "state"], inputs.map((input) => [
      input.stream, rate(input.rates.all), count(input.lag), count(input.pending), healthMark(input.health),
    ])),
    el("h3", {}, "Processes"),
    worker.processes.length
      ? table(["process", "pid", "state", "restarts", "memory"], worker.processes.map((process) => [
        process.process, process.pid ?? "–", process.state, count(process.restarts), bytes(process.rss_bytes),
      ]))
      : el("p", { class: "soft" }, "None runs."),
    ...worker.processes.filter((process) => process.reason).map((process) => el("p", { class: "reason" }, `${process.process}: ${process.reason}`)),
    el("p", { class: "buttons" }, el("button", { type: "button", on: { click: () => onRestart(worker.worker) } }, "Restart …")),
  ];
}

export function streamPanel(stream, node, inputs, past) {
  const known = past.filter((value) => value !== null);
  return [
    el("h2", {}, `Stream ${stream.name}`),
    factList([
      ["part", node.about || "side stream"],
      ["entries held", count(stream.length)],
      ["ever added", count(stream.added)],
      ["added now", rate(stream.rate)],
    ]),
    known.length > 1
      ? el("figure", {}, spark({ values: past }, `entries a second, of late: ${rate(known.at(-1))} now`, 320), el("figcaption", {}, `entries a second, up to ${rate(Math.max(...known))}`))
      : null,
    el("h3", {}, "Read by"),
    inputs.length
      ? table(["worker", "rate", "waiting", "in hand", "state"], inputs.map((input) => [
        input.worker, rate(input.rates.all), count(input.lag), count(input.pending), healthMark(input.health),
      ]))
      : el("p", { class: "soft" }, "No worker; readers outside the pipeline have no group here."),
    el("p", {}, el("a", { href: `#lineage?${new URLSearchParams({ uid: stream.name })}` }, "Lineage of its newest message")),
  ];
}

export function attentionPanel(pulse) {
  const found = [...troubles(pulse)];
  return [
    el("h2", {}, "Attention"),
    found.length
      ? el("ul", { class: "troubles" }, found.map((parts) => el("li", {}, parts)))
      : el("p", {}, healthMark("ok"), ` All ${plural(pulse.workers.length, "worker")} are ready, nothing is stuck, nothing is set aside.`),
    el("h3", {}, "Server"),
    factList([
      ["address", pulse.server.url],
      ["version", pulse.server.version || "–"],
      ["kind", pulse.server.kind],
      ["supervisor", pulse.supervisor ? `process ${pulse.supervisor.pid}` : "none"],
      ["since", pulse.supervisor ? time(pulse.supervisor.started_at_s * 1000) : "–"],
    ]),
    el("p", { class: "soft" }, "Choose a node to see more of it."),
  ];
}

function* troubles(pulse) {
  const { attention } = pulse;
  if (!pulse.server.reachable) yield [healthMark("down"), ` The server does not answer: ${pulse.server.error}`];
  for (const worker of pulse.workers) {
    if (worker.health === "ok") continue;
    const reason = worker.processes.map((process) => process.reason).find(Boolean);
    yield [healthMark(worker.health), ` ${worker.worker}: ${worker.ready} of ${worker.wanted ?? "?"} ready${reason ? `; ${reason}` : ""}`];
  }
  for (const input of pulse.inputs) {
    if (["behind", "stuck"].includes(input.health)) yield [healthMark(input.health), ` ${input.worker} has ${plural(input.lag + input.pending, "entry", "entries")} of ${input.stream} before it`];
  }
  if (attention.open) yield [severityBadge(attention.worst), " ", el("a", { href: "#events?open=1" }, `${plural(attention.open, "open incident")}`)];
  if (attention.quarantined) yield [el("span", { class: "tag" }, "quarantine"), " ", el("a", { href: "#quarantine" }, `${plural(attention.quarantined, "message")} rejected`)];
  if (attention.dead) yield [el("span", { class: "tag" }, "dead letters"), " ", el("a", { href: "#quarantine" }, `${plural(attention.dead, "message")} that no worker could process`)];
}

export function factList(pairs) {
  return el("dl", { class: "facts" }, pairs.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}


export function table(heads, rows, caption = "") {
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      {},
      caption ? el("caption", {}, caption) : null,
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell))))),
    ),
  );
}
