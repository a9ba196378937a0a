// The settings of the page: what they are called, what they may be, in the link, and as a command of zerosum.

/** Settings in the order of the page. `values` are those of a slider or a list; `when` says where one has an effect. */
const SETTINGS = {
  data: { title: "Data", value: "ring8", values: {
    ring8: "Ring of 8", grid25: "Grid of 25", moons: "Two moons", spiral: "Spiral", gaussian: "Gaussian", line: "Line",
    drawn: "Draw your own" } },
  loss: { title: "Loss", value: "non-saturating", values: {
    "minimax": "Minimax", "non-saturating": "Non-saturating", "least-squares": "Least squares", "hinge": "Hinge",
    "wasserstein": "Wasserstein, gradient penalty", "relativistic": "R3: relativistic, R1 + R2" } },
  penalty: { title: "Weight of the penalty", value: 0.1, values: [0, 0.01, 0.1, 1, 10], flag: "--penalty",
    when: (s) => s.loss === "wasserstein" },
  gamma: { title: "Weight of R1 and R2", value: 0.1, values: [0, 0.01, 0.1, 1, 10], flag: "--gamma",
    when: (s) => s.loss === "relativistic" },
  generator_lr: { title: "Generator's learning rate", value: 0.001, flag: "--generator-lr",
    values: [0.00001, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1] },
  discriminator_lr: { title: "Discriminator's learning rate", value: 0.001, flag: "--discriminator-lr",
    values: [0.00001, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1] },
  n_discriminator: { title: "Discriminator's moves a round", value: 1, values: [1, 2, 3, 5, 10, 20],
    flag: "--n-discriminator" },
  unrolled: { title: "Unrolled steps", value: 0, values: [0, 1, 2, 3, 5, 8, 10], flag: "--steps of the recipe unrolled",
    when: (s) => s.loss !== "wasserstein" && s.loss !== "relativistic" },
  layers: { title: "Hidden layers", value: 2, values: [1, 2, 3, 4], flag: "--generator-hidden, --discriminator-hidden" },
  width: { title: "Units a layer", value: 32, values: [4, 8, 16, 32, 64, 128],
    flag: "--generator-hidden, --discriminator-hidden" },
  activation: { title: "Activation", value: "relu", flag: "--activation",
    values: { relu: "ReLU", leaky_relu: "Leaky ReLU", tanh: "tanh" } },
  latent: { title: "Size of the latent", value: 2, values: [1, 2, 4, 8, 16, 64], flag: "--latent-dim" },
  batch: { title: "Batch", value: 128, values: [16, 32, 64, 128, 256, 512], flag: "--batch" },
  beta1: { title: "Adam's beta 1", value: 0.5, values: [0, 0.5, 0.9], flag: "--betas" },
  beta2: { title: "Adam's beta 2", value: 0.999, values: [0.9, 0.99, 0.999], flag: "--betas" },
  rounds: { title: "Rounds", value: 3000, values: [1000, 2000, 3000, 5000, 10000, 20000], flag: "--rounds" },
  seed: { title: "Seed", value: 0, flag: "--seed", most: 2 ** 31 - 1 },
};

const defaults = () => Object.fromEntries(Object.entries(SETTINGS).map(([name, { value }]) => [name, value]));

/** A value that a setting may have, or its default: links are written by anyone. */
function allowed(name, text) {
  const { value, values, most } = SETTINGS[name];
  if (most) return /^\d{1,10}$/.test(text) ? Math.min(most, Number(text)) : value;
  if (!Array.isArray(values)) return Object.hasOwn(values, text) ? text : value;
  return values.find((one) => text !== "" && one === Number(text)) ?? value;
}

/** Settings as they are played: those that have no effect are at rest. */
function effective(settings) {
  const found = { ...settings };
  if (!SETTINGS.unrolled.when(settings)) found.unrolled = 0;
  return found;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CELLS = 64, MOST_DRAWN = 400;
const toCell = (x) => Math.max(0, Math.min(CELLS - 1, Math.floor(((x + 1.6) / 3.2) * CELLS)));
const fromCell = (cell) => ((cell + 0.5) / CELLS) * 3.2 - 1.6;

/** What stands after # in a link: settings other than the defaults, a lesson, and what was drawn. */
function toHash(settings, { lesson = null, drawn = [] } = {}) {
  const parts = Object.keys(SETTINGS).filter((name) => settings[name] !== SETTINGS[name].value);
  const words = parts.map((name) => `${name}=${settings[name]}`);
  if (lesson) words.unshift(`lesson=${lesson}`);
  if (settings.data === "drawn" && drawn.length) {
    words.push(`points=${drawn.map(([x, y]) => DIGITS[toCell(x)] + DIGITS[toCell(y)]).join("")}`);
  }
  return words.join("&");
}

function fromHash(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, "")), settings = defaults();
  for (const name of Object.keys(SETTINGS)) if (given.has(name)) settings[name] = allowed(name, given.get(name));
  const pairs = (given.get("points") ?? "").slice(0, 2 * MOST_DRAWN).match(/[\w-]{2}/g) ?? [];
  const drawn = pairs.map((pair) => [...pair].map((digit) => fromCell(DIGITS.indexOf(digit))));
  return { settings, drawn, lesson: given.get("lesson") };
}

/** The command of zerosum that plays this: by the paper's recipe where it has these settings, or by the page's own. */
function commandOf(chosen) {
  const s = effective(chosen), same = s.generator_lr === s.discriminator_lr, relu = s.activation === "relu";
  const hidden = hiddenOf(s).join(" "), named = s.data === "ring8" || s.data === "grid25";
  const networks = `--generator-hidden ${hidden} --discriminator-hidden ${hidden} --activation ${s.activation}`;
  const rates = `--generator-lr ${s.generator_lr} --discriminator-lr ${s.discriminator_lr} --betas ${s.beta1} ${s.beta2}`;
  let own = `--recipe zerosum.playground.recipe:Playground --loss ${s.loss} ${networks} ${rates}`
    + ` --n-discriminator ${s.n_discriminator} --unrolled ${s.unrolled} --penalty ${s.penalty} --gamma ${s.gamma}`;
  let average = "--ema-decay 0";
  if (s.loss === "non-saturating" && !s.unrolled) {
    own = `--recipe gan ${networks} ${rates} --n-discriminator ${s.n_discriminator}`;
  } else if (s.loss === "non-saturating" && s.n_discriminator === 1) {
    own = `--recipe unrolled --steps ${s.unrolled} ${networks} ${rates}`;
  } else if (s.loss === "wasserstein" && same && relu) {
    own = `--recipe wgan_gp --points-hidden ${hidden} --penalty ${s.penalty} --lr ${s.generator_lr}`
      + ` --betas ${s.beta1} ${s.beta2} --n-critic ${s.n_discriminator}`;
  } else if (s.loss === "relativistic" && same && relu && s.beta1 === 0 && s.n_discriminator === 1) {
    own = `--recipe r3gan --points-hidden ${hidden} --gamma ${s.gamma} ${s.gamma} --lr ${s.generator_lr} ${s.generator_lr}`
      + ` --beta2 ${s.beta2} ${s.beta2}`;
    average = "--ema-half-life 0 0";
  }
  return `zerosum train ${named ? s.data : `${s.data}.npy`} ${own} --latent-dim ${s.latent} --batch ${s.batch}`
    + ` --rounds ${s.rounds} --seed ${s.seed} ${average} --log-every ${ROW} --watch-every ${LOOK}`;
}
