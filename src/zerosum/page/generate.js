// The page of a generator: a large picture, more of them, and what can be changed.

const SHOWN = 16, SLIDERS = 8, CORNERS = 5, FRAMES = 12;

async function buildGenerator(engine) {
  const panel = $("panel"), hero = $("hero"), gallery = $("gallery");
  let seeds = [], seed = newSeed(), latent = null, edited = false, walking = false;

  const number = element("input", { type: "number", id: "seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 });
  const show = element("button", { type: "button" }, "Show");
  const typed = element("code", { id: "command" });
  panel.append(element("div", { className: "field" },
    element("label", { className: "top", htmlFor: "seed" }, "Seed"),
    element("div", { className: "line" }, number, show),
    element("p", { className: "hint" }, "The same seed is the same picture, here and in Python.")));
  const controls = buildControls(panel, () => { edited = false; all(); });
  const sliders = buildSliders(panel);
  if (model.run) panel.append(element("div", { className: "field" }, element("span", { className: "top" }, "In a terminal"), typed));

  const chosen = () => ({ ...controls(), seed });

  function command() {
    const flags = Object.entries(controls()).map(([name, value]) => {
      const said = word(name, value);
      return name === "label" && /^'?-/.test(said) ? `--label=${said}` : `--${name} ${said}`; // no flag of its own
    });
    const words = ["zerosum sample", quoted(model.run), "-n 1", `--seed ${seed}`, ...flags];
    if (edited) typed.textContent = "Moved by hand: no seed gives it.";
    else typed.replaceChildren(...words.flatMap((one) => [element("span", {}, one), " "]));
  }

  function word(name, value) {
    if (name !== "label") return Array.isArray(value) ? value.join(" ") : String(value);
    return quoted(model.attributes.length ? attributesIn(value) : model.classes[value]);
  }

  function put(picture, title) {
    paint(hero, picture);
    hero.setAttribute("aria-label", title);
    window.shown = { seed, edited, picture };
    window.first ??= performance.now();
  }

  /** Draw the large picture anew: at its latent where that was moved, else by its seed. */
  const large = latest(async () => {
    const [picture] = edited
      ? await engine.decode({ latents: [latent], controls: chosen() })
      : await engine.sample({ seeds: [seed], controls: controls() });
    if (!edited) {
      [latent] = await engine.latents({ seeds: [seed], controls: controls() });
      sliders.set(latent);
    }
    number.value = seed;
    put(picture, edited ? "A sample at a latent that was moved" : `The sample of seed ${seed}`);
    command();
    for (const button of gallery.children) button.setAttribute("aria-pressed", String(!edited && Number(button.dataset.seed) === seed));
  });

  const others = latest(async () => {
    const began = performance.now(), pictures = await engine.sample({ seeds, controls: controls() });
    const buttons = pictures.map((picture, i) => {
      const canvas = element("canvas", {}), button = element("button", { type: "button", "aria-label": `Sample of seed ${seeds[i]}`, "aria-pressed": String(seeds[i] === seed) }, canvas);
      button.dataset.seed = seeds[i];
      paint(canvas, picture);
      button.addEventListener("click", () => select(seeds[i]));
      return button;
    });
    const focused = [...gallery.children].indexOf(document.activeElement);
    gallery.replaceChildren(...buttons);
    buttons[focused]?.focus();
    say(`${pictures.length} pictures in ${Math.round(performance.now() - began)} ms, computed ${WHERE}.`);
  });

  async function all() {
    await large();
    await others();
  }

  function select(one) {
    stop();
    [seed, edited] = [one, false];
    large();
  }

  function fresh() {
    stop();
    seeds = Array.from({ length: SHOWN }, newSeed);
    [seed, edited] = [seeds[0], false];
    return all();
  }

  function step(by) {
    const place = seeds.indexOf(seed);
    select(seeds[(place + by + SHOWN) % SHOWN]);
  }

  function buildSliders(where) {
    if (model.prior.law === "unknown") return { set() {} };
    const list = element("div", { className: "sliders" }), inputs = [];
    const more = element("button", { type: "button" }, "More values");
    const back = element("button", { type: "button" }, "Put back");
    const add = () => {
      const end = Math.min(model.latent_dim, inputs.length + SLIDERS);
      for (let i = inputs.length; i < end; i++) {
        const input = element("input", { type: "range", id: `latent-${i}` });
        Object.assign(input, { min: -3, max: 3, step: 0.01, value: latent?.[i] ?? 0 });
        input.addEventListener("input", () => {
          stop();
          latent = Float32Array.from(latent);
          latent[i] = Number(input.value);
          edited = true;
          large();
        });
        inputs.push(input);
        list.append(element("label", { htmlFor: input.id }, String(i + 1)), input);
      }
      more.hidden = end === model.latent_dim;
    };
    more.addEventListener("click", add);
    back.addEventListener("click", () => select(seed));
    add();
    where.append(element("details", {}, element("summary", {}, `The ${model.latent_dim} numbers behind it`), list,
      element("div", { className: "line" }, more, back)));
    return { set: (values) => inputs.forEach((input, i) => { input.value = values[i]; }) };
  }

  async function corners() {
    const place = Math.max(0, seeds.indexOf(seed));
    const among = Array.from({ length: CORNERS }, (_, i) => (i ? seeds[(place + i) % SHOWN] : seed));
    const found = await engine.latents({ seeds: among, controls: controls() });
    found[0] = latent ?? found[0];
    return found;
  }

  const along = (path, share) => {
    const position = share * path.length, leg = Math.floor(position) % path.length;
    return between(model, path[leg], path[(leg + 1) % path.length], position - Math.floor(position));
  };

  function stop() {
    walking = false;
    $("walk").setAttribute("aria-pressed", "false");
  }

  async function walk() {
    if (walking) return stop();
    walking = true;
    $("walk").setAttribute("aria-pressed", "true");
    try {
      const path = await corners(), now = chosen(), began = performance.now();
      window.frames_shown = 0;
      while (walking) {
        const share = ((performance.now() - began) / (2500 * CORNERS)) % 1;
        const [picture] = await engine.decode({ latents: [along(path, share)], controls: now });
        if (!walking) break;
        put(picture, "A walk from sample to sample");
        window.frames_shown += 1;
        await new Promise((next) => requestAnimationFrame(next));
      }
    } catch (error) {
      stop();
      return fail(error);
    }
    return large();
  }

  async function film() {
    say("Making the film ...");
    const path = await corners(), count = CORNERS * FRAMES, now = chosen(), frames = [];
    for (let i = 0; i < count; i += 4) {
      const latents = Array.from({ length: Math.min(4, count - i) }, (_, j) => along(path, (i + j) / count));
      frames.push(...(await engine.decode({ latents, controls: now })));
      say(`Making the film: ${frames.length} of ${count} frames`);
      await new Promise((next) => setTimeout(next));
    }
    const scale = Math.max(1, Math.floor(256 / Math.max(frames[0].width, frames[0].height)));
    const bytes = encodeGif(frames, { milliseconds: 80, scale });
    window.film = bytes;
    download(new Blob([bytes], { type: "image/gif" }), `${stem()}-walk-${seed}.gif`);
  }

  const jump = () => {
    const typedSeed = Math.floor(Number(number.value || NaN));
    if (!(typedSeed >= 0 && typedSeed <= Number.MAX_SAFE_INTEGER)) return say("A seed is a whole number from 0 on.");
    return select(typedSeed);
  };
  show.addEventListener("click", jump);
  panel.addEventListener("submit", (event) => { event.preventDefault(); jump(); });
  const save = () => savePicture(`${stem()}-${edited ? "moved" : seed}`);
  for (const [id, act] of Object.entries({ fresh, walk, save, film: () => film().catch(fail), full: fullScreen })) $(id).addEventListener("click", act);
  keys({ n: fresh, w: walk, s: save, g: () => film().catch(fail), f: fullScreen, arrowright: () => step(1), arrowleft: () => step(-1) });
  await fresh();
}
