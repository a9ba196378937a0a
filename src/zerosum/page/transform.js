// The page of a model that makes pictures from pictures: the visitor's own one, or a pattern.

const WIDEST = 256; // of a source of free size, in pixels: more would take minutes

async function buildTransformer(engine) {
  const panel = $("panel"), canvas = $("source"), input = $("file"), shape = model.source_shape ?? model.shape;
  const holes = model.task === "inpaint";
  let picture = null, mask = null, seed = 0, brush = null;

  const controls = buildControls(panel, () => go());
  if (holes) brush = buildBrush();
  const size = holes || model.task === "translate" ? `${shape[2]} x ${shape[1]}` : `up to ${WIDEST} x ${WIDEST}`;
  panel.append(element("p", { className: "hint" },
    `The model takes pictures of ${size} pixels; yours is scaled to that here. ${STAYS}`));

  /** Sides that the network takes of a picture. */
  function fitted(width, height) {
    if (model.task !== "upscale") return [shape[2], shape[1]];
    const scale = Math.min(1, WIDEST / Math.max(width, height)), multiple = model.size_multiple ?? 1;
    return [width, height].map((side) => Math.max(multiple, multiple * Math.round((side * scale) / multiple)));
  }

  function take(image, width, height) {
    const [w, h] = fitted(width, height), sheet = element("canvas", { width: w, height: h });
    const context = sheet.getContext("2d", { willReadFrequently: true });
    if (shape[0] === 1 || shape[0] === 3) {
      context.fillStyle = "white";
      context.fillRect(0, 0, w, h);
    }
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, w, h);
    picture = { width: w, height: h, data: context.getImageData(0, 0, w, h).data };
    mask = holes ? new Uint8Array(w * h) : null;
    if (holes) middle();
    return go();
  }

  async function open(file) {
    if (!file) return;
    try {
      const image = await createImageBitmap(file);
      await take(image, image.width, image.height);
    } catch {
      say(`${file.name} cannot be read as a picture: choose a PNG, a JPEG or a WebP.`);
    }
  }

  /** A pattern of rings and bars to try the model on, another one each time. */
  function pattern() {
    const width = model.task === "upscale" ? Math.min(96, shape[2] * 2) : shape[2], height = model.task === "upscale" ? Math.min(96, shape[1] * 2) : shape[1];
    const sheet = element("canvas", { width, height }), context = sheet.getContext("2d"), random = () => newSeed() / LARGEST_SEED;
    context.fillStyle = `hsl(${360 * random()} 40% 82%)`;
    context.fillRect(0, 0, width, height);
    for (let i = 0; i < 9; i++) {
      context.fillStyle = `hsl(${360 * random()} 65% ${30 + 40 * random()}%)`;
      context.beginPath();
      if (i % 2) context.arc(width * random(), height * random(), (0.08 + 0.2 * random()) * width, 0, 7);
      else context.rect(width * random(), height * random(), 0.4 * width * random(), 0.4 * height * random());
      context.fill();
    }
    return take(sheet, width, height);
  }

  function drawSource() {
    const data = new Uint8ClampedArray(picture.data);
    mask?.forEach((hole, i) => {
      const stripe = ((i % picture.width) + Math.floor(i / picture.width)) & 2;
      if (hole) data.set(stripe ? [236, 72, 120, 255] : [255, 236, 242, 255], 4 * i);
    });
    paint(canvas, { ...picture, data });
    canvas.setAttribute("aria-label", holes ? "Your picture, what to fill in pink stripes" : "Your picture");
  }

  const go = latest(async () => {
    if (!picture) return;
    drawSource();
    if (mask && !mask.some(Boolean)) return say("Paint over what is to be filled.");
    say("Computing ...");
    await new Promise((next) => setTimeout(next, 20));
    const began = performance.now(), made = await engine.transform({ picture, mask, controls: { ...controls(), seed } });
    paint($("hero"), made);
    window.shown = { picture: made, source: picture, mask };
    say(`${made.width} x ${made.height} pixels in ${Math.round(performance.now() - began)} ms, computed ${WHERE}.`);
  });

  function middle() {
    const { width, height } = picture;
    mask = mask.map((_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      return Number(x >= width / 4 && x < (3 * width) / 4 && y >= height / 4 && y < (3 * height) / 4);
    });
  }

  function buildBrush() {
    const radius = element("input", { type: "range", id: "brush", min: 1, max: Math.ceil(shape[2] / 4), step: 1, value: Math.max(1, Math.round(shape[2] / 12)) });
    const clear = element("button", { type: "button" }, "Clear"), centre = element("button", { type: "button" }, "The middle");
    clear.addEventListener("click", () => { mask?.fill(0); go(); });
    centre.addEventListener("click", () => { if (picture) { middle(); go(); } });
    panel.append(field("Brush", radius, { hint: "Paint over what is to be filled. By keyboard: arrows move the brush on the picture, Space paints." }),
      element("div", { className: "line" }, clear, centre));
    let at = [shape[2] / 2, shape[1] / 2], down = false;
    const dab = () => {
      if (!picture) return;
      const r = Number(radius.value);
      for (let y = Math.floor(at[1] - r); y <= at[1] + r; y++) {
        for (let x = Math.floor(at[0] - r); x <= at[0] + r; x++) {
          const inside = x >= 0 && y >= 0 && x < picture.width && y < picture.height;
          if (inside && (x + 0.5 - at[0]) ** 2 + (y + 0.5 - at[1]) ** 2 <= r * r) mask[y * picture.width + x] = 1;
        }
      }
      drawSource();
      cursor();
    };
    const cursor = () => {
      const context = canvas.getContext("2d");
      context.strokeStyle = "#ffffff";
      context.lineWidth = Math.max(0.5, picture.width / 120);
      context.beginPath();
      context.arc(at[0], at[1], Number(radius.value), 0, 7);
      context.stroke();
    };
    const follow = (event) => {
      const box = canvas.getBoundingClientRect(), ratio = picture.width / picture.height;
      const [w, h] = box.width / box.height > ratio ? [box.height * ratio, box.height] : [box.width, box.width / ratio];
      const x = event.clientX - box.left - (box.width - w) / 2, y = event.clientY - box.top - (box.height - h) / 2;
      at = [(x / w) * picture.width, (y / h) * picture.height];
      dab();
    };
    canvas.addEventListener("pointerdown", (event) => { if (picture) { down = true; canvas.setPointerCapture(event.pointerId); follow(event); } });
    canvas.addEventListener("pointermove", (event) => { if (down) follow(event); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { if (down) { down = false; go(); } });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!picture || (!step && event.key !== " ")) return;
      event.preventDefault();
      if (!step) { dab(); go(); return; }
      at = at.map((value, i) => Math.min(i ? picture.height : picture.width, Math.max(0, value + step[i] * Math.max(1, shape[2] / 32))));
      drawSource();
      cursor();
    });
    return radius;
  }

  const again = () => { seed += 1; go(); }, save = () => savePicture(`${stem()}-result`);
  const choose = () => input.click();
  input.addEventListener("change", () => { open(input.files[0]); input.value = ""; });
  const drop = $("drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); open(event.dataTransfer.files[0]); });
  document.addEventListener("paste", (event) => open([...event.clipboardData.files][0]));
  panel.addEventListener("submit", (event) => event.preventDefault());
  for (const [id, act] of Object.entries({ choose, pattern, go: again, save, full: fullScreen })) $(id)?.addEventListener("click", act);
  keys({ ...($("go") ? { r: again } : {}), s: save, f: fullScreen });
  window.transformer = { take, open, setMask: (given) => { mask = given; return go(); } };
  await pattern();
}
