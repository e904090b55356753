// Dialogs: the browser's own, so that focus stays inside, Escape closes and focus comes back.

import { el, fill } from "./dom.js";
import { indented } from "./words.js";

// Shows a dialog and waits for its end: the value of the button that closed it, null for Escape.
function ask(title, content, buttons) {
  return new Promise((resolve) => {
    const form = el("form", { method: "dialog" });
    const box = el("dialog", { "aria-labelledby": "dialog-title" }, form);
    fill(
      form,
      el("h2", { id: "dialog-title" }, title),
      content,
      el("p", { class: "buttons" }, buttons.map(([value, words, sort]) => el("button", { value, class: sort ?? "", formnovalidate: value === "" }, words))),
    );
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue || null);
    });
    document.body.append(box);
    box.showModal();
  });
}

export async function askForToken(sentence) {
  const field = el("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true, autofocus: true });
  const chosen = await ask(
    "Token",
    [
      sentence ? el("p", { class: "fault", role: "alert" }, sentence) : null,
      el("p", {}, "Actions need the supervisor's token, and from another machine reading does. It stands in ", el("code", {}, "supervisor.json"), " in the supervisor's data directory, and is new at each start."),
      el("label", { for: "token" }, "Token"),
      field,
      el("p", { class: "soft" }, "It is kept for this tab until it is closed."),
    ],
    [["go", "Go on", "primary"], ["", "Cancel"]],
  );
  return chosen === "go" && field.value.trim() ? field.value.trim() : null;
}

export async function confirm(title, sentences, words, sort = "primary") {
  const content = sentences.map((sentence) => el("p", {}, sentence));
  return (await ask(title, content, [["yes", words, sort], ["", "Cancel"]])) === "yes";
}

// Asks for a mended payload; null where nothing is to be done.
export async function askForPayload(uid, payload) {
  const fault = el("p", { class: "fault", role: "alert" });
  const field = el("textarea", { id: "payload", rows: "16", spellcheck: "false", autofocus: true });
  field.value = indented(payload);
  field.addEventListener("input", () => fill(fault, faultOf(field.value)));
  fill(fault, faultOf(field.value));
  const chosen = await ask(
    "Edit and release",
    [
      el("p", {}, `The payload of ${uid} is replaced by this one, and judged anew where it came from.`),
      el("label", { for: "payload" }, "Payload"),
      field,
      fault,
    ],
    [["go", "Release", "primary"], ["", "Cancel"]],
  );
  return chosen === "go" ? field.value : null;
}

function faultOf(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is no JSON, so the gate will reject it again: ${error.message}`;
  }
}

const KEYS = [
  ["1 2 3 4", "Pipeline, Events, Quarantine, Lineage"],
  ["Tab", "from one control to the next"],
  ["↑ ↓ Home End", "within a list"],
  ["← → ↑ ↓", "from node to node in a drawing"],
  ["Enter", "open what has the focus"],
  ["Esc", "close what is open"],
  ["/", "to the first field of the view"],
  ["?", "these keys"],
];

export function showKeys() {
  if (document.querySelector("dialog[open]")) return;
  const rows = KEYS.map(([keys, words]) => el("tr", {}, el("th", { scope: "row" }, keys.split(" ").map((key) => el("kbd", {}, key))), el("td", {}, words)));
  ask("Keys", el("table", { class: "keys" }, el("tbody", {}, rows)), [["", "Close", "primary"]]);
}
