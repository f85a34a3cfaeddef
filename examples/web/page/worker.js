// The network's thread: loads WebAssembly and weights, and computes. The page stays alive meanwhile.

const MODULES = { wasm: "./wasm/xception.js", webgpu: "./webgpu/xception.js" };
const FRACTION_DIGITS = 2;

let classifier = null;

/** Reads a stream to its end and tells how far it is. */
async function readAll(stream, total, onProgress) {
  const reader = stream.getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    onProgress(length, total);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Fetches a file of this page's own folder. */
async function fetchFile(url, onProgress) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} can't be loaded: ${response.status} ${response.statusText}`);
  // Of a compressed file the length isn't that of what is read.
  const total = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length"));
  return readAll(response.body, total, onProgress);
}

async function load({ backend, weights, file }, onProgress) {
  if (backend === "webgpu") {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) throw new Error("This browser has no WebGPU for a page like this: choose the processor.");
  }
  const module = await import(MODULES[backend]);
  await module.default();
  classifier?.free();
  classifier = null;
  const name = file ? file.name : weights;
  const bytes = file ? await readAll(file.stream(), file.size, onProgress) : await fetchFile(weights, onProgress);
  onProgress(0, 0); // read; now the network is made
  classifier = await module.Classifier.load(name, bytes);
  return JSON.parse(classifier.describe());
}

/** Prepares a photo, and hands it on. */
async function withPhoto(photo, compute) {
  if (!classifier) throw new Error("There is no network: load one first.");
  const bytes = new Uint8Array(await photo.blob.arrayBuffer());
  const start = performance.now();
  const prepared = classifier.prepare(bytes, photo.name);
  const prepareMilliseconds = performance.now() - start;
  try {
    return await compute(prepared, prepareMilliseconds);
  } finally {
    prepared.free();
  }
}

const round = (number) => Number(number.toFixed(FRACTION_DIGITS));

const tasks = {
  load,
  classify: ({ photo, top }) =>
    withPhoto(photo, async (prepared, prepareMilliseconds) => {
      const start = performance.now();
      const guesses = JSON.parse(await classifier.classify(prepared, top));
      const milliseconds = round(performance.now() - start);
      return { guesses, milliseconds, prepareMilliseconds: round(prepareMilliseconds) };
    }),
  explain: ({ photo, class: number }) =>
    withPhoto(photo, async (prepared) => {
      const png = await classifier.explain(prepared, number);
      return new Blob([png], { type: "image/png" });
    }),
};

// One after the other: the network is one.
let queue = Promise.resolve();
self.onmessage = ({ data: { id, task, ...options } }) => {
  const onProgress = (done, total) => self.postMessage({ id, progress: { done, total } });
  queue = queue.then(async () => {
    try {
      self.postMessage({ id, result: await tasks[task](options, onProgress) });
    } catch (error) {
      // A trap of WebAssembly leaves the network in an unknown state.
      const broken = error instanceof WebAssembly.RuntimeError;
      if (broken) classifier = null;
      const text = broken ? `The network broke off (${error.message}): load it again.` : (error?.message ?? String(error));
      self.postMessage({ id, error: text });
    }
  });
};
