// The pipeline as it stands this second.

import { act } from "./api.js";
import { confirm } from "./dialogs.js";
import { arrows, el, fill, keyed, oneTabStop, tell } from "./dom.js";
import { Graph } from "./graph.js";
import { attentionPanel, closer, streamPanel, workerPanel } from "./panel.js";
import { bytes, count, healthMark, rate, short } from "./words.js";

const REMEMBERED = 120; // looks at a stream's rate

export class Pipeline {
  constructor(root) {
    this.root = root;
    this.tiles = el("dl", { class: "tiles" });
    this.board = el("div", { class: "board", tabindex: -1 });
    this.panel = el("aside", { class: "panel", "aria-live": "off", "aria-label": "Details" });
    this.list = el("ul", { class: "rows workers" });
    arrows(this.list);
    root.append(
      this.tiles,
      el("div", { class: "beside" }, el("div", { class: "card" }, this.board, legend()), this.panel),
      el("h2", { id: "workers-title" }, "Workers"),
      this.list,
    );
    this.list.setAttribute("aria-labelledby", "workers-title");
    this.past = new Map();
    this.chosen = null;
    this.pulse = null;
  }

  know(topology) {
    this.topology = topology;
    this.graph = new Graph(topology, (node) => this.goTo(`${node.sort}:${node.name}`));
    fill(this.board, this.graph.root);
    this.graph.choose(this.chosen);
    if (this.pulse) this.graph.seen(this.pulse);
  }

  enter(asked) {
    this.chosen = asked.get("of");
    this.graph?.choose(this.chosen);
    this.update();
  }

  goTo(name) {
    const asked = name === null || name === this.chosen ? "" : `?${new URLSearchParams({ of: name })}`;
    location.hash = `#pipeline${asked}`;
  }

  escape() {
    this.goTo(null);
  }

  seen(pulse) {
    this.pulse = pulse;
    for (const stream of pulse.streams) {
      const past = this.past.get(stream.name) ?? [];
      this.past.set(stream.name, [...past, stream.rate].slice(-REMEMBERED));
    }
    if (!this.root.hidden) this.update();
  }

  update() {
    if (!this.pulse || !this.topology) return;
    this.graph.seen(this.pulse);
    this.showTiles();
    this.showPanel();
    keyed(this.list, this.pulse.workers.map((worker) => this.rowOf(worker)), (row) => row.worker, (row) => this.row(row));
    for (const row of this.list.querySelectorAll("button.row")) row.setAttribute("aria-current", String(`worker:${row.dataset.worker}` === this.chosen));
    oneTabStop(this.list);
  }

  showTiles() {
    const { workers, streams, inputs, attention } = this.pulse;
    const fed = new Set(this.topology.edges.filter((edge) => edge.way === "again").map((edge) => edge.stream));
    const sources = this.topology.nodes.filter((node) => node.sort === "stream" && node.about.includes("source") && !fed.has(node.name)).map((node) => node.name);
    const from = sources.length ? sources : [...fed];
    const entered = sum(streams.filter((stream) => from.includes(stream.name)).map((stream) => stream.rate));
    const waiting = sum(inputs.map((input) => (input.lag ?? 0) + input.pending));
    const ready = workers.filter((worker) => ["ok", "paused"].includes(worker.health)).length;
    const tiles = [
      ["Workers ready", `${ready} / ${workers.length}`, ready < workers.length ? "bad" : ""],
      ["Produced", rate(entered), ""],
      ["Settled", rate(sum(inputs.map((input) => input.rates.all))), ""],
      ["Rejected", rate(sum(inputs.map((input) => input.rates.rejected))), ""],
      ["Waiting", short(waiting), inputs.some((input) => input.health === "stuck") ? "bad" : ""],
      ["Open incidents", attention.open === null ? "–" : count(attention.open), attention.open ? "note" : ""],
      ["Set aside", count(attention.quarantined + attention.dead), attention.dead ? "note" : ""],
    ];
    keyed(this.tiles, tiles, ([name]) => name, ([name, value, sort]) => el("div", { class: `tile ${sort}` }, el("dt", {}, name), el("dd", {}, value)));
  }

  showPanel() {
    const [sort, name] = split(this.chosen);
    const { workers, streams, inputs } = this.pulse;
    const worker = sort === "worker" ? workers.find((each) => each.worker === name) : undefined;
    const stream = sort === "stream" ? streams.find((each) => each.name === name) : undefined;
    const node = this.topology.nodes.find((each) => each.sort === sort && each.name === name);
    const close = closer("details", () => this.escape());
    const next = el("div");
    if (worker) fill(next, close, workerPanel(worker, inputs.filter((each) => each.worker === name), (which) => this.restart(which)));
    else if (stream && node) fill(next, close, streamPanel(stream, node, inputs.filter((each) => each.stream === name), this.past.get(name) ?? []));
    else fill(next, attentionPanel(this.pulse));
    if (this.panel.firstChild?.isEqualNode(next)) return;
    const focused = this.panel.contains(document.activeElement) ? document.activeElement.textContent : null;
    fill(this.panel, next);
    if (focused) [...this.panel.querySelectorAll("button, a")].find((each) => each.textContent === focused)?.focus();
  }

  rowOf(worker) {
    const inputs = this.pulse.inputs.filter((input) => input.worker === worker.worker);
    return {
      worker: worker.worker,
      kind: worker.kind,
      health: worker.health,
      ready: `${worker.ready} / ${worker.wanted ?? worker.processes.length}`,
      rate: rate(sum(inputs.map((input) => input.rates.all))),
      waiting: count(sum(inputs.map((input) => (input.lag ?? 0) + input.pending))),
      restarts: count(worker.restarts),
      memory: bytes(worker.rss_bytes),
    };
  }

  row(row) {
    const cells = [["", el("strong", {}, row.worker)], ["", row.kind], ["", healthMark(row.health)], ["processes", row.ready], ["settles", row.rate], ["waiting", row.waiting], ["restarts", row.restarts], ["memory", row.memory]];
    return el("li", {}, el("button", { type: "button", class: "row", "data-worker": row.worker, on: { click: () => this.goTo(`worker:${row.worker}`) } }, cells.map(([name, value]) => el("span", { class: "cell" }, name ? el("span", { class: "soft" }, `${name} `) : null, value))));
  }

  async restart(worker) {
    const sure = await confirm(`Restart ${worker}?`, ["Its processes are replaced one at a time; each is ready before the next one ends. Nothing is lost."], "Restart");
    if (!sure) return;
    try {
      tell(`${worker} is being restarted …`);
      await act("/actions/restart", { workers: [worker] });
      tell(`${worker} was restarted; it is ready.`);
    } catch (error) {
      tell(error.message, "fault");
    }
  }
}

function split(name) {
  const at = (name ?? "").indexOf(":");
  return at < 0 ? [null, null] : [name.slice(0, at), name.slice(at + 1)];
}

function sum(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.reduce((all, value) => all + value, 0);
}

function legend() {
  const words = [["ok", "keeps up"], ["behind", "more than 5 s of work wait"], ["stuck", "entries wait, none is settled"], ["partial", "some processes are not ready"], ["down", "none is ready"]];
  return el("ul", { class: "legend", "aria-label": "Signs" }, words.map(([health, meaning]) => el("li", {}, healthMark(health, meaning))), el("li", {}, el("span", { class: "dash reject" }), " rejected"), el("li", {}, el("span", { class: "dash again" }), " round to the gate again"));
}
