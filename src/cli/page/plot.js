// Measurements over time, and line plots of them.
import { round } from "./format.js";

/** How far back a plot goes, in milliseconds. */
const span = 120_000;
/** Measurements are a second apart; a longer gap, in milliseconds, breaks the line. */
const gap = 2_500;

const width = 400;
const height = 96;
const left = 38;
const right = 8;
const top = 8;
const bottom = 18;

/** The latest measurements. */
export class Series {
  points = [];

  add(at, value) {
    this.points.push({ at, value });
    while (this.points[0].at < at - span) this.points.shift();
  }

  /** The last value, the least, the median and the largest; undefined without values. */
  summary() {
    const values = this.points.map(({ value }) => value).toSorted((a, b) => a - b);
    const middle = (values.length - 1) / 2;
    const median = (values[Math.floor(middle)] + values[Math.ceil(middle)]) / 2;
    return { last: this.points.at(-1)?.value, min: values[0], median, max: values.at(-1), count: values.length };
  }
}

/** Draws series as lines into an SVG element. Each series has a name, which is also its CSS class. */
export class Plot {
  #svg;
  #series;

  constructor(svg, series) {
    this.#svg = svg;
    this.#series = Object.entries(series);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }

  draw(now) {
    const values = this.#series.flatMap(([, { points }]) => points.map(({ value }) => value));
    const most = ceiling(Math.max(0, ...values));
    const x = (at) => left + (1 - (now - at) / span) * (width - left - right);
    const y = (value) => top + (1 - value / most) * (height - top - bottom);
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const value = share * most;
      parts.push(shape("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
      parts.push(label(left - 6, y(value) + 3.5, "end", round(value)));
    }
    for (const [ago, text, anchor] of [
      [span, "2 min ago", "start"],
      [span / 2, "1 min", "middle"],
      [0, "now", "end"],
    ]) {
      parts.push(label(x(now - ago), height - 4, anchor, text));
    }
    for (const [name, { points }] of this.#series) {
      const last = points.at(-1);
      if (last === undefined) continue;
      parts.push(shape("path", { class: `line ${name}`, d: path(points, x, y) }));
      parts.push(shape("circle", { class: `dot ${name}`, cx: x(last.at), cy: y(last.value), r: 2.5 }));
    }
    this.#svg.replaceChildren(...parts);
  }
}

/** A line through the points, broken at gaps. */
function path(points, x, y) {
  let before = -Infinity;
  let d = "";
  for (const { at, value } of points) {
    d += `${at - before > gap ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    before = at;
  }
  // A line of length zero with round ends is a dot.
  return points.length === 1 ? `${d}h0` : d;
}

/** The next round number above: 1, 2 or 5 followed by zeros. */
function ceiling(value) {
  if (value === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function label(x, y, anchor, text) {
  const made = shape("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}
