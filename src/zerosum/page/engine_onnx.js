// The engine of a page that computes in the visitor's browser: onnxruntime-web on WebAssembly. Nothing is sent.

const WHERE = "on this device", STAYS = "It stays on this device.";

/**
 * Make the engine. `part(name)` resolves to the bytes of a part of the page: "script" and "binary" are the runtime,
 * "model" the generator, or "model-CHOICE" for each choice of a recipe with several networks.
 */
async function makeEngine(model, part) {
  const [script, binary] = await Promise.all([part("script"), part("binary")]);
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const ort = await import(address);
  URL.revokeObjectURL(address);
  ort.env.wasm.wasmBinary = binary;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const sessions = new Map();

  async function session(choice) {
    const name = choice ? `model-${choice}` : "model";
    if (!sessions.has(name)) {
      const bytes = await part(name);
      sessions.set(name, await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] }));
    }
    return sessions.get(name);
  }

  const float = (values, dims) => new ort.Tensor("float32", values, dims);

  async function run(engine, feeds) {
    const known = Object.fromEntries(engine.inputNames.map((name) => [name, feeds[name]]));
    const made = await engine.run(known);
    return Object.values(made)[0];
  }

  function pictures(tensor) {
    const [count, channels, height, width] = tensor.dims, size = height * width, values = tensor.data;
    return Array.from({ length: count }, (_, n) => {
      const data = new Uint8ClampedArray(4 * size).fill(255);
      for (let c = 0; c < channels; c++) {
        const offset = (n * channels + c) * size, alpha = c === 3 || (channels === 2 && c === 1);
        for (let i = 0; i < size; i++) {
          const level = Math.round((values[offset + i] + 1) * 127.5);
          if (alpha) data[4 * i + 3] = level;
          else if (channels < 3) data[4 * i] = data[4 * i + 1] = data[4 * i + 2] = level;
          else data[4 * i + c] = level;
        }
      }
      return { width, height, data };
    });
  }

  /** Labels of rows: the one that is chosen, or each one drawn by its seed. */
  function labels(seeds, controls) {
    const rows = seeds.map((seed) => controls.label ?? labelOf(model, seed));
    const flat = BigInt64Array.from(rows.flat(), (value) => BigInt(value));
    const dims = model.attributes.length ? [rows.length, model.attributes.length] : [rows.length];
    return new ort.Tensor("int64", flat, dims);
  }

  async function generate(latents, besides, seeds, controls) {
    const size = model.latent_dim, made = [], engine = await session("");
    for (let start = 0; start < latents.length; start += CHUNK) {
      const rows = latents.slice(start, start + CHUNK), stacked = new Float32Array(rows.length * size);
      rows.forEach((row, n) => stacked.set(row, n * size));
      const feeds = { latent: float(stacked, [rows.length, size]) };
      if (model.takes_labels) feeds.labels = labels(seeds.slice(start, start + CHUNK), controls);
      if (model.layers !== null) {
        const other = new Float32Array(rows.length * size);
        rows.forEach((row, n) => other.set(besides[start + n] ?? row, n * size));
        feeds.beside = float(other, [rows.length, size]);
        feeds.mix = float([controls.mix ?? model.layers], []);
        feeds.truncation = float([controls.truncation ?? 1], []);
      }
      made.push(...pictures(await run(engine, feeds)));
    }
    return made;
  }

  function planes(picture, channels) {
    const size = picture.width * picture.height, values = new Float32Array(channels * size), { data } = picture;
    for (let i = 0; i < size; i++) {
      const [r, g, b, a] = data.subarray(4 * i, 4 * i + 4);
      const gray = (299 * r + 587 * g + 114 * b) / 1000;
      const bands = channels < 3 ? [gray, a] : [r, g, b, a];
      for (let c = 0; c < channels; c++) values[c * size + i] = bands[c] / 127.5 - 1;
    }
    return float(values, [1, channels, picture.height, picture.width]);
  }

  return {
    async describe() {
      await session(model.choices[0]);
      return model;
    },
    async latents({ seeds, controls = {} }) {
      return seeds.map((seed) => latentOf(model, seed, controls).latent);
    },
    async sample({ seeds, controls = {} }) {
      const drawn = seeds.map((seed) => latentOf(model, seed, controls));
      return generate(drawn.map((one) => one.latent), drawn.map((one) => one.beside), seeds, controls);
    },
    async decode({ latents, controls = {} }) {
      const seed = controls.seed ?? 0, { beside } = model.layers === null ? {} : latentOf(model, seed, controls);
      return generate(latents, latents.map(() => beside), latents.map(() => seed), controls);
    },
    async paint({ text, n, seed }) {
      const { numbers, unknown } = readWords(model.text, text), twister = new Twister(derived(seed, "samples"));
      const engine = await session(""), made = [], length = Math.max(1, numbers.length), words = new BigInt64Array(CHUNK * length);
      for (let row = 0; row < CHUNK; row++) words.set(numbers.map(BigInt), row * length);
      while (made.length < n) {
        const feeds = { words: new ort.Tensor("int64", words, [CHUNK, length]) };
        for (const [name, width] of model.text.noise) feeds[name] = float(twister.normal(CHUNK * width), [CHUNK, width]);
        made.push(...pictures(await run(engine, feeds)));
      }
      return { pictures: made.slice(0, n), unknown };
    },
    async transform({ picture, mask, controls = {} }) {
      const choices = model.controls.filter(({ type }) => type === "choice");
      const engine = await session(choices.map(({ name, choices: all }) => controls[name] ?? all[0]).join("-"));
      const shape = model.source_shape ?? model.shape, source = planes(picture, shape[0]), feeds = { source, image: source };
      if (mask) feeds.mask = float(Float32Array.from(mask), [1, 1, picture.height, picture.width]);
      const twister = new Twister(derived(controls.seed ?? 0, "translations"));
      for (const { name, shape: size, kept } of model.noise) {
        const values = Float32Array.from({ length: size.reduce((a, b) => a * b, 1) }, () => (twister.single() < kept ? 1 / kept : 0));
        feeds[name] = float(values, [1, ...size]);
      }
      return pictures(await run(engine, feeds))[0];
    },
  };
}
