// Which label, or which score, has a text or a pair of texts?

import {AskForm} from "./ask_form.js";
import {bars, card, make} from "./elements.js";

const EXAMPLES = {
  text_a: "The chef cooked a wonderful meal.",
  text_b: "Somebody cooked.",
};
const NAMES = {text_a: "First text", text_b: "Second text"};

export class LabelView {
  constructor(model, ask) {
    const names = model.signatures.serving_default.inputs
      .map(input => input.name).sort();
    const isPair = names.length > 1;
    this._labels = model.info.labels || [];
    this._form = new AskForm({
      fields: names.map(name => ({
        name,
        label: isPair && NAMES[name] || "Text",
        value: EXAMPLES[name] || "",
        rows: 3,
      })),
      ask: (values, signal) => ask("serving_default",
        Object.fromEntries(names.map(name => [name, [values[name]]])), signal),
      show: found => this._show(found),
    });
    const task = model.info.task ? ` (${model.info.task})` : "";
    this.element = make("div", {class: "cards"},
      card(model.kind === "regression" ? `Which score?${task}`
        : `Which label?${task}`, this._form.element),
      card("Answer", this._form.problem, this._form.answer));
  }

  open() { return this._form.submit(); }

  _show(found) {
    // A lone output comes without its name.
    const score = Array.isArray(found) ? found[0] : (found.score || [])[0];
    if (score !== undefined) {
      this._form.answer.replaceChildren(
        make("p", {class: "summary"}, score.toFixed(4)));
      return;
    }
    const probabilities = found.probabilities[0];
    this._form.answer.replaceChildren(
      make("p", {class: "summary", role: "status"}, make("bdi", {},
        found.label[0])),
      bars(probabilities.map((share, i) => ({
        name: i in this._labels ? this._labels[i] : `label ${i}`, share,
      }))));
  }
}
