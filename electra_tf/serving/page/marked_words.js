// Words of a text that can be reached, each with more to say about it.

import {make} from "./elements.js";

// As in the style; tips are moved so that they end before the text does.
const TIP_WIDTH = 260;
const STEPS = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1};

/**
 * A word with what is to be said of it when it is pointed at or focused.
 *
 * It is no button element: these would break the order of right-to-left text.
 *
 * @param {Object} options
 * @param {string} options.tip - to say.
 * @param {string} options.name - the word.
 * @param {string} options.style - further classes.
 * @param {Function} options.onclick - also on Enter; null if there is nothing
 *   to do.
 */
export function word({tip, name, style = "", onclick = null}, ...children) {
  return make("span", {
    class: `word ${style}`,
    role: onclick ? "button" : "note",
    tabindex: -1,
    "aria-label": `${name}: ${tip}`,
    "data-tip": tip,
    onclick,
  }, ...children);
}

/** A text with words; arrow keys go from one to the next. */
export function text(label, ...children) {
  const made = make("div",
    {class: "text", dir: "auto", role: "group", "aria-label": label},
    ...children);
  const words = () => [...made.querySelectorAll(".word")];
  made.addEventListener("focusin", event => {
    if (!event.target.classList.contains("word")) return;
    for (const each of words()) each.tabIndex = each === event.target ? 0 : -1;
  });
  const place = event => {
    const at = event.target.closest(".word");
    if (!at) return;
    const room = made.getBoundingClientRect().right - TIP_WIDTH -
      at.getBoundingClientRect().left;
    at.style.setProperty("--shift", `${Math.min(0, room)}px`);
  };
  made.addEventListener("pointerover", place);
  made.addEventListener("focusin", place);
  made.addEventListener("keydown", event => {
    const at = event.target;
    if (!at.classList.contains("word")) return;
    const all = words();
    let next = all.indexOf(at) + (STEPS[event.key] || 0);
    if (event.key === "Home") next = 0;
    else if (event.key === "End") next = all.length - 1;
    else if (event.key === "Enter" || event.key === " ") at.click();
    else if (!(event.key in STEPS)) return;
    event.preventDefault();
    if (all[next]) all[next].focus();
  });
  const [first] = words();
  if (first) first.tabIndex = 0;
  return made;
}
