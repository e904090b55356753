// Where a message came from, or what became of it: drawn, and in words.

import { get, getDrawing } from "./api.js";
import { Asking } from "./ask.js";
import { el, fill, tell } from "./dom.js";
import { factList } from "./panel.js";
import { plural, time } from "./words.js";

const REFUSED = new Set(["script", "style", "foreignobject", "a", "image", "use", "animate", "set"]);

export class Lineage {
  constructor(root) {
    this.root = root;
    this.shown = null;
    this.steps = new Map();
    this.field = el("input", { id: "lineage-uid", type: "text", required: true, spellcheck: "false", autocomplete: "off", placeholder: "L9/1732100000000-0, or L9 for its newest", list: "lineage-streams" });
    this.streams = el("datalist", { id: "lineage-streams" });
    this.way = el("select", { id: "lineage-way" }, el("option", { value: "" }, "what it was made from"), el("option", { value: "1" }, "what was made from it"));
    this.board = el("div", { class: "board", tabindex: -1 });
    this.panel = el("aside", { class: "panel", "aria-label": "The message" });
    this.trail = el("ol", { class: "trail" });
    this.title = el("h2", { id: "trail-title", hidden: true });
    this.asking = new Asking();
    root.append(
      el(
        "form",
        { class: "filters", on: { submit: (event) => this.submitted(event) } },
        el("label", { for: "lineage-uid" }, "Message ", this.field),
        el("label", { for: "lineage-way" }, "Show ", this.way),
        el("button", { type: "submit", class: "primary" }, "Trace"),
        this.streams,
      ),
      el("div", { class: "beside" }, el("div", { class: "card" }, this.board), this.panel),
      this.title,
      this.trail,
      this.asking.root,
    );
    this.board.addEventListener("keydown", (event) => this.pressed(event));
    this.blank();
  }

  know(topology) {
    this.topology = topology;
    fill(this.streams, topology.nodes.filter((node) => node.sort === "stream").map((node) => el("option", { value: node.name })));
  }

  seen() {}

  escape() {
    this.choose(null);
  }

  submitted(event) {
    event.preventDefault();
    const address = `#lineage?${asked({ uid: this.field.value.trim(), down: this.way.value })}`;
    if (location.hash === address) this.trace();
    else location.hash = address;
  }

  enter(params) {
    this.asking.enter();
    this.field.value = params.get("uid") ?? this.field.value;
    this.way.value = params.get("down") ? "1" : "";
    if (params.get("uid")) this.trace();
  }

  blank() {
    fill(this.board, el("p", { class: "none" }, "Name a message by its uid, or a stream for its newest message."));
    fill(this.panel, el("h2", {}, "Message"), el("p", { class: "soft" }, "A node of the drawing is chosen by click, or by arrow keys and Enter."));
  }

  async trace() {
    const question = { uid: this.field.value.trim(), down: this.way.value };
    this.shown = question;
    try {
      const trace = await get("/api/lineage/trace", question);
      const drawing = await getDrawing("/api/lineage/graph", { uid: trace.uid, down: question.down });
      if (this.shown === question) this.show(trace, drawing);
    } catch (error) {
      if (this.shown !== question) return;
      fill(this.board, el("p", { class: "fault none", role: "alert" }, error.message));
      fill(this.trail);
      this.title.hidden = true;
    }
  }

  show(trace, drawing) {
    this.steps = new Map(trace.steps.map((step) => [step.uid, step]));
    const drawn = document.importNode(drawing, true);
    clean(drawn);
    drawn.setAttribute("role", "group"); // an image would hide its nodes from screen readers
    this.nodes = [...drawn.querySelectorAll("g.node")];
    for (const node of this.nodes) this.ready(node);
    (this.nodes.find((node) => node.dataset.uid === trace.uid) ?? this.nodes[0])?.setAttribute("tabindex", "0");
    fill(this.board, drawn);
    this.title.hidden = false;
    this.title.textContent = `The trail: ${plural(trace.steps.length, "message")}${trace.truncated ? ", the nearest of more" : ""}`;
    fill(this.trail, trace.steps.map((step) => el("li", { class: step.uid === trace.uid ? "asked" : "" }, step.words)));
    this.choose(trace.uid);
  }

  ready(node) {
    node.setAttribute("role", "button");
    node.setAttribute("tabindex", "-1");
    const words = [...node.querySelectorAll("text")].map((text) => text.textContent).join(", ");
    node.setAttribute("aria-label", words);
    node.addEventListener("click", () => this.choose(node.dataset.uid));
  }

  pressed(event) {
    const at = this.nodes?.indexOf(event.target.closest("g.node")) ?? -1;
    if (at < 0) return;
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.choose(this.nodes[at].dataset.uid);
    else if (step && this.nodes[at + step]) this.focus(this.nodes[at + step]);
    else return;
    event.preventDefault();
  }

  focus(node) {
    for (const each of this.nodes) each.setAttribute("tabindex", each === node ? "0" : "-1");
    node.focus();
  }

  choose(uid) {
    for (const node of this.nodes ?? []) node.setAttribute("aria-pressed", String(node.dataset.uid === uid));
    const step = this.steps.get(uid);
    if (!step) return;
    fill(
      this.panel,
      el("h2", {}, step.stream),
      el("p", { class: "links" }, el("a", { href: `#lineage?${asked({ uid })}` }, "What it was made from"), el("a", { href: `#lineage?${asked({ uid, down: 1 })}` }, "What was made from it")),
      factList(factsOf(step)),
      step.findings.length ? [el("h3", {}, "Findings"), el("ul", { class: "findings" }, step.findings.map((found) => this.finding(found)))] : null,
    );
  }

  finding(found) {
    const place = this.topology?.events.includes(found.uid.split(/[/{]/)[0]) ? "events" : this.topology?.quarantines.includes(found.uid.split(/[/{]/)[0]) ? "quarantine" : null;
    const words = `${found.kind.replace("_", " ")} ${found.severity ?? ""}`;
    return el("li", {}, place ? el("a", { href: `#${place}?${asked({ uid: found.uid })}` }, words) : words, found.summary ? `: ${found.summary}` : "");
  }
}

function asked(given) {
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value));
}

// A drawing is taken apart before it is shown: no links, no styles of its own, nothing that acts.
function clean(drawn) {
  for (const each of [...drawn.querySelectorAll("*")]) {
    if (REFUSED.has(each.localName.toLowerCase())) each.remove();
    else for (const { name } of [...each.attributes]) if (name.startsWith("on") || name.includes("href") || name === "style") each.removeAttribute(name);
  }
}

function factsOf(step) {
  const known = [
    ["uid", el("code", {}, step.uid)],
    ["written", time(step.ts)],
    ["made by", step.worker ? `${step.worker} ${step.worker_version ?? ""} (${step.worker_kind})` : `published by ${step.source ?? "a producer without a name"}`],
    ["schema", step.schema_name ? `${step.schema_name}@${step.schema_version}` : ""],
    ["tenant", step.tenant],
    ["classification", step.classification],
    ["source", step.source],
    ["producer's id", step.producer_id],
    ["host", step.host],
    ["process", step.run],
    ["committed", step.at_ms ? time(step.at_ms) : ""],
    ["made from", step.parents.length ? plural(step.parents.length, "message") : ""],
    ["supersedes", step.supersedes.join(", ")],
    ["superseded by", step.superseded_by.join(", ")],
  ];
  return known.filter(([, value]) => value);
}
