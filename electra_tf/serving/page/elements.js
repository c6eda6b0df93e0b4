// Elements of the page. Texts are never read as HTML, and styles are set by
// script, because the page's policy forbids both in attributes.

/**
 * An element.
 *
 * @param {string} name - of the element.
 * @param {Object} attributes - by name; `onclick` and the like are listeners,
 *   names with `--` are variables of the style; null and false are left out.
 * @param {...*} children - elements, texts, and lists of these; null is left
 *   out.
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key.startsWith("--")) element.style.setProperty(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter(child => child !== null &&
      child !== undefined));
  return element;
}

export function card(title, ...children) {
  return make("section", {class: "card"}, make("h2", {}, title), ...children);
}

/** "12.3 %"; what is not quite 0 or 100 does not look so. */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  if (share < 1 && share > 0.9995) return ">99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}

/**
 * Names with bars of their shares.
 *
 * @param {Array<{name: string, share: number, onclick?: Function,
 *   title?: string}>} rows - with a listener, the name is a button.
 * @param {number} longest - share of a bar of full length.
 */
export function bars(rows, longest = 1) {
  return make("div", {class: "bars"}, rows.map(row => [
    row.onclick
      ? make("button",
        {type: "button", class: "candidate", onclick: row.onclick,
          title: row.title},
        make("bdi", {}, row.name))
      : make("bdi", {class: "name"}, row.name),
    make("span", {class: "bar", "--share": row.share / longest}),
    make("span", {class: "number"}, percent(row.share)),
  ]));
}

/** A table; the first cell of a row names it. */
export function table(header, rows) {
  return make("div", {class: "scroll"}, make("table", {},
    make("thead", {}, make("tr", {},
      header.map(name => make("th", {scope: "col"}, name)))),
    make("tbody", {}, rows.map(([first, ...others]) => make("tr", {},
      make("th", {scope: "row"}, first),
      others.map(cell => make("td", {}, cell)))))));
}
