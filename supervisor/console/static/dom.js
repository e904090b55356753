// Making elements. Whatever comes from outside goes in as text or as the value of an attribute.

const SVG = "http://www.w3.org/2000/svg";

export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (value === true) {
      made.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, String(value));
    }
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return parent;
}

// Puts `items` into a list in their order. An element whose item has not changed is kept, so that
// focus, scrolling and what was loaded for it stay.
export function keyed(list, items, keyOf, make) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const focused = list.contains(document.activeElement)
    ? document.activeElement.closest("[data-key]")?.dataset.key
    : null;
  const made = items.map((item) => {
    const key = keyOf(item);
    const print = JSON.stringify(item);
    const known = old.get(key);
    if (known && known.print === print) return known;
    const fresh = make(item);
    fresh.dataset.key = key;
    fresh.print = print;
    return fresh;
  });
  if (made.length !== list.children.length || made.some((each, n) => each !== list.children[n])) {
    list.replaceChildren(...made);
    const again = made.find((each) => focused !== null && each.dataset.key === focused);
    (again?.querySelector("button, a") ?? again)?.focus({ preventScroll: true });
  }
}

// Arrow keys, Home and End move among the buttons of a list, of which one is in the tab order.
export function arrows(list) {
  const rows = () => [...list.querySelectorAll("button.row")];
  list.addEventListener("keydown", (event) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined || !all[to]) return;
    event.preventDefault();
    all[to].focus();
  });
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest("button.row");
    if (row) for (const each of rows()) each.tabIndex = each === row ? 0 : -1;
  });
}

// One button of a list is reached by Tab: the current one, else the first.
export function oneTabStop(list) {
  const rows = [...list.querySelectorAll("button.row")];
  const chosen = rows.find((row) => row.getAttribute("aria-current") === "true") ?? rows[0];
  for (const row of rows) row.tabIndex = row === chosen ? 0 : -1;
}

let told = 0;

// Says something at the foot of the page, and to screen readers.
export function tell(sentence, sort = "fine") {
  const place = document.getElementById("told");
  fill(place, el("p", { class: `sentence ${sort}` }, sentence));
  const mine = ++told;
  setTimeout(() => { if (mine === told) fill(place); }, sort === "fault" ? 12000 : 6000);
}
