// How long the last requests took, as seen from here.

import {make} from "./elements.js";

const NUM_KEPT = 20;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

/** "3.4 ms", "120 ms" */
export function milliseconds(value) {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** Keeps the times of each signature, and shows those of the last one. */
export class Latencies {
  constructor(element) {
    this._element = element;
    this._times = new Map();
  }

  /** Runs a request, and notes its time if it is answered. */
  async measure(what, request) {
    const start = performance.now();
    const answer = await request();
    const times = this._times.get(what) || [];
    times.push(performance.now() - start);
    this._times.set(what, times.slice(-NUM_KEPT));
    this._show(what);
    return answer;
  }

  _show(what) {
    const times = this._times.get(what);
    const last = times[times.length - 1];
    const longest = Math.max(...times);
    const listed = times.map(milliseconds).join(", ");
    const tile = (text, label) => make("div", {class: "tile"},
      make("b", {}, text), make("span", {}, label));
    this._element.replaceChildren(
      make("div", {class: "tiles"},
        tile(milliseconds(last), "last request"),
        tile(milliseconds(median(times)), times.length === 1
          ? "median of 1 request" : `median of ${times.length} requests`),
        make("div", {class: "tile history"},
          make("div", {class: "columns", role: "img",
            "aria-label": `Times of ${what}, oldest first: ${listed}.`},
          times.map(time => make("i",
            {"--share": time / longest, title: milliseconds(time)}))),
          make("span", {}, `the last ${times.length} of ${what}, ` +
            `at most ${milliseconds(longest)}`))));
  }
}
