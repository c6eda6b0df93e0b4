// Texts with replaced words: which words there are, and what was found.

const MASK = "[MASK]";
const segmenter = new Intl.Segmenter("en", {granularity: "word"});

/**
 * What stands between the spaces of a text, words apart from punctuation.
 *
 * @return {Array<{start: number, end: number, text: string,
 *   isWord: boolean}>}
 */
export function splitWords(text) {
  const words = [];
  for (const part of segmenter.segment(text)) {
    if (!part.segment.trim()) continue;
    const start = part.index;
    const end = start + part.segment.length;
    const isMask = text.slice(start - 1, end + 1) === MASK;
    words.push({
      start, end, text: part.segment, isWord: part.isWordLike && !isMask,
    });
  }
  return words;
}

/**
 * A text with other words in the place of some.
 *
 * @param {string} text - the original.
 * @param {Array} words - see `splitWords`.
 * @param {Map<number, string>} edits - new words by index.
 * @return {{text: string, places: Array<{start: number, end: number}>}} the
 *   new text, and where in it each of the words is.
 */
export function replaceWords(text, words, edits) {
  const places = [];
  let made = "";
  let after = 0;
  words.forEach((word, i) => {
    made += text.slice(after, word.start);
    const start = made.length;
    made += edits.has(i) ? edits.get(i) : word.text;
    places.push({start, end: made.length});
    after = word.end;
  });
  return {text: made + text.slice(after), places};
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Indices of a share of the words, at least one if there is any; sorted. */
export function chooseWords(words, share, random) {
  const indices = words.flatMap((word, i) => word.isWord ? [i] : []);
  const count = Math.min(indices.length,
    Math.max(1, Math.round(share * indices.length)));
  for (let i = 0; i < count; ++i) {
    const j = i + Math.floor(random() * (indices.length - i));
    [indices[i], indices[j]] = [indices[j], indices[i]];
  }
  return indices.slice(0, count).sort((a, b) => a - b);
}

/**
 * One of the candidates, each as often as its probability says.
 *
 * @param {Array<{probability: number}>} candidates
 * @param {function(): number} random - see `randomNumbers`.
 * @param {number} temperature - divides the logits, as in training.
 */
export function sample(candidates, random, temperature = 1) {
  const weights = candidates.map(each => each.probability ** (1 / temperature));
  let rest = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < candidates.length; ++i) {
    rest -= weights[i];
    if (rest < 0) return candidates[i];
  }
  return candidates[candidates.length - 1];
}

/** Whether a word piece can stand for a word: no "##ing", "[SEP]" or "!". */
export function isWholeWord(piece) {
  return !/^##|^\[.+\]$/.test(piece) && /[\p{L}\p{N}]/u.test(piece);
}

/**
 * The text with some words masked, and which word each [MASK] of it stands
 * for; -1 for those of the original.
 */
export function maskWords(text, words, chosen) {
  const edits = new Map(chosen.map(i => [i, MASK]));
  const {text: masked, places} = replaceWords(text, words, edits);
  const wordAt = new Map(chosen.map(i => [places[i].start, i]));
  const owners = [];
  let at = masked.indexOf(MASK);
  while (at >= 0) {
    owners.push(wordAt.has(at) ? wordAt.get(at) : -1);
    at = masked.indexOf(MASK, at + MASK.length);
  }
  return {masked, owners};
}

/**
 * What the discriminator says of a word, and whether that is right.
 *
 * @param {{isReplaced: boolean, probability: number}} word
 * @param {number} threshold - from which on it is called replaced.
 * @return {"hit"|"miss"|"false alarm"|""}
 */
export function verdict(word, threshold) {
  const isCalled = word.probability >= threshold;
  if (word.isReplaced) return isCalled ? "hit" : "miss";
  return isCalled ? "false alarm" : "";
}
