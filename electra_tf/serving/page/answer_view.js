// Where does a passage answer a question?

import {AskForm} from "./ask_form.js";
import {card, make, percent} from "./elements.js";
import {rowsOf} from "./text_places.js";

const CONTEXT = "The chef cooked the meal in the old kitchen. The guests " +
  "came at eight, and all of them liked the soup.";
const QUESTION = "When did the guests come?";

export class AnswerView {
  constructor(model, ask) {
    this._hasImpossible = Boolean(model.info.has_impossible);
    this._form = new AskForm({
      fields: [
        {name: "context", label: "Passage", value: CONTEXT, rows: 8},
        {name: "question", label: "Question", value: QUESTION, rows: 1},
      ],
      ask: ({question, context}, signal) => ask("serving_default",
        {question: [question], context: [context]}, signal),
      show: (found, {context}) => this._show(context, found),
    });
    this.element = make("div", {class: "cards"},
      card("Where is the answer?", this._form.element),
      card("Answer", this._form.problem, this._form.answer));
  }

  open() { return this._form.submit(); }

  _show(context, found) {
    const answers = rowsOf(context, {
      text: found.nbest_answers[0], start: found.nbest_starts[0],
      end: found.nbest_ends[0], probability: found.nbest_probabilities[0],
    }, found.nbest_mask[0]);
    const isAnswerable = found.is_answerable[0];
    const passage = make("div", {class: "text passage", dir: "auto"});
    const buttons = answers.map((answer, i) => make("button", {
      type: "button", class: "candidate", "aria-pressed": "false",
      onclick: () => this._mark(passage, context, answer, buttons, i),
    }, make("bdi", {}, answer.text)));
    this._form.answer.replaceChildren(
      this._sumUp(found, answers, isAnswerable),
      passage,
      make("h3", {}, "Best answers; click one to see where it is"),
      make("div", {class: "bars"}, answers.map((answer, i) => [
        buttons[i],
        make("span", {class: "bar", "--share": answer.probability}),
        make("span", {class: "number"}, percent(answer.probability)),
      ])));
    if (answers.length && isAnswerable) {
      this._mark(passage, context, answers[0], buttons, 0);
    } else {
      passage.textContent = context;
    }
  }

  _sumUp(found, answers, isAnswerable) {
    const no = percent(found.no_answer_probability[0]);
    const [best] = answers;
    let summary = "No part of the passage can be an answer.";
    if (best) {
      summary = [isAnswerable ? "" : "No answer; if there were one: ",
        make("bdi", {class: "best"}, best.text), " ",
        make("span", {class: "note"}, percent(best.probability))];
    }
    return make("div", {},
      make("p", {class: "summary", role: "status"}, summary),
      this._hasImpossible ? make("p", {class: "note"},
        `Probability that there is no answer: ${no}`) : null);
  }

  _mark(passage, context, answer, buttons, i) {
    buttons.forEach((button, k) =>
      button.setAttribute("aria-pressed", String(k === i)));
    passage.replaceChildren(
      context.slice(0, answer.start),
      make("mark", {}, context.slice(answer.start, answer.end)),
      context.slice(answer.end));
  }
}
