// A list, newest first, and beside it all that is known of the item that is chosen. Which one that
// is, and what the list is narrowed to, stands in the address behind #.

import { arrows, el, fill, keyed, oneTabStop } from "./dom.js";
import { closer } from "./panel.js";

export class Listing {
  // `view` is the name in the address. `words` are the list's `label`, what is said where it is
  // empty (`none`), what an item is called (`one`), and how it is chosen (`hint`).
  //
  // A view adds `row(item)`, `refresh()`, `told(uid)` with all that is known of an item, and
  // `account(told)` for the panel; `fields` are its form's by what they are called in the address.
  constructor(root, view, words) {
    this.root = root;
    this.view = view;
    this.words = words;
    this.asked = new URLSearchParams();
    this.print = null;
    this.list = el("ul", { class: `rows ${words.sort}`, "aria-label": words.label });
    arrows(this.list);
    this.none = el("p", { class: "none", hidden: true }, words.none);
    this.panel = el("aside", { class: `panel ${words.panel ?? ""}`.trim(), "aria-label": `The ${words.one}` });
    this.streams = el("select", { id: `${view}-stream` });
    this.fields = { stream: this.streams };
    this.beside = el("div", { class: "beside" }, el("div", { class: "card" }, this.list, this.none), this.panel);
  }

  offer(streams) {
    fill(this.streams, el("option", { value: "" }, "any"), streams.map((stream) => el("option", { value: stream }, stream)));
    this.streams.value = this.asked.get("stream") ?? "";
  }

  enter(asked) {
    this.asked = asked;
    for (const [name, field] of Object.entries(this.fields)) {
      if (field.type === "checkbox") field.checked = asked.get(name) === "1";
      else field.value = asked.get(name) ?? "";
    }
    this.refresh();
    this.showOne(asked.get("uid"));
  }

  go(changes) {
    const asked = new URLSearchParams(this.asked);
    for (const [name, value] of Object.entries(changes)) {
      if (value) asked.set(name, value);
      else asked.delete(name);
    }
    location.hash = asked.size ? `#${this.view}?${asked}` : `#${this.view}`;
  }

  escape() {
    this.go({ uid: "" });
  }

  show(items) {
    this.none.hidden = items.length > 0;
    keyed(this.list, items, (item) => item.uid, (item) => this.row(item));
    this.mark();
  }

  mark() {
    const chosen = this.asked.get("uid");
    for (const item of this.list.children) item.querySelector("button.row").setAttribute("aria-current", String(item.dataset.key === chosen));
    oneTabStop(this.list);
  }

  async showOne(uid) {
    this.mark();
    const { one, hint } = this.words;
    const title = el("h2", {}, `${one[0].toUpperCase()}${one.slice(1)}`);
    if (!uid) {
      fill(this.panel, title, el("p", { class: "soft" }, hint));
      return;
    }
    try {
      const told = await this.told(uid);
      if (this.asked.get("uid") === uid) this.open(this.account(told));
    } catch (error) {
      if (this.asked.get("uid") !== uid) return;
      fill(this.panel, title, el("p", { class: "fault", role: "alert" }, error.message));
    }
  }

  open(account) {
    fill(this.panel, closer(this.words.one, () => this.escape()), account);
    if (matchMedia("(max-width: 1100px)").matches) this.panel.scrollIntoView({ block: "nearest" });
  }
}
