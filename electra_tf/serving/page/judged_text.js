// A text whose words are coloured by what the discriminator says of them.

import {verdict} from "./corruption.js";
import {make, percent, table} from "./elements.js";
import * as markedWords from "./marked_words.js";
import {cut} from "./text_places.js";

const SIGNS = {hit: "✓", miss: "✗", "false alarm": "!"};
const MEANINGS = {
  hit: "replaced, and found", miss: "replaced, and missed",
  "false alarm": "called replaced, but original",
};

/**
 * What is known of the words of a text.
 *
 * @param {Object} judged
 * @param {string} judged.text - with all replacements.
 * @param {Array} judged.words - the original's.
 * @param {Array<{start: number, end: number}>} judged.places - of these words.
 * @param {Map<number, string>} judged.edits - new words by index.
 * @param {Set<number>} judged.masked - words that the generator was asked for.
 * @param {Array} judged.tokens - `piece`, `start`, `end`, `probability`.
 * @return {Array} for each word its `pieces` (parts of it with their tokens),
 *   `tokens`, `probability` (the largest of its tokens, -1 if it has none),
 *   and `isReplaced`.
 */
export function describe({places, words, edits, masked, tokens}) {
  return words.map((word, i) => {
    const pieces = cut(places[i].start, places[i].end, tokens);
    const own = [...new Set(pieces.flatMap(piece => piece.spans))];
    return {
      original: word.text,
      ...places[i],
      pieces,
      tokens: own,
      probability: Math.max(-1, ...own.map(token => token.probability)),
      isReplaced: edits.has(i),
      isMasked: masked.has(i),
    };
  });
}

/** How many words there are of each verdict, and in all. */
export function count(described, threshold) {
  const counts = {hit: 0, miss: 0, "false alarm": 0, "": 0};
  for (const word of described) counts[verdict(word, threshold)] += 1;
  return {
    hits: counts.hit,
    misses: counts.miss,
    falseAlarms: counts["false alarm"],
    replaced: counts.hit + counts.miss,
    called: counts.hit + counts["false alarm"],
    masked: described.filter(word => word.isMasked).length,
    all: described.length,
  };
}

function tip(word, sign) {
  if (!word.tokens.length) return "not read: the text is too long";
  const numbers = word.tokens.length === 1
    ? `${percent(word.probability)} replaced`
    : word.tokens.map(token =>
      `${token.piece} ${percent(token.probability)}`).join(" · ");
  const parts = [numbers];
  if (word.isReplaced) parts.push(`was ${word.original}`);
  else if (word.isMasked) parts.push("the generator kept it");
  if (sign) parts.push(MEANINGS[sign]);
  return parts.join("; ");
}

/**
 * The text; words can be clicked.
 *
 * @param {string} text - as it was judged.
 * @param {Array} described - see `describe`.
 * @param {Object} options
 * @param {number} options.threshold - from which on words are called replaced.
 * @param {boolean} options.isCorrupted - whether there is right and wrong.
 * @param {function(number, HTMLElement)} options.onclick - gets the index.
 */
export function show(text, described, {threshold, isCorrupted, onclick}) {
  const children = [];
  let after = 0;
  described.forEach((word, i) => {
    children.push(text.slice(after, word.start));
    after = word.end;
    const sign = isCorrupted ? verdict(word, threshold) : "";
    const style = [
      word.probability >= threshold ? "called" : "",
      word.isReplaced ? "replaced" : word.isMasked ? "masked" : "",
      word.tokens.length ? "" : "unread",
    ].join(" ");
    const made = markedWords.word(
      {
        tip: tip(word, sign),
        name: text.slice(word.start, word.end),
        style,
        onclick: () => onclick(i, made),
      },
      word.pieces.map(piece => make("span", {
        class: "token",
        "--probability": Math.max(0,
          ...piece.spans.map(token => token.probability)),
      }, text.slice(piece.start, piece.end))),
      sign ? make("sup", {class: sign === "hit" ? "good" : "bad"},
        SIGNS[sign]) : null);
    children.push(made);
  });
  children.push(text.slice(after));
  return markedWords.text("The text; arrow keys go from word to word, " +
    "Enter replaces one", children);
}

/** What the colours and signs mean. */
export function legend(isCorrupted) {
  const signs = Object.entries(SIGNS).map(([name, sign]) => make("span", {},
    make("strong", {class: name === "hit" ? "good" : "bad"}, sign), " ",
    MEANINGS[name]));
  return make("div", {class: "legend"},
    make("span", {}, "replaced: 0 %", make("span", {class: "heat"}), "100 %"),
    make("span", {}, make("span", {class: "word called"}, "word"),
      " above the threshold"),
    isCorrupted ? [
      make("span", {}, make("span", {class: "word replaced"}, "word"),
        " replaced"),
      make("span", {}, make("span", {class: "word masked"}, "word"),
        " masked, but kept"),
      signs] : null);
}

/** The tokens above the threshold, the most probable ones first. */
export function list(text, tokens, threshold) {
  const called = tokens.filter(token => token.probability >= threshold)
    .sort((a, b) => b.probability - a.probability);
  if (!called.length) {
    return make("p", {class: "note"}, "No token is above the threshold.");
  }
  // Readers count an emoji as one character, JavaScript as two.
  const before = index => [...text.slice(0, index)].length;
  return table(["Token", "Replaced", "Characters"], called.map(token => [
    make("bdi", {}, token.piece), percent(token.probability),
    `${before(token.start)}–${before(token.end)}`]));
}
