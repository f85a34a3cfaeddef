// What the visitor sees. All that takes time is the worker's.

const TOP = 5;
const BACKENDS = { wasm: "WebAssembly", webgpu: "WebGPU" };
const element = (id) => document.getElementById(id);
const [status, progress, problem, results] = ["status", "progress", "error", "results"].map(element);
const number = new Intl.NumberFormat("en");

const worker = new Worker("worker.js", { type: "module" });
const waiting = new Map();
let lastId = 0;

/** Has the worker do a task, and returns its result. */
function ask(task, options, onProgress) {
  const id = ++lastId;
  worker.postMessage({ id, task, ...options });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject, onProgress }));
}

worker.onmessage = ({ data }) => {
  const task = waiting.get(data.id);
  if (data.progress) return task?.onProgress?.(data.progress);
  waiting.delete(data.id);
  if (data.error === undefined) task?.resolve(data.result);
  else task?.reject(new Error(data.error));
};
worker.onerror = (event) => {
  event.preventDefault();
  for (const { reject } of waiting.values()) reject(new Error(event.message || "The network's script can't be loaded."));
  waiting.clear();
};

function showError(error) {
  problem.textContent = error.message;
  problem.hidden = false;
}

function clearError() {
  problem.hidden = true;
}

// The network.

let ownFile = null;
let loading = null;

/** Loads the network that is chosen. Photos wait for it. */
function loadNetwork() {
  clearError();
  retireCards();
  const backend = element("backend").value;
  const own = element("weights").value === "own";
  const name = own ? ownFile.name : "the small network";
  status.textContent = `Loading ${name} …`;
  document.body.dataset.state = "loading";
  element("network").hidden = true;
  progress.hidden = false;
  progress.removeAttribute("value");
  const onProgress = ({ done, total }) => {
    if (total > 0) {
      progress.max = total;
      progress.value = done;
      status.textContent = `Loading ${name}: ${number.format(Math.round((100 * done) / total))} %`;
    } else if (done === 0) {
      progress.removeAttribute("value");
      status.textContent = `Making the network of ${name} …`;
    }
  };
  const options = own ? { backend, file: ownFile } : { backend, weights: "tiny.bpk" };
  loading = ask("load", options, onProgress).then(
    (network) => {
      const [height, width] = network.size;
      element("network").textContent =
        `${network.network}, ${number.format(network.parameters)} parameters, ${number.format(network.classes)} classes, ` +
        `photos as ${width} x ${height} pixels.`;
      element("network").hidden = false;
      status.textContent = "Ready.";
      document.body.dataset.state = "ready";
      progress.hidden = true;
      return true;
    },
    (error) => {
      status.textContent = "There is no network yet.";
      document.body.dataset.state = "failed";
      progress.hidden = true;
      showError(error);
      return false;
    },
  );
  return loading;
}

element("weights").addEventListener("change", ({ target }) => {
  if (target.value === "own") element("weights-file").click();
  else loadNetwork();
});
element("weights-file").addEventListener("change", ({ target }) => {
  if (target.files.length === 0) return;
  ownFile = target.files[0];
  element("weights").value = "own";
  target.value = "";
  loadNetwork();
});
element("weights-file").addEventListener("cancel", () => {
  if (!ownFile) element("weights").value = "tiny";
});
element("backend").addEventListener("change", loadNetwork);

// Photos.

let tuned = false;

/** Classifies a photo, and shows it with what it may be. */
async function addPhoto(blob, name) {
  const network = loading;
  if (!(await network)) return;
  clearError();
  const photo = { blob, name };
  const backend = element("backend").value;
  const first = backend === "webgpu" && !tuned ? " The first photo takes longer: the graphics card's programs are made for it." : "";
  status.textContent = `Looking at ${name} …${first}`;
  try {
    const found = await ask("classify", { photo, top: TOP });
    tuned ||= backend === "webgpu";
    results.prepend(card(photo, found, backend));
    if (network !== loading) retireCards();
    status.textContent = `${name}: ${label(found.guesses[0])}, ${percent(found.guesses[0].probability)}.`;
  } catch (error) {
    status.textContent = "Ready.";
    showError(error);
  }
}

const label = (guess) => guess.name ?? `class ${guess.index}`;
const percent = (share) => `${(100 * share).toFixed(share >= 0.1 || share === 0 ? 1 : 2)} %`;

/** Takes the choice of classes from the photos there are: the network that would explain them is another one from now on. */
function retireCards() {
  for (const button of results.querySelectorAll("li button")) button.disabled = true;
  for (const hint of results.querySelectorAll(".hint")) hint.textContent = "Found by an earlier network.";
}

function card(photo, found, backend) {
  const article = element("card").content.firstElementChild.cloneNode(true);
  const image = article.querySelector("img");
  const caption = article.querySelector("figcaption");
  const plain = URL.createObjectURL(photo.blob);
  const show = (url, text) => {
    image.src = url;
    image.alt = text;
    caption.textContent = text;
  };
  show(plain, photo.name);
  article.querySelector(".time").textContent =
    `${BACKENDS[backend]}: network ${found.milliseconds} ms, reading the photo ${found.prepareMilliseconds} ms`;
  article.dataset.milliseconds = found.milliseconds;
  const buttons = found.guesses.map((guess) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.style.setProperty("--share", guess.probability);
    button.dataset.class = guess.index;
    button.dataset.logit = guess.logit;
    for (const text of [label(guess), percent(guess.probability)]) {
      const span = document.createElement("span");
      span.textContent = text;
      button.append(span);
    }
    button.addEventListener("click", () => toggle(button, guess));
    return button;
  });
  const remove = article.querySelector(".remove");
  remove.setAttribute("aria-label", `Remove ${photo.name}`);
  remove.addEventListener("click", () => {
    article.remove();
    for (const url of [plain, ...buttons.map((button) => button.url)]) if (url) URL.revokeObjectURL(url);
    element("photos").focus();
  });
  for (const button of buttons) {
    const item = document.createElement("li");
    item.append(button);
    article.querySelector("ol").append(item);
  }

  /** Shows what speaks for a class, or the photo again. */
  async function toggle(button, guess) {
    const pressed = button.getAttribute("aria-pressed") === "true";
    for (const other of buttons) other.setAttribute("aria-pressed", "false");
    if (pressed) return show(plain, photo.name);
    button.setAttribute("aria-pressed", "true");
    caption.textContent = `Looking for what speaks for ${label(guess)} …`;
    try {
      clearError();
      button.url ??= URL.createObjectURL(await ask("explain", { photo, class: guess.index }));
      if (button.getAttribute("aria-pressed") === "true") {
        show(button.url, `${photo.name}: what speaks for ${label(guess)}, from violet to yellow`);
      }
    } catch (error) {
      button.setAttribute("aria-pressed", "false");
      show(plain, photo.name);
      showError(error);
    }
  }
  return article;
}

function addFiles(files) {
  for (const file of files) addPhoto(file, file.name);
}

element("photos").addEventListener("change", ({ target }) => {
  addFiles([...target.files]);
  target.value = "";
});
const drop = element("drop");
for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.remove("over");
  });
}
document.addEventListener("drop", ({ dataTransfer }) => addFiles([...dataTransfer.files]));

// The camera.

const video = element("video");
let shots = 0;

function cameraOff() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  element("viewfinder").hidden = true;
  element("camera").disabled = false;
}

element("camera").addEventListener("click", async () => {
  clearError();
  try {
    if (!navigator.mediaDevices) throw new Error("it needs a page from localhost, or by https");
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    element("viewfinder").hidden = false;
    element("camera").disabled = true;
    element("shoot").focus();
  } catch (error) {
    showError(new Error(`The camera can't be used: ${error.message}.`));
  }
});
element("camera-off").addEventListener("click", () => {
  cameraOff();
  element("camera").focus();
});
element("shoot").addEventListener("click", () => {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.convertToBlob({ type: "image/png" }).then((blob) => addPhoto(blob, `Photo ${++shots}`), showError);
});

loadNetwork();
