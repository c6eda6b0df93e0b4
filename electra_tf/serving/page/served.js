// What the server offers and answers.

/** What the server says is wrong, or that there is no server. */
export class ServerError extends Error {}

// JSON has no NaN and no infinities, but the server writes them.
const NOT_JSON = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

export function parse(text) {
  return JSON.parse(
    text.replace(NOT_JSON, found => found.startsWith('"') ? found : "null"));
}

async function fetchJson(path, options) {
  let response, text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(
      `The server at ${location.host} does not answer. Is it running?`);
  }
  let content;
  try {
    content = parse(text);
  } catch (error) {
    throw new ServerError(
      `The server answered ${response.status} with no JSON: ` +
      text.slice(0, 200));
  }
  if (!response.ok) {
    throw new ServerError(content.error || `The server says ` +
      `${response.status} ${response.statusText}.`);
  }
  return content;
}

function address(model) {
  return `v1/models/${encodeURIComponent(model)}`;
}

/** All models: `name`, `version`, `kind`, `info`, `signatures`, `error`. */
export async function models() {
  return (await fetchJson("v1/models")).models;
}

function fields(infos) {
  return Object.entries(infos).map(([name, info]) => ({
    name,
    type: info.dtype.replace("DT_", "").toLowerCase(),
    shape: (info.tensor_shape.dim || []).map(dim => Number(dim.size)),
  }));
}

/** `inputs` and `outputs` of each signature of a model, by name. */
export async function signatures({name, signatures: names}) {
  const content = await fetchJson(`${address(name)}/metadata`);
  const defs = content.metadata.signature_def.signature_def;
  // The metadata have functions that load a model, too.
  return Object.fromEntries(names.map(name => [name, {
    inputs: fields(defs[name].inputs), outputs: fields(defs[name].outputs),
  }]));
}

/**
 * Asks a model.
 *
 * @param {string} model - its name.
 * @param {{signature_name: string, inputs: Object}} body - tensors by name.
 * @param {AbortSignal} signal - that nobody waits any more.
 * @return {Promise<*>} tensors by name; of a single one, only what it holds.
 */
export async function predict(model, body, signal) {
  const content = await fetchJson(`${address(model)}:predict`, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body),
    signal,
  });
  return content.outputs === undefined ? content.predictions : content.outputs;
}
