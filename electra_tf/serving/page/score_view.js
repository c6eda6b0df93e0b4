// How likely are texts?

import {AskForm} from "./ask_form.js";
import {card, make} from "./elements.js";
import * as markedWords from "./marked_words.js";

const EXAMPLE = "The chef cooked the meal.\nThe chef ate the meal.\n" +
  "The chef meal the cooked.";

/** The rows of an answer, most likely text first. */
function rowsOf(found, texts) {
  return texts.map((text, row) => ({
    text,
    score: found.score[row],
    // [CLS] and [SEP] are not scored.
    tokens: found.tokens[row].flatMap((piece, i) => found.mask[row][i]
      ? [{piece, value: found.log_probs[row][i]}] : []).slice(1, -1),
  })).sort((a, b) => b.score - a.score);
}

export class ScoreView {
  constructor(model, ask) {
    this._form = new AskForm({
      fields: [{name: "text", label: "Texts, one in each line", value: EXAMPLE,
        rows: 5}],
      ask: async ({text}, signal) => {
        const texts = text.split("\n").filter(line => line.trim());
        if (!texts.length) return [];
        return rowsOf(await ask("score", {text: texts}, signal), texts);
      },
      show: rows => this._show(rows),
      // A masked language model needs a pass for each token.
      isAutomatic: false,
    });
    this.element = make("div", {class: "cards"},
      card("How likely are these texts?", this._form.element),
      card("Answer", this._form.problem, this._form.answer));
  }

  open() { return this._form.submit(); }

  _show(rows) {
    const values = rows.flatMap(row => row.tokens.map(token => token.value));
    const best = Math.max(...values);
    const range = best - Math.min(...values) || 1;
    this._form.say("");
    this._form.answer.replaceChildren(...rows.map(row => make("div",
      {class: "scored"},
      make("p", {class: "summary"}, row.score.toFixed(2), make("span",
        {class: "note"}, ` nats, ${mean(row)} per token`)),
      markedWords.text("Tokens with their log-probabilities",
        row.tokens.map((token, i) => [
          i && !token.piece.startsWith("##") ? " " : "",
          markedWords.word({
            tip: `${token.value.toFixed(3)} nats`, name: token.piece,
          }, make("span", {
            class: "token", "--probability": (best - token.value) / range,
          }, token.piece.replace(/^##(?=.)/, ""))),
        ])))));
    if (values.length) {
      this._form.answer.append(make("div", {class: "legend"},
        make("span", {}, `${best.toFixed(1)} nats`,
          make("span", {class: "heat"}),
          `${(best - range).toFixed(1)} nats, the least likely token`)));
    }
  }
}

function mean({score, tokens}) {
  return tokens.length ? (score / tokens.length).toFixed(2) : "0";
}
