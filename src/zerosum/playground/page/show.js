// What is measured, in words and curves; and the small machinery of the page: legend, keys, drawing, copying.

const LEGEND = {
  real: ["Real", "--real", "M8 4a4 4 0 1 0 .01 0z", true],
  fake: ["Generated", "--fake", "M3 3 13 13M13 3 3 13", false],
  pulls: ["Gradients", "--ink", "M2 13 13 3M7 3h6v6", false],
  map: ["Discriminator's map", "--real", "M1 1h14v14H1z", true],
};

function buildLegend(list, shown, changed) {
  for (const [name, [title, tone, path, full]] of Object.entries(LEGEND)) {
    const box = element("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => { shown[name] = box.checked; changed(); });
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const shape = document.createElementNS(svg.namespaceURI, "path");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    shape.setAttribute("d", path);
    shape.setAttribute("fill", full ? `var(${tone})` : "none");
    shape.setAttribute("stroke", full ? "none" : `var(${tone})`);
    shape.setAttribute("stroke-width", "2.2");
    if (name === "map") shape.setAttribute("opacity", "0.4");
    svg.append(shape);
    list.append(element("li", {}, element("label", {}, box, svg, element("span", {}, title))));
  }
}

function showMeasures(session) {
  const { measured, curves, game } = session, row = curves.at(-1), probable = game.objective.family === "logistic";
  const perfect = measured.perfect, counted = measured.found !== undefined;
  const figures = [
    ["Round", session.round.toLocaleString("en"), `of ${session.settings.rounds.toLocaleString("en")}`],
    counted ? ["Modes found", `${measured.found} of ${measured.hits.length}`, `perfect sampler ${short(perfect.found)}`]
      : ["Data reached", percent(measured.covered), `perfect sampler ${percent(perfect.covered)}`],
    [counted ? "High quality" : "Near the data", percent(measured.share), `perfect sampler ${percent(perfect.share)}`],
    ["Spread", percent(measured.spread), "of real samples' 100 %"],
  ];
  $("figures").replaceChildren(...figures.map(([title, value, note]) =>
    element("div", {}, element("dt", {}, title), element("dd", {}, value, element("small", {}, note)))));
  showFindings(session);
  const key = probable ? ["D(real)", "D(fake)"] : ["logit of real", "logit of fake"];
  chart($("losses"), curves, [
    { key: "discriminator", title: "discriminator", tone: "--real", dash: [] },
    { key: "generator", title: "generator", tone: "--fake", dash: [6, 3] },
  ]);
  chart($("answers"), curves, [
    { key: "real", title: key[0], tone: "--real", dash: [] }, { key: "fake", title: key[1], tone: "--fake", dash: [6, 3] },
  ], probable ? 0.5 : null);
  const name = (id, text) => $(id).setAttribute("aria-label", text);
  if (row) {
    const { round, discriminator, generator, real, fake } = row;
    name("losses", `Losses in round ${round}: discriminator ${short(discriminator)}, generator ${short(generator)}`);
    name("answers", `Discriminator's answers in round ${round}: ${key[0]} ${short(real)}, ${key[1]} ${short(fake)}`);
  }
  const words = figures.slice(1).map(([title, value]) => `${title} ${value}`).join(", ");
  name("plane", `Round ${session.round}: real and generated samples in the plane. ${words}.`);
}

let said = "";
function showFindings(session) {
  const { findings, round, facts: { rounds } } = session, warm = Math.min(1000, Math.max(200, rounds / 10));
  const early = round <= warm + 3 * LOOK;
  const texts = findings.map((one) => JSON.stringify([one.sign, one.title, one.severity])).join() + (findings.length ? "" : early);
  if (texts === said) return;
  said = texts;
  const rank = (text) => element("span", { className: "rank" }, text);
  const items = findings.map(({ severity, title, since, value, threshold }) =>
    element("li", { className: severity }, rank(severity === "critical" ? "Critical" : "Warning"), element("strong", {}, title),
      `Since round ${since.toLocaleString("en")}: ${short(value)}, threshold ${short(threshold)}.`));
  const none = early
    ? element("li", { className: "early" }, rank("Too early to say"), ` Signs are read from round ${warm + 3 * LOOK} on.`)
    : element("li", {}, rank("No signs of failure"), " By the thresholds of zerosum doctor.");
  $("findings").replaceChildren(...(items.length ? items : [none]));
}

/** Keys that press buttons, unless something that takes keys itself has the focus. */
function bindKeys(table) {
  addEventListener("keydown", (event) => {
    const target = event.target, typing = target.closest?.("input, select, textarea, summary");
    const pressing = event.key === " " && target.closest?.("button, a, label");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || pressing || !table[event.key.toLowerCase()]) return;
    event.preventDefault();
    table[event.key.toLowerCase()].click();
  });
}

/** Draw the data with a pointer, or with the arrow keys and Enter. */
function bindDrawing(app) {
  const canvas = app.plane.canvas, active = () => app.settings.data === "drawn";
  let stroke = false;
  const put = ([x, y]) => {
    if (app.drawn.length >= MOST_DRAWN || Math.abs(x) > 1.6 || Math.abs(y) > 1.6) return;
    app.drawn = [...app.drawn, [fromCell(toCell(x)), fromCell(toCell(y))]];
    const { context, width } = { context: canvas.getContext("2d"), width: canvas.clientWidth };
    context.fillStyle = colour("--real");
    context.beginPath();
    context.arc(((x / 1.6 + 1) / 2) * width, ((1 - y / 1.6) / 2) * width, 4, 0, 7);
    context.fill();
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!active()) return;
    canvas.setPointerCapture(event.pointerId);
    app.setPlaying(false);
    stroke = true;
    put(app.plane.placeOf(event));
  });
  canvas.addEventListener("pointermove", (event) => { if (stroke) put(app.plane.placeOf(event)); });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => { if (stroke) { stroke = false; app.restart(); } });
  }
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    if (!active() || (!moves[event.key] && event.key !== "Enter")) return;
    event.preventDefault();
    const cursor = app.plane.cursor ?? [0, 0];
    if (event.key === "Enter") {
      put(cursor);
      app.restart();
    }
    const [dx, dy] = moves[event.key] ?? [0, 0];
    app.plane.cursor = [cursor[0] + dx, cursor[1] + dy].map((x) => Math.min(1.5, Math.max(-1.5, x)));
    app.paint(false);
  });
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", { value: text, readOnly: true });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  app.say(done);
}
