// The named questions of the provenance graph, each with what it takes, and its answer as a table.

import { get } from "./api.js";
import { el, fill } from "./dom.js";
import { table } from "./panel.js";
import { plural, time } from "./words.js";

const SHOWN_FIRST = ["findings", "incidents", "root_cause", "shared_root_cause", "impact", "taint", "audit_trail", "who_consumed", "findings_by_version", "violations_by_producer", "access_report", "policy_crossings", "lineage_gaps", "counts"];
const HINTS = { since: "2h, or 2026-11-20T14:00", until: "likewise", uid: "uid, or a stream", finding: "an event's uid, or its stream", findings: "uids, with commas; else those of the time", limit: "rows at most", within_s: "seconds" };

export class Asking {
  constructor() {
    this.choice = el("select", { id: "question", on: { change: () => this.chosen() } });
    this.about = el("p", { class: "soft" });
    this.fields = el("div", { class: "filters" });
    this.answer = el("div", { class: "answer", "aria-live": "polite" });
    this.root = el(
      "details",
      { class: "asking" },
      el("summary", {}, "Ask the graph"),
      el("form", { on: { submit: (event) => this.submitted(event) } }, el("p", {}, el("label", { for: "question" }, "Question ", this.choice)), this.about, this.fields),
      this.answer,
    );
    this.questions = new Map();
    this.shown = null;
    this.root.addEventListener("toggle", () => this.enter());
  }

  async enter() {
    if (!this.root.open || this.questions.size) return;
    try {
      const { questions } = await get("/api/lineage");
      const incidents = { name: "incidents", about: "Findings that share an upstream cause and a time, the newest first.", needs: [], takes: ["since", "until", "within_s", "limit"] };
      this.questions = new Map([...questions, incidents].map((each) => [each.name, each]));
      const others = [...this.questions.keys()].filter((name) => !SHOWN_FIRST.includes(name));
      fill(this.choice, [...SHOWN_FIRST, ...others].map((name) => el("option", { value: name }, name.replaceAll("_", " "))));
      this.chosen();
    } catch (error) {
      fill(this.answer, el("p", { class: "fault", role: "alert" }, error.message));
    }
  }

  chosen() {
    this.shown = null; // what is on its way answers another question
    const question = this.questions.get(this.choice.value);
    this.about.textContent = question.about;
    const fields = question.takes.filter((name) => name !== "inputs").map((name) => {
      const needed = question.needs.includes(name) && name !== "findings";
      const field = el("input", { id: `ask-${name}`, name, type: "text", required: needed, placeholder: HINTS[name] ?? "", autocomplete: "off", spellcheck: "false" });
      return el("label", { for: field.id }, `${name.replaceAll("_", " ")}${needed ? " *" : ""} `, field);
    });
    fill(this.fields, fields, el("button", { type: "submit", class: "primary" }, "Ask"));
    fill(this.answer);
  }

  async submitted(event) {
    event.preventDefault();
    const question = Object.fromEntries(new FormData(event.target));
    this.shown = question;
    try {
      const { rows, cut } = await get(`/api/lineage/${this.choice.value}`, question);
      if (this.shown !== question) return;
      fill(this.answer, el("p", { class: "soft" }, [plural(rows.length, "row"), ...cut].join("; ")), rows.length ? answerTable(rows) : null);
    } catch (error) {
      if (this.shown !== question) return;
      fill(this.answer, el("p", { class: "fault", role: "alert" }, error.message));
    }
  }
}

function answerTable(rows) {
  const columns = Object.keys(rows[0]).filter((name) => rows.some((row) => row[name] !== null && row[name] !== ""));
  return table(columns.map((name) => name.replaceAll("_", " ")), rows.map((row) => columns.map((name) => cell(name, row[name]))));
}

function cell(name, value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && (name === "ts" || /_(ts|ms)$/.test(name))) return time(value);
  if (name === "uid" && typeof value === "string") return el("a", { href: `#lineage?${new URLSearchParams({ uid: value })}` }, value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
