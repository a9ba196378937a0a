// The engine of a page that asks the server it came from: every picture is made there.

const WHERE = "on the server", STAYS = "It is sent to the server and not kept there.";

async function makeEngine(model) {
  const api = document.body.dataset.api, most = Number(document.body.dataset.most); // samples of a request

  async function ask(path, body, headers = {}) {
    const answer = await fetch(api + path, { method: "POST", headers, body });
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    throw new Error(said.detail ?? `the server answered ${answer.status}`);
  }

  async function askJson(path, body) {
    return (await ask(path, JSON.stringify(body), { "Content-Type": "application/json" })).json();
  }

  /** Pixels of a PNG: {width, height, data} with RGBA. */
  async function pixels(blob) {
    const image = await createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
    const sheet = element("canvas", { width: image.width, height: image.height });
    const context = sheet.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return { width: image.width, height: image.height, data: context.getImageData(0, 0, image.width, image.height).data };
  }

  function png({ width, height, data }) {
    const sheet = element("canvas", { width, height });
    sheet.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
    return new Promise((done) => sheet.toBlob(done, "image/png"));
  }

  /** Controls as the recipe takes them. */
  function controlsOf({ seed, label, ...others }) {
    return label === undefined ? others : { ...others, label: Array.isArray(label) ? attributesIn(label) : label };
  }

  function decoded(images) {
    return Promise.all(images.map((one) => pixels(new Blob([fromBase64(one.png)], { type: "image/png" }))));
  }

  async function samples(many, body) {
    const made = [];
    for (let start = 0; start < many.length; start += most) {
      const { images } = await askJson("/samples", { ...body(start, start + most), format: "json" });
      made.push(...(await decoded(images)));
    }
    return made;
  }

  return {
    most,
    async describe() {
      return model;
    },
    async latents({ seeds, controls = {} }) {
      const { latents } = await askJson("/latents", { seeds, controls: controlsOf(controls) });
      return latents.map((one) => Float32Array.from(one));
    },
    async sample({ seeds, controls = {} }) {
      return samples(seeds, (from, to) => ({ seeds: seeds.slice(from, to), controls: controlsOf(controls) }));
    },
    async decode({ latents, controls = {} }) {
      const seeds = [controls.seed ?? 0], chosen = controlsOf(controls);
      return samples(latents, (from, to) => ({
        latents: latents.slice(from, to).map((one) => Array.from(one)), seeds, controls: chosen,
      }));
    },
    async paint(asked) {
      const { images } = await askJson("/paint", { ...asked, format: "json" });
      const unknown = JSON.parse(images[0].unknown ?? "[]");
      return { pictures: await decoded(images), unknown };
    },
    async age({ picture, to, from, iterations }) {
      const query = new URLSearchParams({ to, iterations, ...(from ? { from } : {}) });
      const answer = await ask(`/age?${query}`, picture, { "Content-Type": picture.type || "application/octet-stream" });
      return { fit: answer.headers.get("X-Zerosum-Fit"), picture: await pixels(await answer.blob()) };
    },
    async transform({ picture, mask, controls = {} }) {
      const query = new URLSearchParams({ ...controlsOf(controls), seed: controls.seed ?? 0 });
      const form = new FormData();
      form.append("image", await png(picture), "image.png");
      if (mask) {
        const data = new Uint8ClampedArray(4 * mask.length);
        mask.forEach((hole, place) => data.set(hole ? [255, 255, 255, 255] : [0, 0, 0, 255], 4 * place));
        form.append("mask", await png({ ...picture, data }), "mask.png");
      }
      return pixels(await (await ask(`/translate?${query}`, form)).blob());
    },
  };
}
