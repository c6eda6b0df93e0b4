// The page: which model is asked, and what.

import {AnswerView} from "./answer_view.js";
import {DiscriminateView} from "./discriminate_view.js";
import {make} from "./elements.js";
import {FillView} from "./fill_view.js";
import {LabelView} from "./label_view.js";
import {Latencies} from "./latency.js";
import {RawView} from "./raw_view.js";
import {ScoreView} from "./score_view.js";
import * as served from "./served.js";
import {TagView} from "./tag_view.js";

const POLL_MS = 5000;

const has = name => model => name in model.signatures;
const is = (...kinds) => model => kinds.includes(model.kind);
const VIEWS = [
  {id: "discriminate", title: "Replaced words", View: DiscriminateView,
    fits: has("discriminate")},
  {id: "fill_mask", title: "Fill masks", View: FillView,
    fits: has("fill_mask")},
  {id: "score", title: "Score texts", View: ScoreView, fits: has("score")},
  {id: "label", title: "Label", View: LabelView, fits: is("classification")},
  {id: "value", title: "Score", View: LabelView, fits: is("regression")},
  {id: "tags", title: "Tags", View: TagView, fits: is("tagging")},
  {id: "answers", title: "Answers", View: AnswerView,
    fits: is("question_answering")},
  {id: "raw", title: "JSON", View: RawView, fits: () => true},
];

const part = id => document.getElementById(id);
const latencies = new Latencies(part("latency"));
let models = [];
// Views by model and what it offers, so that texts stay when one comes back.
const opened = new Map();
let shown = null;

function trouble(message) {
  part("trouble").hidden = !message;
  part("trouble").textContent = message;
}

function current() {
  return models.find(model => model.name === part("models").value);
}

/** "#model=...&view=...", so that addresses can be kept. */
function wanted() {
  const given = new URLSearchParams(location.hash.slice(1));
  return {name: given.get("model"), view: given.get("view")};
}

/** What a model is for the page, if it is other than before. */
function identity({name, kind, info, signatures}) {
  return JSON.stringify([name, kind, info.labels, signatures]);
}

async function refresh() {
  try {
    models = await served.models();
  } catch (error) {
    trouble(error.message);
    return;
  }
  if (!models.length) return trouble("The server has no models.");
  const select = part("models");
  const names = models.map(model => model.name);
  if (names.join("/") !== [...select.options].map(o => o.value).join("/")) {
    const chosen = select.value || wanted().name;
    select.replaceChildren(...names.map(name =>
      make("option", {value: name}, name)));
    select.value = names.includes(chosen) ? chosen : names[0];
  }
  await showModel();
}

/** Shows what the chosen model is and offers. */
async function showModel() {
  const model = current();
  const parts = [model.version && `version ${model.version}`, model.kind];
  part("version").textContent = parts.filter(Boolean).join(" · ");
  trouble(model.error || "");
  if (!model.version) {
    part("tabs").replaceChildren();
    part("view").replaceChildren();
    shown = null;
    return;
  }
  const key = identity(model);
  if (!opened.has(key)) {
    let signatures;
    try {
      signatures = await served.signatures(model);
    } catch (error) {
      return trouble(error.message);
    }
    const made = {...model, signatures};
    opened.set(key, {model: made, views: new Map(),
      fitting: VIEWS.filter(view => view.fits(made))});
  }
  if (model !== current() || shown === key) return;
  shown = key;
  const {view} = wanted();
  const {fitting} = opened.get(key);
  showView(key, fitting.find(each => each.id === view) || fitting[0]);
}

function showView(key, chosen) {
  const {model, views, fitting} = opened.get(key);
  const tab = view => make("button", {
    type: "button", role: "tab", id: `tab-${view.id}`, "aria-controls": "view",
    "aria-selected": String(view === chosen),
    tabindex: view === chosen ? 0 : -1,
    onclick: () => {
      showView(key, view);
      part(`tab-${view.id}`).focus();
    },
  }, view.title);
  part("tabs").replaceChildren(...fitting.map(tab));
  part("view").setAttribute("aria-labelledby", `tab-${chosen.id}`);
  const isNew = !views.has(chosen.id);
  if (isNew) {
    const ask = (signature, inputs, signal) => latencies.measure(
      `${model.name} ${signature}`,
      () => served.predict(model.name,
        {signature_name: signature, inputs}, signal));
    views.set(chosen.id, new chosen.View(model, ask));
  }
  const view = views.get(chosen.id);
  part("view").replaceChildren(view.element);
  history.replaceState(null, "",
    `#${new URLSearchParams({model: model.name, view: chosen.id})}`);
  if (isNew) view.open();
}

part("tabs").addEventListener("keydown", event => {
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
  if (!step) return;
  const tabs = [...part("tabs").children];
  const at = tabs.indexOf(document.activeElement) + step;
  tabs[(at + tabs.length) % tabs.length].click();
});
part("models").addEventListener("change", showModel);
setInterval(() => document.hidden || refresh(), POLL_MS);
refresh();
