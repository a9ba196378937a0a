// The plane: the discriminator as a map of colours, real and generated samples, and where the generator's loss pulls.

const CELLS_ACROSS = 40, SHOWN = 300, ARROWS = 70;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Make a canvas as sharp as the screen; return its context in CSS pixels, and its size. */
function sharp(canvas) {
  const scale = Math.min(window.devicePixelRatio || 1, 3), { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

class Plane {
  constructor(canvas) {
    this.canvas = canvas;
    this.shown = { map: true, real: true, fake: true, pulls: true };
    this.map = element("canvas", { width: CELLS_ACROSS, height: CELLS_ACROSS });
    this.cursor = null;
  }

  /** Paint a session; the map is computed anew only with `fresh`, for it costs as much as a few rounds. */
  paint(session, fresh) {
    const { context, width } = sharp(this.canvas), half = halfWidth(session.settings.data);
    this.half = half;
    const at = (x) => ((x / half + 1) / 2) * width;
    const pixel = (points, i) => [at(points[2 * i]), width - at(points[2 * i + 1])];
    if (this.shown.map) {
      if (fresh) this.paintMap(session, half);
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "high";
      context.drawImage(this.map, 0, 0, width, width);
    }
    this.paintGrid(context, at, width, half);
    const samples = session.samples(SHOWN);
    if (this.shown.real) this.paintReal(context, (i) => pixel(session.real, i));
    if (this.shown.pulls) this.paintPulls(context, session, samples, pixel, width, half);
    if (this.shown.fake) this.paintFake(context, (i) => pixel(samples, i));
    if (this.cursor) this.paintCursor(context, at, width);
  }

  paintMap(session, half) {
    const places = new Float64Array(2 * CELLS_ACROSS ** 2);
    for (let i = 0; i < CELLS_ACROSS ** 2; i++) {
      places[2 * i] = (((i % CELLS_ACROSS) + 0.5) / CELLS_ACROSS * 2 - 1) * half;
      places[2 * i + 1] = (1 - (Math.floor(i / CELLS_ACROSS) + 0.5) / CELLS_ACROSS * 2) * half;
    }
    const logits = session.game.logits(places, CELLS_ACROSS ** 2), { family, threshold } = session.game.objective;
    const middle = threshold ?? average(logits);
    const size = family === "logistic" ? 1 : Math.max(deviation([...logits]), 1e-9);
    const context = this.map.getContext("2d"), image = context.createImageData(CELLS_ACROSS, CELLS_ACROSS);
    const [well, real, fake] = ["--well", "--real", "--fake"].map((name) => channels(colour(name)));
    logits.forEach((logit, i) => {
      const lean = 2 * logistic((logit - middle) / size) - 1, side = lean > 0 ? real : fake, share = 0.5 * Math.abs(lean);
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = well[c] + share * (side[c] - well[c]);
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  }

  paintGrid(context, at, width, half) {
    context.strokeStyle = colour("--grid");
    context.lineWidth = 1;
    const unit = half > 3 ? 2 : 0.5;
    for (let x = -Math.floor(half / unit) * unit; x <= half; x += unit) {
      const place = Math.round(at(x)) + 0.5;
      context.beginPath();
      context.moveTo(place, 0);
      context.lineTo(place, width);
      context.moveTo(0, place);
      context.lineTo(width, place);
      context.stroke();
    }
  }

  paintReal(context, pixel) {
    context.fillStyle = colour("--real");
    context.globalAlpha = 0.75;
    for (let i = 0; i < SHOWN; i++) {
      const [x, y] = pixel(i);
      context.beginPath();
      context.arc(x, y, 2.6, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  paintFake(context, pixel) {
    const reach = 3.6;
    for (const [style, size] of [[colour("--card"), 3.6], [colour("--fake"), 1.9]]) {
      context.strokeStyle = style;
      context.lineWidth = size;
      context.beginPath();
      for (let i = 0; i < SHOWN; i++) {
        const [x, y] = pixel(i);
        context.moveTo(x - reach, y - reach);
        context.lineTo(x + reach, y + reach);
        context.moveTo(x - reach, y + reach);
        context.lineTo(x + reach, y - reach);
      }
      context.stroke();
    }
  }

  /** Arrows grow with the slope up to a tenth of the plane, so that a gradient that vanishes has none. */
  paintPulls(context, session, samples, pixel, width, half) {
    const pulls = session.game.pulls(samples.subarray(0, 2 * ARROWS), session.real.subarray(0, 2 * ARROWS), ARROWS);
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.4;
    context.globalAlpha = 0.75;
    context.beginPath();
    for (let i = 0; i < ARROWS; i++) {
      const dx = pulls[2 * i], dy = -pulls[2 * i + 1], size = Math.hypot(dx, dy), length = (0.1 * width * size) / (size + 1 / half);
      if (!(length > 2)) continue;
      const [x, y] = pixel(samples, i), [ex, ey] = [(dx / size) * length, (dy / size) * length], tip = Math.min(5, length / 2);
      const angle = Math.atan2(ey, ex);
      context.moveTo(x, y);
      context.lineTo(x + ex, y + ey);
      for (const turn of [2.6, -2.6]) {
        context.moveTo(x + ex, y + ey);
        context.lineTo(x + ex + tip * Math.cos(angle + turn), y + ey + tip * Math.sin(angle + turn));
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  paintCursor(context, at, width) {
    const [x, y] = [at(this.cursor[0]), width - at(this.cursor[1])];
    context.strokeStyle = colour("--ink");
    context.lineWidth = 2;
    context.strokeRect(x - 7, y - 7, 14, 14);
  }

  /** The place of a pointer in the plane. */
  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width * 2 - 1) * this.half, (1 - (event.clientY - box.top) / box.height * 2) * this.half];
  }
}

/** A chart of two curves over rounds: one solid, one dashed, each named at its end; thinned to the chart's width. */
function chart(canvas, curves, [first, second], level = null) {
  const { context, width, height } = sharp(canvas), left = 40, right = width - 8, top = 22, bottom = height - 18;
  const stride = Math.max(1, Math.ceil(curves.length / (right - left))), points = [];
  for (let i = 0; i < curves.length; i += stride) points.push(curves[i]);
  const values = points.flatMap((point) => [point[first.key], point[second.key]]).filter(Number.isFinite);
  if (level !== null) values.push(level);
  let [low, high] = values.length ? [quantile(values, 0.01), quantile(values, 0.99)] : [0, 1];
  if (level !== null) [low, high] = [Math.min(low, level), Math.max(high, level)];
  if (high - low < 1e-6) [low, high] = [low - 0.5, high + 0.5];
  const x = (round) => left + ((right - left) * round) / Math.max(1, curves.at(-1)?.round ?? 1);
  const y = (value) => bottom - ((bottom - top) * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  context.fillStyle = colour("--soft");
  context.strokeStyle = colour("--rule");
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of [low, high]) context.fillText(Math.abs(value) < 0.01 ? "0.00" : short(value), left - 6, y(value));
  context.strokeRect(left + 0.5, top + 0.5, right - left, bottom - top);
  if (level !== null) line(context, [[left, y(level)], [right, y(level)]], colour("--soft"), [2, 4], 1);
  context.textBaseline = "alphabetic";
  context.fillText(`round ${(curves.at(-1)?.round ?? 0).toLocaleString("en")}`, right, height - 3);
  context.textAlign = "left";
  let start = left;
  for (const { key, title, tone, dash } of [first, second]) {
    const strokes = points.filter((point) => Number.isFinite(point[key])).map((point) => [x(point.round), y(point[key])]);
    line(context, strokes, colour(tone), dash, 1.8);
    line(context, [[start, 9], [start + 20, 9]], colour(tone), dash, 2.4);
    context.fillStyle = colour("--ink");
    context.fillText(title, start + 26, 13);
    start += 44 + context.measureText(title).width;
  }
}

function line(context, places, style, dash, width) {
  context.strokeStyle = style;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  places.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}
