// Places in texts. A model counts UTF-8 bytes, JavaScript UTF-16 units.

/** How many bytes a character has in UTF-8. */
function numBytes(character) {
  const code = character.codePointAt(0);
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/**
 * A function from places in bytes to places in JavaScript's text.
 *
 * Places inside of a character become its start; those behind the text, its
 * end.
 */
export function byteToIndex(text) {
  const indices = [];
  let index = 0;
  for (const character of text) {
    for (let i = numBytes(character); i > 0; --i) indices.push(index);
    index += character.length;
  }
  return byte => byte < indices.length ? indices[Math.max(byte, 0)] : index;
}

/**
 * Rows of tensors as objects, with places in JavaScript's text.
 *
 * @param {string} text - that was asked about.
 * @param {Object<string, Array>} columns - what the tensors hold for the text,
 *   by name; `start` and `end` are in bytes.
 * @param {Array<number>} mask - 1 for what counts.
 */
export function rowsOf(text, columns, mask) {
  const toIndex = byteToIndex(text);
  const rows = [];
  for (let i = 0; i < mask.length; ++i) {
    if (!mask[i]) continue;
    const row = {};
    for (const [name, values] of Object.entries(columns)) row[name] = values[i];
    row.start = toIndex(row.start);
    row.end = toIndex(row.end);
    rows.push(row);
  }
  return rows;
}

/**
 * Cuts a part of a text where spans begin and end.
 *
 * @param {number} start - of the part.
 * @param {number} end - of the part.
 * @param {Array<{start: number, end: number}>} spans - may overlap.
 * @return {Array<{start: number, end: number, spans: Array}>} one after the
 *   other, each with the spans that it is in.
 */
export function cut(start, end, spans) {
  const touching = spans.filter(span => span.start < end && span.end > start);
  const cuts = new Set([start, end]);
  for (const span of touching) {
    cuts.add(Math.max(span.start, start));
    cuts.add(Math.min(span.end, end));
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((to, i) => ({
    start: sorted[i],
    end: to,
    spans: touching.filter(span => span.start < to && span.end > sorted[i]),
  }));
}
