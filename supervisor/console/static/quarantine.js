// Messages that were rejected or that no worker could process: why, what they hold, what to do.

import { act, get } from "./api.js";
import { askForPayload, confirm } from "./dialogs.js";
import { el, keyed, tell } from "./dom.js";
import { Listing } from "./listing.js";
import { factList } from "./panel.js";
import { count, indented, plural, time } from "./words.js";

const WORDS = {
  sort: "quarantined",
  label: "Messages that were set aside, newest first",
  none: "Nothing is set aside.",
  one: "message",
  panel: "wide",
  hint: "Choose a message to see why it was set aside and what it holds. It can be released to where it came from, as it is or mended, or dropped.",
};

export class Quarantine extends Listing {
  constructor(root) {
    super(root, "quarantine", WORDS);
    this.more = el("p", { class: "soft" });
    this.acts = el("ol", { class: "acts" });
    this.streams.addEventListener("change", () => this.go({ stream: this.streams.value, uid: "" }));
    root.append(
      el("form", { class: "filters", on: { submit: (event) => event.preventDefault() } }, el("label", { for: "quarantine-stream" }, "Set aside in ", this.streams), this.more),
      this.beside,
      el("h2", { id: "acts-title" }, "Actions"),
      this.acts,
    );
  }

  know(topology) {
    this.places = topology.quarantines;
    this.offer(this.places);
  }

  seen(pulse) {
    const print = JSON.stringify(pulse.streams.filter((stream) => this.places?.includes(stream.name)).map((stream) => [stream.added, stream.length]));
    if (print === this.print) return;
    this.print = print;
    if (!this.root.hidden) this.refresh();
  }

  async refresh() {
    const question = { stream: this.asked.get("stream") };
    this.shown = question;
    try {
      const { messages, size } = await get("/api/quarantine", question);
      if (this.shown !== question) return;
      this.more.textContent = size > messages.length ? `the newest ${messages.length} of ${count(size)}` : plural(size, "message");
      this.show(messages);
      const { acts } = await get("/api/audit");
      if (this.shown === question) keyed(this.acts, acts, (each) => each.deed, actLine);
    } catch (error) {
      if (this.shown === question) tell(error.message, "fault");
    }
  }

  row(message) {
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "row", on: { click: () => this.go({ uid: message.uid }) } },
        el("span", { class: "what" }, el("span", { class: "first" }, el("strong", {}, message.stream), el("span", { class: "tag" }, message.set_aside_in)), el("span", {}, reasonOf(message)), el("code", { class: "soft" }, message.uid)),
        el("span", { class: "when" }, time(message.at_ms)),
      ),
    );
  }

  told(uid) {
    return get("/api/quarantined", { uid });
  }

  account(told) {
    const others = Object.entries(told.fields).filter(([name]) => name !== "data");
    const origin = told.lines.find(([name]) => name === "message")?.[1];
    return [
      el("h2", {}, "Message ", el("code", {}, told.uid)),
      el(
        "p",
        { class: "buttons" },
        el("button", { type: "button", class: "primary", on: { click: () => this.release(told.uid) } }, "Release …"),
        el("button", { type: "button", on: { click: () => this.mend(told) } }, "Edit and release …"),
        el("button", { type: "button", class: "grave", on: { click: () => this.drop(told.uid) } }, "Drop …"),
      ),
      el("h3", {}, "Why"),
      factList(told.lines.filter(([name]) => name !== "uid")),
      el("h3", {}, "Payload ", el("span", { class: "soft" }, plural(told.data.length, "character"))),
      el("pre", { class: "payload", tabindex: 0, "aria-label": "Payload" }, indented(told.data)),
      others.length ? [el("h3", {}, "Other fields"), factList(others)] : null,
      el("p", { class: "links" }, el("a", { href: `#lineage?${new URLSearchParams({ uid: told.uid })}` }, "Lineage of this entry"), origin ? el("a", { href: `#lineage?${new URLSearchParams({ uid: origin, down: 1 })}` }, "What was made of its message") : null),
    ];
  }

  async release(uid) {
    const sure = await confirm("Release the message?", [`${uid} goes back to the stream it came from as it is, and is judged there anew.`], "Release");
    if (sure) await this.do("/actions/release", { uid }, (done) => `Released as ${done.released_as}.`);
  }

  async mend(told) {
    const data = await askForPayload(told.uid, told.data);
    if (data !== null) await this.do("/actions/release", { uid: told.uid, data }, (done) => `Released with the edited payload as ${done.released_as}.`);
  }

  async drop(uid) {
    const sure = await confirm("Drop the message?", [`${uid} is removed for good. Nothing brings it back.`], "Drop for good", "grave");
    if (sure) await this.do("/actions/drop", { uid }, () => `${uid} was dropped.`);
  }

  async do(path, asked, words) {
    try {
      tell(words(await act(path, asked)));
      this.escape();
    } catch (error) {
      tell(error.message, "fault");
    }
    this.refresh();
  }
}

function reasonOf(message) {
  if (message.error || message.attempts) return `${message.rule} gave up after ${plural(message.attempts, "attempt")}: ${message.error || "no error was left"}`;
  return [el("span", { class: "rule" }, message.rule), message.path ? [" at ", el("code", {}, message.path)] : " (the whole message)"].flat();
}

function actLine(deed) {
  const asked = Object.entries(deed.asked).map(([name, value]) => `${name} ${value}`).join(", ");
  const end = deed.state === "asked" ? "under way, or cut short" : deed.error ?? (deed.released_as ? `as ${deed.released_as}` : "done");
  const good = deed.state === "done" && deed.status < 300;
  return el("li", { class: good ? "" : "fault" }, time(deed.at_s * 1000), " ", el("strong", {}, deed.action), ` ${asked} – ${end} `, el("span", { class: "soft" }, `by the ${deed.by}, with the token, from ${deed.peer}`));
}
