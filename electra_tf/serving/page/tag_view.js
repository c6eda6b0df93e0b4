// What are the words of a text, and which parts of it are named?

import {AskForm} from "./ask_form.js";
import {card, make, percent, table} from "./elements.js";
import * as markedWords from "./marked_words.js";
import {rowsOf} from "./text_places.js";

const EXAMPLE = "Ada Lovelace met Charles Babbage in London.";
const NUM_COLORS = 8;

export class TagView {
  constructor(model, ask) {
    const tags = model.info.labels || [];
    // "B-PER" and "I-PER" are of one type.
    this._types = [...new Set(tags.filter(tag => tag !== "O")
      .map(tag => tag.replace(/^[BIES]-/, "")))];
    this._form = new AskForm({
      fields: [{name: "text", label: "Text", value: EXAMPLE}],
      ask: ({text}, signal) =>
        ask("serving_default", {text: [text]}, signal),
      show: (found, {text}) => this._show(text, found),
    });
    this.element = make("div", {class: "cards"},
      card("What is named?", this._form.element),
      card("Answer", this._form.problem, this._form.answer));
  }

  open() { return this._form.submit(); }

  _color(type) {
    const i = this._types.indexOf(type);
    return `c${(i < 0 ? this._types.push(type) - 1 : i) % NUM_COLORS}`;
  }

  _show(text, found) {
    const words = rowsOf(text, {
      tag: found.tags[0], start: found.starts[0], end: found.ends[0],
      probability: found.probabilities[0],
    }, found.mask[0]);
    const entities = rowsOf(text, {
      type: found.span_types[0], start: found.span_starts[0],
      end: found.span_ends[0],
    }, found.span_mask[0]);
    const children = [];
    let after = 0;
    for (const entity of entities) {
      children.push(
        ...this._words(text, words, after, entity.start),
        make("span", {class: `entity ${this._color(entity.type)}`},
          this._words(text, words, entity.start, entity.end),
          make("b", {class: "type"}, entity.type)));
      after = entity.end;
    }
    children.push(...this._words(text, words, after, text.length));
    const number = entities.length;
    this._form.answer.replaceChildren(
      make("p", {class: "summary", role: "status"},
        `${number} name${number === 1 ? "" : "s"} in ${words.length} words.`),
      markedWords.text("The text; arrow keys go from word to word", children),
      this._legend(entities),
      make("details", {}, make("summary", {}, "All words"),
        table(["Word", "Tag", "Probability"], words.map(word => [
          make("bdi", {}, text.slice(word.start, word.end)), word.tag,
          percent(word.probability)]))));
  }

  /** A part of the text, in which the words tell their tags. */
  _words(text, words, start, end) {
    const children = [];
    let after = start;
    for (const word of words) {
      if (word.start < start || word.end > end) continue;
      const name = text.slice(word.start, word.end);
      const tip = `${word.tag} ${percent(word.probability)}`;
      children.push(text.slice(after, word.start),
        markedWords.word({tip, name}, name));
      after = word.end;
    }
    return [...children, text.slice(after, end)];
  }

  _legend(entities) {
    return make("div", {class: "legend"}, this._types.map(type => make("span",
      {class: this._color(type)}, make("span", {class: "swatch"}),
      `${type}: ${entities.filter(each => each.type === type).length}`)));
  }
}
