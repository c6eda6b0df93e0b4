// A form that asks a model, by a button or when typing pauses.

import {make} from "./elements.js";

const PAUSE_MS = 500;

/**
 * Runs one task after the other; of those that overlap, the newest counts.
 *
 * @param {HTMLElement} answer - is marked busy meanwhile.
 * @param {HTMLElement} problem - shows errors.
 */
export class Newest {
  constructor(answer, problem) {
    this._answer = answer;
    this._problem = problem;
    this._controller = null;
  }

  /** Calls `show` with what the task gives, unless there is a newer one. */
  async run(task, show) {
    if (this._controller) this._controller.abort();
    const controller = this._controller = new AbortController();
    this._answer.setAttribute("aria-busy", "true");
    let result, error = null;
    try {
      result = await task(controller.signal);
    } catch (thrown) {
      error = thrown;
    }
    if (this._controller !== controller) return;
    this._controller = null;
    this._answer.removeAttribute("aria-busy");
    this._problem.hidden = !error;
    this._problem.textContent = error ? error.message : "";
    if (error) this._answer.replaceChildren();
    else show(result);
  }
}

/**
 * A text field with its label.
 *
 * @param {Object} field - `name`, `label`, `value`, and `rows`; with a single
 *   row, it has no line breaks.
 */
function fieldOf({name, label, value, rows = 4}) {
  const attributes = {name, dir: "auto", autocomplete: "off",
    spellcheck: "false"};
  const input = rows > 1 ? make("textarea", {...attributes, rows})
    : make("input", {...attributes, type: "text"});
  input.value = value;
  return make("label", {class: "field"}, make("span", {}, label), input);
}

/**
 * A form and the place of its answer.
 *
 * @param {Object} options
 * @param {Array} options.fields - see `fieldOf`.
 * @param {function(Object, AbortSignal): Promise} options.ask - gets the
 *   values by name.
 * @param {function(*, Object)} options.show - gets the answer and the values.
 * @param {boolean} options.isAutomatic - asks when typing pauses.
 * @param {function(Object)} options.onchange - hears of typing.
 */
export class AskForm {
  constructor({fields, ask, show, isAutomatic = true, onchange = null}) {
    this._ask = ask;
    this._show = show;
    this._timer = null;
    this.answer = make("div", {class: "answer"});
    this._status = make("span", {class: "note", role: "status"});
    this.problem = make("p", {class: "trouble", role: "alert", hidden: true});
    this.newest = new Newest(this.answer, this.problem);
    this.extras = make("div", {class: "row"});
    this.element = make("form", {
      class: "asking",
      onsubmit: event => { event.preventDefault(); this.submit(); },
      onkeydown: event => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          this.submit();
        }
      },
      oninput: event => {
        if (!event.target.name) return;
        if (onchange) onchange(this.values());
        clearTimeout(this._timer);
        if (isAutomatic) {
          this._timer = setTimeout(() => this.submit(), PAUSE_MS);
        }
      },
    }, fields.map(fieldOf), make("div", {class: "row"},
      make("button", {type: "submit", class: "main"}, "Ask"),
      make("span", {class: "note"}, isAutomatic
        ? "Ctrl+Enter, or pause typing" : "Ctrl+Enter"),
      this._status), this.extras);
  }

  input(name) { return this.element.elements.namedItem(name); }

  values() {
    return Object.fromEntries([...this.element.elements]
      .filter(each => each.name).map(each => [each.name, each.value]));
  }

  set(name, value) {
    this.input(name).value = value;
  }

  /** Says in a few words what was answered, also to screen readers. */
  say(text) {
    this._status.textContent = text;
  }

  submit() {
    clearTimeout(this._timer);
    const values = this.values();
    return this.newest.run(
      signal => this._ask(values, signal),
      answer => this._show(answer, values));
  }
}
