// Open anomaly and drift incidents, newest first; beside them all that is known of one.

import { get, getBlob } from "./api.js";
import { el, fill, tell } from "./dom.js";
import { Listing } from "./listing.js";
import { factList, table } from "./panel.js";
import { range, spark } from "./spark.js";
import { number, severityBadge, time } from "./words.js";

const FRESH_MS = 5000; // so long what was told of an open incident is not asked for again
const SEVERITIES = ["low", "medium", "high", "critical"];
const WORDS = {
  sort: "events",
  label: "Incidents, newest first",
  none: "No such incident.",
  one: "incident",
  hint: "Choose an incident to see what was usual, what came, and the values around it.",
};

export class Events extends Listing {
  constructor(root) {
    super(root, "events", WORDS);
    this.known = new Map(); // what was told of an event, and when, by its uid
    this.waiting = new Set(); // rows in view whose curve is still to be asked for
    root.append(this.makeFilters(), this.beside);
    this.watcher = new IntersectionObserver((entries) => this.came(entries), { rootMargin: "200px" });
  }

  makeFilters() {
    const severity = el("select", { id: "events-severity" }, SEVERITIES.map((each) => el("option", { value: each === "low" ? "" : each }, each === "low" ? "any" : `${each} and worse`)));
    const kind = el("select", { id: "events-kind" }, el("option", { value: "" }, "both"), el("option", { value: "anomaly" }, "anomalies"), el("option", { value: "drift" }, "drifts"));
    const open = el("input", { id: "events-open", type: "checkbox" });
    this.fields = { severity, stream: this.streams, kind, open };
    return el(
      "form",
      { class: "filters", on: { change: () => this.filtered(), submit: (event) => event.preventDefault() } },
      labelled("Severity", severity),
      labelled("Stream", this.streams),
      labelled("Kind", kind),
      el("label", { for: "events-open", class: "check" }, open, " open only"),
    );
  }

  know(topology) {
    const watched = [...new Set(topology.edges.filter((edge) => edge.way === "read" && ["anomaly", "drift"].includes(topology.kinds[edge.worker])).map((edge) => edge.stream))];
    this.offer(watched);
    this.sources = topology.events;
  }

  filtered() {
    const { severity, stream, kind, open } = this.fields;
    this.go({ severity: severity.value, stream: stream.value, kind: kind.value, open: open.checked ? "1" : "" });
  }

  // Asks again as soon as one of the event streams has got longer.
  seen(pulse) {
    const print = JSON.stringify([pulse.streams.filter((stream) => this.sources?.includes(stream.name)).map((stream) => stream.added), pulse.attention.open]);
    const changed = print !== this.print;
    if (!changed && !this.again) return;
    [this.print, this.again] = [print, changed]; // once more, as an answer may be a second old
    if (!this.root.hidden) this.refresh();
  }

  async refresh() {
    const { severity, stream, kind, open } = Object.fromEntries(this.asked);
    const question = { severity, stream, kind, open };
    this.shown = question;
    try {
      const { events } = await get("/api/events", question);
      if (this.shown === question) this.show(events);
    } catch (error) {
      if (this.shown === question) tell(error.message, "fault");
    }
  }

  row(event) {
    const place = el("span", { class: "curve-place" });
    const row = el(
      "button",
      { type: "button", class: "row", on: { click: () => this.go({ uid: event.uid }) } },
      el("span", { class: "weight" }, severityBadge(event.severity), el("span", { class: "soft" }, event.state)),
      el(
        "span",
        { class: "what" },
        el("span", { class: "first" }, el("strong", {}, event.key === null ? event.stream : `${event.stream}/${event.key}`), el("span", { class: "tag" }, event.kind), event.fields.map((field) => el("code", {}, field))),
        el("span", { class: "explanation" }, event.explanation),
        event.guilty.slice(0, 2).map((part) => el("span", { class: "soft" }, guiltyWords(part))),
      ),
      place,
      el("span", { class: "when" }, time(event.at_ms)),
    );
    const item = el("li", { class: event.open ? "" : "over" }, row);
    place.dataset.uid = event.uid;
    place.dataset.severity = event.severity;
    this.watcher.observe(place);
    return item;
  }

  // Curves are asked for when their rows come into view, one after the other.
  came(entries) {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) this.waiting.add(target);
      else this.waiting.delete(target);
    }
    this.drawing ??= this.drawCurves().finally(() => { this.drawing = null; });
  }

  async drawCurves() {
    while (this.waiting.size) {
      const [place] = this.waiting;
      this.waiting.delete(place);
      this.watcher.unobserve(place);
      try {
        const told = await this.told(place.dataset.uid);
        if (told.spark) fill(place, curve(told));
      } catch (error) {
        place.title = error.message;
      }
    }
  }

  async told(uid) {
    const known = this.known.get(uid);
    if (known && !(known.told.open && Date.now() - known.at > FRESH_MS)) return known.told;
    const told = await get("/api/event", { uid });
    this.known.set(uid, { told, at: Date.now() });
    return told;
  }

  account(told) {
    const { event } = told;
    const lineage = (asked) => `#lineage?${new URLSearchParams(asked)}`;
    return [
      el("h2", {}, `${told.kind === "anomaly" ? "Anomaly" : "Drift"} in ${told.key === null ? told.stream : `${told.stream}/${told.key}`}`, severityBadge(told.severity)),
      el("p", {}, told.explanation),
      el("p", { class: "links" }, el("a", { href: lineage({ uid: told.message }) }, "Lineage of its message"), el("a", { href: lineage({ uid: told.message, down: 1 }) }, "What was made of it")),
      told.parts.length ? [el("h3", {}, "Guilty fields"), table(["field", "observed", "expected", "usual", "", "share"], told.parts.map(partRow))] : null,
      told.kind === "drift" ? [el("h3", {}, "Field ", el("code", {}, event.field)), table(["", "values", "mean", "5 %", "median", "95 %"], [sampleRow("before", event.baseline), sampleRow("after", event.current)])] : null,
      event.categories?.length ? table(["category", "before", "after"], event.categories.map((each) => [each.category, percent(each.before), percent(each.now)])) : null,
      this.picture(told),
      told.retained ? null : el("p", { class: "soft" }, "The message is no longer retained; these are the event's own numbers."),
      factList([
        ["state", told.state],
        ["detector", told.detector],
        ["when", time(told.at_ms)],
        ["message", el("code", {}, told.message)],
        ["event", el("code", {}, told.uid)],
        ...(told.began ? [["began at", el("code", {}, told.began)]] : []),
        ...(event.p_value === undefined ? [] : [["p-value", number(event.p_value)]]),
      ]),
    ];
  }

  // A picture is shown as an image, in which nothing can run.
  picture(told) {
    const image = el("img", { alt: `The values around the message: ${told.explanation}`, hidden: true });
    getBlob("/api/event.svg", { uid: told.uid })
      .then((blob) => {
        const address = URL.createObjectURL(blob);
        image.addEventListener("load", () => { image.hidden = false; URL.revokeObjectURL(address); });
        image.src = address;
      })
      .catch((error) => tell(error.message, "fault"));
    return el("figure", { class: "picture" }, image);
  }
}

function labelled(words, field) {
  return el("label", { for: field.id }, `${words} `, field);
}

function curve(told) {
  const made = spark(told.spark, `values of ${told.fields[0] ?? "the field"} around the message`);
  made.classList.add(told.severity);
  return made;
}

function guiltyWords(part) {
  const usual = part.low === null ? "" : `, usually ${number(part.low)} to ${number(part.high)}`;
  return `${part.field} is ${number(part.value)}${usual}`;
}

function partRow(part) {
  const usual = part.low === null ? "–" : `${number(part.low)} to ${number(part.high)}`;
  return [el("code", {}, part.field), el("strong", {}, number(part.value)), number(part.expected), usual, range(part), part.share === null ? "–" : percent(part.share)];
}

function sampleRow(name, sample) {
  const [low, , middle, , high] = sample.quantiles;
  return [name, sample.size.toLocaleString("en"), number(sample.mean), number(low ?? null), number(middle ?? null), number(high ?? null)];
}

function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}
