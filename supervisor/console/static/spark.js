// Small curves without axes: values, the usual range as a band, one value marked.

import { svg } from "./dom.js";

const HIGH = 30;
const LONG = 84;

export function spark(found, words, wide = 132) {
  const { values, mark = null, began = null, low = null, high = null } = found;
  const known = [...values, low, high].filter((value) => value !== null && Number.isFinite(value));
  const least = Math.min(...known);
  const most = Math.max(...known);
  const span = most - least || 1;
  const x = (at) => 3 + (at / Math.max(1, values.length - 1)) * (wide - 6);
  const y = (value) => 3 + (1 - (value - least) / span) * (HIGH - 6);
  const made = svg("svg", { class: "spark", viewBox: `0 0 ${wide} ${HIGH}`, width: wide, height: HIGH, role: "img", "aria-label": words });
  if (low !== null && high !== null) {
    made.append(svg("rect", { class: "usual", x: 0, width: wide, y: y(high), height: Math.max(1.5, y(low) - y(high)) }));
  }
  if (began !== null) made.append(svg("line", { class: "began", x1: x(began), x2: x(began), y1: 0, y2: HIGH }));
  for (const path of paths(values, x, y)) made.append(svg("path", { class: "curve", d: path }));
  if (mark !== null && values[mark] !== null && values[mark] !== undefined) {
    const [at, up] = [x(mark), y(values[mark])];
    made.append(svg("path", { class: "mark", d: `M${at} ${up - 3.5}l3.5 3.5l-3.5 3.5l-3.5 -3.5z` }));
  }
  return made;
}

// A path for each stretch without a gap.
function paths(values, x, y) {
  const found = [];
  let stretch = [];
  for (const [at, value] of [...values, null].entries()) {
    if (value !== null && value !== undefined) {
      stretch.push(`${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
    } else if (stretch.length) {
      found.push(`M${stretch.join("L")}`);
      stretch = [];
    }
  }
  return found;
}

// Where a value lies against its usual range: a bar from end to end, a lozenge for the value.
export function range(part) {
  const known = [part.value, part.low, part.high].filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const room = (most - least || 1) * 0.08;
  const x = (value) => ((value - least + room) / (most - least + 2 * room || 1)) * LONG;
  const made = svg("svg", { class: "spark range", viewBox: `0 0 ${LONG} 16`, width: LONG, height: 16, "aria-hidden": "true" });
  made.append(svg("line", { class: "axis", x1: 0, x2: LONG, y1: 8, y2: 8 }));
  if (part.low !== null && part.high !== null) {
    made.append(svg("rect", { class: "usual", x: x(part.low), y: 3, width: Math.max(2, x(part.high) - x(part.low)), height: 10 }));
  }
  made.append(svg("path", { class: "mark", d: `M${x(part.value)} 3.5l4.5 4.5l-4.5 4.5l-4.5 -4.5z` }));
  return made;
}
