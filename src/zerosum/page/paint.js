// The page of a model that paints what a text says: a line to write in, a large picture, and others of the same text.

async function buildPainter(engine) {
  const panel = $("panel"), hero = $("hero"), gallery = $("gallery"), text = $("text");
  const shown = Math.min(SHOWN, engine.most ?? SHOWN);
  let seed = newSeed(), pictures = [], place = 0, painted = "";

  const number = element("input", { type: "number", id: "seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 });
  const typed = element("code", { id: "command" });
  const jump = element("button", { type: "button" }, "Show");
  panel.append(element("div", { className: "field" },
    element("label", { className: "top", htmlFor: "seed" }, "Seed"),
    element("div", { className: "line" }, number, jump),
    element("p", { className: "hint" }, "The same text and seed are the same pictures, here and in Python.")));
  if (model.examples.length) {
    const chips = element("div", { className: "chips" }, ...model.examples.map((said) => {
      const chip = element("button", { type: "button" }, said);
      chip.addEventListener("click", () => { text.value = said; draw(); });
      return chip;
    }));
    panel.append(element("div", { className: "field" }, element("span", { className: "top" }, "Captions of the training"), chips));
  }
  if (model.run) panel.append(element("div", { className: "field" }, element("span", { className: "top" }, "In a terminal"), typed));

  function put(one) {
    place = one;
    paint(hero, pictures[place]);
    hero.setAttribute("aria-label", `${painted}, picture ${place + 1} of ${pictures.length}`);
    [...gallery.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === place)));
    window.shown = { text: painted, seed, place, picture: pictures[place] };
    window.first ??= performance.now();
  }

  const draw = latest(async () => {
    const asked = text.value.trim();
    if (!asked) return say("Write what to paint.");
    say("Painting ...");
    const began = performance.now(), made = await engine.paint({ text: asked, n: shown, seed });
    [pictures, painted, number.value] = [made.pictures, asked, seed];
    gallery.replaceChildren(...pictures.map((picture, i) => {
      const canvas = element("canvas", {}), button = element("button", { type: "button", "aria-label": `Picture ${i + 1}` }, canvas);
      paint(canvas, picture);
      button.addEventListener("click", () => put(i));
      return button;
    }));
    put(0);
    const words = ["zerosum paint", quoted(model.run), `-n ${shown}`, `--seed ${seed}`].map((one) => element("span", {}, one));
    typed.replaceChildren(words[0], " ", words[1], ` ${quoted(asked)} `, words[2], " ", words[3]);
    const unknown = made.unknown.length ? ` No caption of the training has: ${made.unknown.join(", ")}.` : "";
    say(`${pictures.length} pictures in ${Math.round(performance.now() - began)} ms, computed ${WHERE}.${unknown}`);
  });

  const again = () => { seed = newSeed(); return draw(); };
  const step = (by) => { if (pictures.length) put((place + by + pictures.length) % pictures.length); };
  const save = () => savePicture(`${stem()}-${seed}-${place + 1}`);
  const show = () => {
    const wanted = Number(number.value || NaN);
    if (!Number.isSafeInteger(wanted) || wanted < 0) return say("A seed is a whole number from 0 on.");
    seed = wanted;
    return draw();
  };
  $("ask").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
  panel.addEventListener("submit", (event) => { event.preventDefault(); show(); });
  jump.addEventListener("click", show);
  for (const [id, act] of Object.entries({ fresh: again, save, full: fullScreen })) $(id).addEventListener("click", act);
  keys({ n: again, s: save, f: fullScreen, arrowright: () => step(1), arrowleft: () => step(-1) });
  [text.value] = [...model.examples, ""];
  if (text.value) await draw();
  else say("Write what to paint.");
}
