// The topology as a drawing: made once for a topology, then only its words and classes change.

import { svg } from "./dom.js";
import { HEALTH, rate, short } from "./words.js";

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Graph {
  constructor(topology, onChoose) {
    this.topology = topology;
    this.nodes = new Map();
    this.edges = new Map();
    this.onChoose = onChoose;
    const { width, height } = topology;
    this.root = svg("svg", { class: "graph", viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "The topology; arrow keys go from node to node, Enter opens one" });
    this.root.style.minWidth = `${Math.round(width * 0.78)}px`;
    this.root.append(...topology.edges.map((edge) => this.drawEdge(edge)));
    this.root.append(...topology.nodes.map((node) => this.drawNode(node)));
    // above all lines, so that none crosses a word
    this.root.append(...[...this.edges.values()].map(({ words }) => words).filter(Boolean));
    this.root.addEventListener("keydown", (event) => this.pressed(event));
    this.first()?.setAttribute("tabindex", "0");
  }

  drawEdge(edge) {
    const path = svg("path", { class: "way", d: edge.path });
    const dots = svg("path", { class: "dots", d: edge.path });
    const words = edge.way === "read" ? svg("text", { class: "on", x: edge.x, y: edge.y, "text-anchor": "end" }) : null;
    const title = svg("title");
    const group = svg("g", { class: `edge ${edge.way}` }, title, path, dots);
    this.edges.set(edge.id, { edge, group, words, title });
    return group;
  }

  drawNode(node) {
    const box = { x: node.x, y: node.y, width: node.width, height: node.height };
    const sign = node.sort === "worker" ? svg("text", { class: "sign", x: node.x + node.width - 9, y: node.y + 17, "text-anchor": "end" }) : null;
    const facts = svg("text", { class: "facts", x: node.x + 10, y: node.y + 33 });
    const group = svg(
      "g",
      { class: `node ${node.sort}`, tabindex: -1, role: "button", "data-node": node.id, on: { click: () => this.onChoose(node) } },
      svg("rect", { ...box, rx: node.sort === "worker" ? 8 : 2 }),
      node.sort === "stream" ? svg("path", { class: "edge-of-stream", d: `M${node.x + 3.5} ${node.y + 6}v${node.height - 12}` }) : null,
      nameOf(node, node.width - (sign ? 30 : 16)),
      sign,
      facts,
    );
    this.nodes.set(node.id, { node, group, sign, facts });
    return group;
  }

  first() {
    return this.nodes.values().next().value?.group;
  }

  // Takes in what is seen now.
  seen(pulse) {
    const workers = new Map(pulse.workers.map((worker) => [worker.worker, worker]));
    const streams = new Map(pulse.streams.map((stream) => [stream.name, stream]));
    const inputs = new Map(pulse.inputs.map((input) => [`${input.worker}|${input.stream}`, input]));
    for (const drawn of this.nodes.values()) {
      if (drawn.node.sort === "worker") this.seeWorker(drawn, workers.get(drawn.node.name));
      else this.seeStream(drawn, streams.get(drawn.node.name));
    }
    for (const drawn of this.edges.values()) {
      const { edge } = drawn;
      if (edge.way === "read") this.seeInput(drawn, inputs.get(`${edge.worker}|${edge.stream}`));
      else this.seeOutput(drawn, this.flowOut(edge, inputs, streams));
    }
  }

  seeWorker({ node, group, sign, facts }, worker) {
    const [shape, word] = HEALTH[worker?.health] ?? HEALTH.unknown;
    const ready = worker ? `${worker.ready}/${worker.wanted ?? worker.processes.length} ready` : "not known";
    write(sign, shape);
    const plain = node.about === node.name ? ready : `${node.about} · ${ready.split(" ")[0]}`;
    write(facts, worker?.health === "ok" ? plain : `${word} ${ready.split(" ")[0]}`);
    group.setAttribute("class", `node worker ${worker?.health ?? "unknown"}`);
    group.setAttribute("aria-label", `worker ${node.name}, ${node.about}, ${word}, ${ready}`);
  }

  seeStream({ node, group, facts }, stream) {
    const words = stream ? `${short(stream.length)} · +${rate(stream.rate)}` : "nothing yet";
    write(facts, words);
    group.setAttribute("aria-label", `stream ${node.name}, ${node.about}: ${stream ? `${stream.length} entries, ${rate(stream.rate)} more` : words}`);
  }

  seeInput({ edge, group, words, title }, input) {
    if (!input) return;
    const waiting = input.lag === null ? null : input.lag + input.pending;
    const [shape, word] = HEALTH[input.health];
    const said = [input.rates.all ? rate(input.rates.all, 2) : "", waiting ? `lag ${short(waiting)}` : ""].filter(Boolean).join(" · ");
    write(words, input.health === "ok" ? said : `${shape} ${said || word}`);
    write(title, `${edge.stream} to ${edge.worker}: ${rate(input.rates.all)}, ${waiting ?? "an unknown number of"} waiting, ${word}`);
    words.setAttribute("class", `on ${input.health}`);
    group.setAttribute("class", `edge read ${input.health} ${pace(input.rates.all)}`);
  }

  // What goes out by an edge: of a gate its own outcome, else what the stream gets.
  flowOut(edge, inputs, streams) {
    if (edge.start.includes("/")) {
      const input = inputs.get(`${edge.worker}|${edge.start.split("/")[1]}`);
      return input?.rates[edge.way === "reject" ? "rejected" : "accepted"] ?? 0;
    }
    return streams.get(edge.stream)?.rate ?? 0;
  }

  seeOutput({ edge, group, title }, flow) {
    const verb = { reject: "rejects to", again: "writes, for the gate,", write: "writes" }[edge.way];
    write(title, `${edge.worker} ${verb} ${edge.stream}: ${rate(flow)}`);
    group.setAttribute("class", `edge ${edge.way} ${pace(flow)}`);
  }

  choose(name) {
    for (const { node, group } of this.nodes.values()) {
      group.setAttribute("aria-pressed", String(name !== null && `${node.sort}:${node.name}` === name));
    }
  }

  pressed(event) {
    const at = this.nodes.get(event.target.closest("[data-node]")?.dataset.node);
    if (!at) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.onChoose(at.node);
    } else if (event.key in DIRECTIONS) {
      event.preventDefault();
      this.focus(this.nearest(at.node, DIRECTIONS[event.key]));
    }
  }

  focus(node) {
    if (!node) return;
    for (const { group } of this.nodes.values()) group.setAttribute("tabindex", "-1");
    const { group } = this.nodes.get(node.id);
    group.setAttribute("tabindex", "0");
    group.focus();
  }

  // The nearest node in a direction; what lies aside counts as farther.
  nearest(from, [dx, dy]) {
    let [best, least] = [null, Infinity];
    for (const { node } of this.nodes.values()) {
      const ahead = (node.x - from.x) * dx + (node.y - from.y) * dy;
      const aside = Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx);
      const far = ahead + 2 * aside;
      if (ahead > 8 && far < least) [best, least] = [node, far];
    }
    return best;
  }
}

function write(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

function pace(flow) {
  if (!flow) return "still";
  return flow < 5 ? "slow" : "fast";
}

// A name in smaller letters where it is long, and cut where it is longer still; the whole one is in
// the panel and in the label.
function nameOf(node, room) {
  const long = node.name.length * 8.6 > room;
  const most = Math.floor(room / 7.2);
  const shown = node.name.length <= most ? node.name : `${node.name.slice(0, most - 1)}…`;
  return svg("text", { class: long ? "name long" : "name", x: node.x + 10, y: node.y + 17 }, shown);
}
