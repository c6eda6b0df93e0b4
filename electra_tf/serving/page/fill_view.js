// What stands where a text has [MASK]?

import {AskForm} from "./ask_form.js";
import {bars, card, make} from "./elements.js";

// A model may give more, to sample from.
const NUM_SHOWN = 10;
const MASK = "[MASK]";
const EXAMPLE = "The chef [MASK] the meal, and the [MASK] ate it.";

/** The text with a piece in the place of its n-th [MASK]. */
export function insert(text, place, piece) {
  let at = text.indexOf(MASK);
  for (let i = 0; i < place && at >= 0; ++i) at = text.indexOf(MASK, at + 1);
  if (at < 0) return text;
  const before = text.slice(0, at);
  const after = text.slice(at + MASK.length);
  // "##s" goes on with the word before.
  return piece.startsWith("##") ? before.trimEnd() + piece.slice(2) + after
    : before + piece + after;
}

export class FillView {
  constructor(model, ask) {
    this._form = new AskForm({
      fields: [{name: "text", label: `Text with ${MASK}`, value: EXAMPLE}],
      ask: ({text}, signal) => ask("fill_mask", {text: [text]}, signal),
      show: (found, {text}) => this._show(found, text),
    });
    this._form.extras.append(make("button",
      {type: "button", onclick: () => this._mask()}, `Insert ${MASK}`));
    this.element = make("div", {class: "cards"},
      card("What is missing?", this._form.element),
      card("Answer", this._form.problem, this._form.answer));
  }

  open() { return this._form.submit(); }

  /** Puts [MASK] where the cursor is, or what is selected. */
  _mask() {
    const input = this._form.input("text");
    input.setRangeText(MASK, input.selectionStart, input.selectionEnd, "end");
    input.focus();
    this._form.submit();
  }

  _show(found, text) {
    const masks = (found.mask[0] || []).flatMap((is, i) => is ? [i] : []);
    // Often all are small; numbers tell how small.
    const longest = Math.max(0, ...found.probabilities[0].flat());
    this._form.say(`${masks.length} × ${MASK}`);
    this._form.answer.replaceChildren(...masks.map(i => make("div", {},
      make("h3", {}, `${MASK} ${i + 1}`),
      bars(found.tokens[0][i].slice(0, NUM_SHOWN).map((piece, k) => ({
        name: piece,
        share: found.probabilities[0][i][k],
        title: "Insert",
        onclick: () => {
          this._form.set("text", insert(text, i, piece));
          this._form.submit();
        },
      })), longest))));
    if (!masks.length) {
      this._form.answer.append(make("p", {class: "note"},
        `The text has no ${MASK} that is read.`));
    }
  }
}
