// Any signature of any model, as JSON.

import {AskForm} from "./ask_form.js";
import {card, make, table} from "./elements.js";

function shapeText({shape}) {
  return `[${shape.map(size => size < 0 ? "any" : size).join(", ")}]`;
}

/** Something of the right type and shape to begin with. */
function example({type, shape}) {
  const leaf = type === "string" ? "a text" : type === "bool" ? false : 1;
  return shape.reduceRight(
    (value, size) => Array(size < 0 ? 1 : size).fill(value), leaf);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The inputs are not JSON: ${error.message}`);
  }
}

export class RawView {
  constructor(model, ask) {
    this._signatures = model.signatures;
    this._about = make("div");
    this._select = make("select", {id: "signature",
      onchange: () => this._choose()},
    Object.keys(model.signatures).sort().map(name =>
      make("option", {value: name}, name)));
    this._select.value = "serving_default";
    if (!this._select.value) this._select.selectedIndex = 0;
    this._form = new AskForm({
      fields: [{name: "inputs", label: "Inputs, as JSON", value: "", rows: 8}],
      ask: async ({inputs}, signal) =>
        ask(this._select.value, parsed(inputs), signal),
      show: found => this._form.answer.replaceChildren(
        make("pre", {tabindex: 0}, JSON.stringify(found, null, 1))),
      isAutomatic: false,
    });
    this._choose();
    this.element = make("div", {class: "cards"},
      card("Ask a signature", make("label", {class: "field"},
        make("span", {}, "Signature"), this._select),
      this._form.element, this._about),
      card("Answer", this._form.problem, this._form.answer));
  }

  open() {}

  _choose() {
    const {inputs, outputs} = this._signatures[this._select.value];
    this._form.set("inputs", JSON.stringify(Object.fromEntries(
      inputs.map(field => [field.name, example(field)])), null, 1));
    const rows = fields => fields.map(field =>
      [make("code", {}, field.name), field.type, shapeText(field)]);
    this._about.replaceChildren(
      make("h3", {}, "Inputs"),
      table(["Name", "Type", "Shape"], rows(inputs)),
      make("h3", {}, "Outputs"),
      table(["Name", "Type", "Shape"], rows(outputs)));
  }
}
