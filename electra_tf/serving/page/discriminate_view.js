// Which words of a text were replaced? With texts corrupted by hand, or by
// the generator.

import {AskForm} from "./ask_form.js";
import * as corruption from "./corruption.js";
import {card, make} from "./elements.js";
import * as judgedText from "./judged_text.js";
import {rowsOf} from "./text_places.js";

const EXAMPLE = "The chef cooked the meal, and the guests ate all of it.";
const SHARE = 0.15;

export class DiscriminateView {
  constructor(model, ask) {
    this._ask = ask;
    // The discriminator has learned from words that were sampled with it.
    this._temperature = (model.info.config || {}).temperature || 1;
    this._threshold = 0.5;
    this._judged = null;
    this._form = new AskForm({
      fields: [{name: "text", label: "Text", value: EXAMPLE}],
      ask: (values, signal) => this._judge(signal),
      show: judged => this._show(judged),
      onchange: values => this._start(values.text),
    });
    this._start(EXAMPLE);
    this._form.extras.append(...this._tools("fill_mask" in model.signatures));
    this.element = make("div", {class: "cards"},
      card("Which words were replaced?", this._form.element),
      card("Answer", this._form.problem, this._form.answer));
  }

  open() { return this._form.submit(); }

  /**
   * Begins with another original: its words, which of them are replaced, which
   * the generator was asked for, and which one gets back the focus.
   */
  _start(text) {
    this._text = text;
    this._words = corruption.splitWords(text);
    this._edits = new Map();
    this._masked = new Set();
    this._focused = null;
  }

  _tools(hasGenerator) {
    const output = make("output", {}, "50 %");
    const threshold = make("label", {class: "inline"}, "Threshold",
      make("input", {
        type: "range", min: 0, max: 100, value: 50, id: "threshold",
        oninput: event => {
          this._threshold = event.target.value / 100;
          output.textContent = `${event.target.value} %`;
          this._render();
        },
      }), output);
    if (!hasGenerator) return [threshold];
    this._seed = make("input", {type: "number", id: "seed", value: 1, min: 0,
      step: 1});
    this._share = make("input", {type: "number", id: "share",
      value: 100 * SHARE, min: 1, max: 100, step: 1});
    const button = (text, onclick, title) =>
      make("button", {type: "button", onclick, title}, text);
    return [
      threshold,
      make("fieldset", {},
        make("legend", {}, "Corrupt"),
        make("label", {class: "inline"}, this._share, "% of words"),
        make("label", {class: "inline"}, "seed", this._seed),
        button("Corrupt", () => this._corrupt(),
          "Words of the generator, sampled as in training from its likeliest; " +
          "the same seed gives the same text"),
        button("Next seed", () => {
          this._seed.value = Number(this._seed.value) + 1;
          this._corrupt();
        }, "Corrupt in another way")),
    ];
  }

  /** Asks about the text with what is replaced by now. */
  async _judge(signal) {
    const {_words: words, _edits: edits, _masked: masked} = this;
    const {text, places} = corruption.replaceWords(this._text, words, edits);
    const found = await this._ask("discriminate", {text: [text]}, signal);
    const tokens = rowsOf(text, {
      piece: found.tokens[0],
      start: found.starts[0],
      end: found.ends[0],
      probability: found.replaced_probabilities[0],
    }, found.mask[0]).filter(token => token.end > token.start);
    return {text, words, places, tokens, edits: new Map(edits),
      masked: new Set(masked)};
  }

  /** Lets the generator replace some words, and asks about the text. */
  _corrupt() {
    const random = corruption.randomNumbers(Number(this._seed.value));
    const share = Number(this._share.value) / 100;
    this._start(this._text);
    const {_words: words, _text: text} = this;
    const chosen = corruption.chooseWords(words, share, random);
    const {masked, owners} = corruption.maskWords(text, words, chosen);
    this._form.newest.run(async signal => {
      const found = await this._ask("fill_mask", {text: [masked]}, signal);
      const edits = new Map();
      const seen = new Set();
      owners.forEach((i, place) => {
        if (i < 0 || !(found.mask[0] || [])[place]) return;
        const candidates = found.tokens[0][place].map((piece, k) =>
          ({piece, probability: found.probabilities[0][place][k]}));
        const whole = candidates.filter(
          each => corruption.isWholeWord(each.piece));
        if (!whole.length) return;
        const {piece} = corruption.sample(whole, random,
          this._temperature);
        seen.add(i);
        if (!isSame(piece, words[i].text)) edits.set(i, piece);
      });
      if (this._words !== words) return this._judge(signal);
      this._edits = edits;
      this._masked = seen;
      return this._judge(signal);
    }, judged => this._show(judged));
  }

  _show(judged) {
    this._judged = judged;
    this._render();
  }

  _render() {
    if (!this._judged) return;
    const {text, tokens, edits, masked} = this._judged;
    const isCorrupted = edits.size > 0 || masked.size > 0;
    const described = judgedText.describe(this._judged);
    const counts = judgedText.count(described, this._threshold);
    const summary = isCorrupted ? sumUp(counts)
      : `${counts.called} of ${counts.all} words and signs are called replaced.`;
    this._form.say("");
    this._form.answer.replaceChildren(
      make("p", {class: "summary", role: "status"}, summary),
      judgedText.show(text, described, {
        threshold: this._threshold,
        isCorrupted,
        onclick: (i, element) => this._edit(i, element),
      }),
      this._replacements(),
      judgedText.legend(isCorrupted),
      make("h3", {}, "Tokens above the threshold"),
      judgedText.list(text, tokens, this._threshold));
    if (this._focused !== null) {
      this._form.answer.querySelectorAll(".text .word")[this._focused].focus();
      this._focused = null;
    }
  }

  /** What is replaced, to be undone. */
  _replacements() {
    const {edits, words} = this._judged;
    if (!edits.size) {
      return make("p", {class: "note"}, "Click a word to replace it.");
    }
    return make("div", {class: "row replacements"},
      [...edits].map(([i, text]) => make("button", {
        type: "button", class: "chip", title: "Undo",
        onclick: () => this._replace(i, ""),
      }, make("bdi", {}, words[i].text), " → ", make("bdi", {}, text), " ↺")),
      make("button", {type: "button", onclick: () => {
        this._start(this._text);
        this._form.submit();
      }}, "Reset"));
  }

  /** Puts a field in the place of a word. */
  _edit(i, element) {
    // While another text is being typed, this one cannot be changed.
    if (this._judged.words !== this._words) return;
    const word = this._words[i].text;
    const current = this._edits.has(i) ? this._edits.get(i) : word;
    let isDone = false;
    const finish = (text, isByKey = false) => {
      if (isDone) return;
      isDone = true;
      this._focused = isByKey ? i : null;
      if (text === null || text === current) this._render();
      else this._replace(i, text);
    };
    const input = make("input", {
      class: "edit", value: current, dir: "auto", size: current.length + 2,
      "aria-label": `Instead of ${word}; nothing for the original`,
      onblur: () => finish(input.value.trim()),
      onkeydown: event => {
        if (event.key === "Enter") finish(input.value.trim(), true);
        else if (event.key === "Escape") finish(null, true);
        else return;
        event.preventDefault();
      },
    });
    element.replaceWith(input);
    input.focus();
    input.select();
  }

  /** Replaces a word; by nothing or itself, the original comes back. */
  _replace(i, text) {
    this._masked.delete(i);
    if (text && text !== this._words[i].text) this._edits.set(i, text);
    else this._edits.delete(i);
    return this._form.submit();
  }
}

function isSame(piece, word) {
  return piece.toLowerCase() === word.toLowerCase();
}

function sumUp({masked, replaced, hits, misses, falseAlarms}) {
  const words = number => `${number} word${number === 1 ? "" : "s"}`;
  const asked = masked
    ? `${words(masked)} masked, ${replaced} replaced`
    : `${words(replaced)} replaced`;
  const alarms = `${falseAlarms} false alarm${falseAlarms === 1 ? "" : "s"}`;
  return `${asked}: ${hits} found, ${misses} missed, ${alarms}.`;
}
