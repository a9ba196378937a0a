// What both kinds of page share: elements, controls, saving, keys, and the start. `makeEngine` is the engine's file's.

const model = JSON.parse(document.getElementById("model").textContent);
const LARGEST_SEED = 2 ** 31;
const HINTS = {
  truncation: "Lower: more typical, and less varied.",
  mix: "The form of one sample with the details of another, from this layer on.",
  category: "What this number stands for, the model has found by itself.",
  codes: "What these stand for, the model has found by itself.",
};

function say(text) {
  $("status").textContent = text;
}

/** Paint a picture on a canvas, enlarged without smoothing while it is small. */
function paint(canvas, { width, height, data }) {
  canvas.width = width;
  canvas.height = height;
  canvas.style.setProperty("--ratio", `${width} / ${height}`);
  canvas.classList.toggle("pixels", Math.max(width, height) <= 128);
  canvas.getContext("2d").putImageData(new ImageData(data, width, height), 0, 0);
}

function download(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  window.saved = { name, type: blob.type, size: blob.size };
  say(`Saved ${name}.`);
}

function savePicture(name) {
  $("hero").toBlob((blob) => download(blob, `${name}.png`), "image/png");
}

/** The name of the model as a file's. */
function stem() {
  return model.title.replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60) || "picture";
}

/** A word of a command as a shell takes it. */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Attributes that are 1 in a row, by their names as the recipe takes them; those with commas of their own are quoted. */
function attributesIn(row) {
  const plain = (name) => name && name === name.trim() && !/[,"]/.test(name);
  const named = model.attributes.filter((_, i) => row[i]);
  const said = named.map((name) => (plain(name) ? name : `"${name.replaceAll('"', '""')}"`)).join(",");
  return said === "none" ? '"none"' : said || "none";
}

/** The bytes of a part: within the page, base64 of gzip, or a file beside it. */
async function part(name) {
  const block = $(`part-${name}`);
  let packed;
  if (block) {
    packed = fromBase64(block.textContent.trim());
    block.remove();
  } else {
    const answer = await fetch(`${name}.gz`);
    if (!answer.ok) throw new Error(`${name}.gz is missing beside this page`);
    packed = new Uint8Array(await answer.arrayBuffer());
    if (packed[0] !== 0x1f) return packed; // the server has unpacked it
  }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const plain = atob(text), bytes = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i++) bytes[i] = plain.charCodeAt(i);
  return bytes;
}

/** Run the newest of several requests, one at a time: those that were overtaken are dropped. */
function latest(work) {
  let busy = false, waiting = null;
  return async function request(...given) {
    waiting = given;
    if (busy) return;
    busy = true;
    while (waiting) {
      const now = waiting;
      waiting = null;
      try {
        await work(...now);
      } catch (error) {
        fail(error);
      }
    }
    busy = false;
  };
}

function fail(error) {
  say(`It went wrong: ${error.message}`);
  window.failure = String(error.stack ?? error);
}

function field(title, control, { hint = "", output = null } = {}) {
  const top = element("label", { className: "top", htmlFor: control.id }, title, ...(output ? [output] : []));
  return element("div", { className: "field" }, top, control, ...(hint ? [element("p", { className: "hint" }, hint)] : []));
}

const spelt = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");

/** A slider whose right end, or left end, means that the control is left alone. */
function slider(control, { off, changed }) {
  const output = element("output", {}, "off"), step = control.type === "integer" ? 1 : 0.05;
  const [low, high] = off === "low" ? [control.low - step, control.high] : [control.low, control.high + step];
  const input = element("input", { type: "range", id: `control-${control.name}` });
  Object.assign(input, { min: low, max: high, step, value: off === "low" ? low : high });
  const value = () => {
    const now = Number(input.value);
    return now < control.low - 1e-9 || now > control.high + 1e-9 ? null : now;
  };
  const show = () => {
    output.textContent = value() === null ? "off" : String(value());
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { show(); changed(); });
  show();
  return { node: field(spelt(control.name), input, { hint: HINTS[control.name] ?? control.help, output }), value };
}

function chooser(control, { none, changed, titles }) {
  const select = element("select", { id: `control-${control.name}` });
  if (none) select.append(element("option", { value: "" }, none));
  titles.forEach(([value, title]) => select.append(element("option", { value }, title)));
  select.addEventListener("change", changed);
  const numeric = titles.every(([value]) => typeof value === "number");
  const value = () => (select.value === "" ? null : numeric ? Number(select.value) : select.value);
  return { node: field(spelt(control.name), select), value };
}

/** Boxes to tick for attributes, in force once "choose" is ticked. */
function attributes(control, { changed }) {
  const chosen = element("input", { type: "checkbox", id: `control-${control.name}` });
  const boxes = model.attributes.map(() => element("input", { type: "checkbox" }));
  const list = element("div", { className: "checks", hidden: true });
  boxes.forEach((box, i) => list.append(element("label", {}, box, model.attributes[i])));
  const show = () => { list.hidden = !chosen.checked; changed(); };
  chosen.addEventListener("change", show);
  boxes.forEach((box) => box.addEventListener("change", changed));
  const head = element("label", { className: "top" }, "Choose attributes", chosen);
  const value = () => (chosen.checked ? boxes.map((box) => Number(box.checked)) : null);
  return { node: element("fieldset", { className: "field" }, head, list), value };
}

/** Sliders of several numbers, in force once one is moved. */
function numbers(control, { changed }) {
  let moved = false;
  const inputs = Array.from({ length: control.count }, (_, i) => {
    const input = element("input", { type: "range", "aria-label": `${spelt(control.name)} ${i + 1}` });
    Object.assign(input, { min: control.low, max: control.high, step: 0.05, value: 0 });
    input.addEventListener("input", () => { moved = true; changed(); });
    return input;
  });
  const hint = element("p", { className: "hint" }, HINTS[control.name] ?? control.help);
  const node = element("fieldset", { className: "field" }, element("span", { className: "top" }, spelt(control.name)), ...inputs, hint);
  return { node, value: () => (moved ? inputs.map((input) => Number(input.value)) : null) };
}

/** Build the controls of the model; return a function that gives those that are chosen, by name. */
function buildControls(panel, changed) {
  const made = model.controls.map((control) => {
    switch (control.type) {
      case "label":
        if (model.attributes.length) return [control, attributes(control, { changed })];
        return [control, chooser(control, { none: "Any", changed, titles: model.classes.map((name, i) => [i, name]) })];
      case "choice":
        return [control, chooser(control, { changed, titles: control.choices.map((name) => [name, name]) })];
      case "numbers":
        return [control, numbers(control, { changed })];
      default:
        return [control, slider(control, { off: control.name === "truncation" ? "high" : "low", changed })];
    }
  });
  panel.append(...made.map(([, one]) => one.node));
  return () => {
    const chosen = made.map(([control, one]) => [control.name, one.value()]);
    return Object.fromEntries(chosen.filter(([, value]) => value !== null));
  };
}

function newSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] % LARGEST_SEED;
}

/** Let keys press buttons, except while something is typed. */
function keys(table) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const press = table[event.key.toLowerCase()];
    if (!press) return;
    event.preventDefault();
    press();
  });
}

function fullScreen() {
  const frame = $("hero-frame");
  if (document.fullscreenElement) document.exitFullscreen();
  else frame.requestFullscreen?.().catch(() => say("This browser does not allow full screen here."));
}

async function start(build) {
  try {
    const began = performance.now(), engine = await makeEngine(model, part);
    await engine.describe();
    window.engine = engine;
    await build(engine);
    if ($("ageing")) buildAgeing(engine);
    $("main").removeAttribute("aria-busy");
    for (const button of document.querySelectorAll(".actions button")) button.disabled = false;
    window.ready = { milliseconds: performance.now() - began, sinceOpened: performance.now() };
  } catch (error) {
    const folder = location.protocol === "file:" && !$("part-model") && model.folder;
    fail(folder ? new Error("a page of several files needs a server, such as: python -m http.server") : error);
  }
}
