// The frame of the console: views by the address behind #, what is live, and the keys.

import { asksForTokenBy, get, listen } from "./api.js";
import { askForToken, showKeys } from "./dialogs.js";
import { el, fill, tell } from "./dom.js";
import { Events } from "./events.js";
import { Lineage } from "./lineage.js";
import { Pipeline } from "./pipeline.js";
import { Quarantine } from "./quarantine.js";
import { count, time } from "./words.js";

const NAMES = ["pipeline", "events", "quarantine", "lineage"];
const MAKERS = { pipeline: Pipeline, events: Events, quarantine: Quarantine, lineage: Lineage };
const LINK = {
  live: ["●", "live"],
  away: ["○", "connecting …"],
  locked: ["✕", "no token"],
};

// A look comes every second; where none came for so long, the figures are old.
const OLD_AFTER_MS = 4000;

const views = {};
let topology = null;
let current = null;
let last = null;
let link = "away";
let heardAtMs = null; // by the browser's clock

function place() {
  const [name, query] = location.hash.slice(1).split("?");
  return [NAMES.includes(name) ? name : "pipeline", new URLSearchParams(query ?? "")];
}

// Shows the view that the address names; the address holds all of what is shown.
function show() {
  if (location.hash === "#main") return;
  const [name, asked] = place();
  const changed = current !== name;
  current = name;
  for (const each of NAMES) document.getElementById(each).hidden = each !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${name[0].toUpperCase()}${name.slice(1)} – Penstock`;
  views[name].enter(asked, changed);
}

async function learn() {
  topology = await get("/api/topology");
  document.getElementById("topology-name").textContent = topology.name ?? "";
  for (const view of Object.values(views)) view.know(topology);
}

async function heard(_, seen) {
  heardAtMs = Date.now();
  showAge();
  if (topology === null || topology.shape !== seen.shape) await learn();
  last = seen;
  const [sign, word, sort] = seen.ready ? ["●", "ready", "ok"] : ["▲", "not ready", "behind"];
  fill(document.getElementById("ready"), el("span", { class: `health ${sort}` }, el("span", { class: "sign", "aria-hidden": "true" }, sign), word));
  badge("count-events", seen.attention.open, "open", seen.attention.worst);
  badge("count-quarantine", seen.attention.quarantined + seen.attention.dead, "set aside", "");
  for (const view of Object.values(views)) view.seen(seen);
}

function badge(id, many, what, sort) {
  const place = document.getElementById(id);
  place.hidden = !many;
  place.className = `count ${sort ?? ""}`;
  const words = [count(many), el("span", { class: "unseen" }, ` ${what}`)];
  if (place.textContent !== `${count(many)} ${what}`) fill(place, words);
}

function state(word) {
  link = word;
  showAge();
}

// How the supervisor is heard, and since when it is not: it may be gone, or hang with the line open.
function showAge() {
  const old = heardAtMs !== null && Date.now() - heardAtMs > OLD_AFTER_MS;
  const word = old && link === "live" ? "away" : link;
  const place = document.getElementById("link");
  if (place.dataset.word !== word) {
    const [sign, words] = LINK[word];
    place.dataset.word = word;
    fill(place, el("span", { class: `link ${word}` }, el("span", { class: "sign", "aria-hidden": "true" }, sign), words));
    document.body.classList.toggle("stale", word !== "live");
  }
  const sentence = document.getElementById("old");
  if (sentence.hidden !== old) return;
  fill(sentence, old ? ["The supervisor does not answer. What you see is as it was at ", time(heardAtMs), "."] : []);
  sentence.hidden = !old;
}

function typing(target) {
  return target.closest("input, select, textarea, dialog") !== null;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const name = NAMES[Number(event.key) - 1];
  if (name) location.hash = `#${name}`;
  else if (event.key === "?") showKeys();
  else if (event.key === "/") document.querySelector(`#${current} :is(input, select)`)?.focus();
  else if (event.key === "Escape") views[current].escape();
  else return;
  event.preventDefault();
}

async function begin() {
  asksForTokenBy(askForToken);
  for (const name of NAMES) views[name] = new MAKERS[name](document.getElementById(name));
  document.getElementById("show-keys").addEventListener("click", showKeys);
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });
  document.addEventListener("keydown", pressed);
  window.addEventListener("hashchange", show);
  state("away");
  setInterval(showAge, 1000);
  show();
  try {
    if (last === null) await learn();
  } catch (error) {
    tell(error.message, "fault");
  }
  await listen("/api/live", heard, state);
}

begin();
