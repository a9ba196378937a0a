// Lessons: predict, run, and have the answer explained by what was seen. `seen` reads a session that was played to its
// end: whether it shows what the lesson says, and in which figures. Tests play every lesson.

const rowMean = (session, key, last = 20) => average(session.history.slice(-last).map((row) => row[key]));
const percent = (share) => `${(100 * share).toFixed(0)} %`;
const sign = (session, name) => session.findings.some((finding) => finding.sign === name);

/** The mean spread of the samples at the last ten looks. */
function lastSpread(session) {
  const looks = session.history.filter((row) => "watch/diversity" in row).slice(-10);
  return average(looks.map((row) => row["watch/diversity"]));
}

/** The length that half of the samples' gradients do not reach. */
function medianPull(session, count = 200) {
  const pulls = session.game.pulls(session.samples(count), session.real.subarray(0, 2 * count), count);
  const lengths = Array.from({ length: count }, (_, i) => Math.hypot(pulls[2 * i], pulls[2 * i + 1]));
  return lengths.sort((a, b) => a - b)[count / 2];
}

/** A number in a few characters. */
function short(value) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.01 || size >= 10000)) return value.toExponential(1);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

const LESSONS = {
  equilibrium: {
    title: "Equilibrium",
    settings: { data: "gaussian", discriminator_lr: 0.005, width: 16, batch: 64, rounds: 1000 },
    question: "Suppose that the generator becomes so good that its samples cannot be told from real ones. What does the "
      + "discriminator then answer?",
    choices: ["D(real) near 1, D(fake) near 0", "Both near 0.5", "Both near 1"],
    right: 1,
    watch: "Watch the two curves of the discriminator's answers, and its loss.",
    why: "Where both distributions are the same, D(x) = p(x) / (p(x) + q(x)) = 1/2 is the best that any discriminator can "
      + "do, and its loss is 2 ln 2 = 1.39. Losses that stand still are no failure: they are the end of the game.",
    seen(session) {
      const real = average(session.curves.slice(-500).map((point) => point.real));
      const fake = average(session.curves.slice(-500).map((point) => point.fake));
      const loss = rowMean(session, "discriminator/loss", 50), spread = lastSpread(session);
      return {
        holds: Math.abs(spread - 1) < 0.25 && Math.abs(real - 0.5) < 0.05 && Math.abs(fake - 0.5) < 0.05 && Math.abs(loss - 2 * Math.LN2) < 0.07,
        text: `Over the last 500 rounds D(real) was ${real.toFixed(2)} and D(fake) ${fake.toFixed(2)}, and the `
          + `discriminator's loss ${loss.toFixed(2)}; the samples had ${percent(spread)} of the spread of real ones.`,
      };
    },
  },
  vanishing: {
    title: "Vanishing gradient",
    settings: {
      loss: "minimax", n_discriminator: 5, discriminator_lr: 0.005, generator_lr: 0.0002, width: 16, batch: 64, rounds: 1000,
    },
    question: "Here the discriminator makes five moves for each of the generator, by the minimax loss of the first paper. "
      + "Does so good a teacher help the generator?",
    choices: ["Yes: it learns from exact answers", "No: it hardly learns anything", "It makes no difference"],
    right: 1,
    watch: "Watch the arrows, which are the gradients of the samples, and what the doctor says of the discriminator.",
    why: "The minimax generator minimises log(1 - D(G(z))). Where D(G(z)) is near 0 this is flat: a discriminator that is "
      + "certain gives no direction. Now choose the non-saturating loss, -log D(G(z)), and start again: it is steep there.",
    seen(session) {
      const pull = medianPull(session), fake = rowMean(session, "discriminator/fake");
      const right = (rowMean(session, "discriminator/real_accuracy") + rowMean(session, "discriminator/fake_accuracy")) / 2;
      return {
        holds: right > 0.9 && pull < 0.01,
        text: `The discriminator was right on ${percent(right)} of the samples, its mean logit of generated ones was `
          + `${fake.toFixed(1)}, and half of the samples had a gradient shorter than ${short(pull)}.`,
      };
    },
  },
  collapse: {
    title: "Mode collapse",
    settings: { data: "ring8", generator_lr: 0.005, discriminator_lr: 0.001, beta1: 0.9, batch: 64, rounds: 1000 },
    question: "The data are eight points on a ring, and this generator learns five times faster than its opponent. How will "
      + "its samples lie after 1,000 rounds?",
    choices: ["On all eight modes", "In one heap or a few, which move about", "Evenly over the plane"],
    right: 1,
    watch: "Watch the orange crosses, the modes found, and the spread beside that of real samples.",
    why: "Nothing in the loss asks for variety: the best answer to a discriminator that stands still is a single point. Once "
      + "the discriminator has learned to reject it, the heap moves on, and both run round in circles.",
    seen(session) {
      const spread = lastSpread(session);
      return {
        holds: spread < 0.5 && session.measured.found <= 4,
        text: `${session.measured.found} of 8 modes at the end, and over the last 500 rounds ${percent(spread)} of the spread `
          + "of real samples.",
      };
    },
  },
  wasserstein: {
    title: "Why Wasserstein",
    settings: { loss: "wasserstein", n_discriminator: 5, beta2: 0.9, width: 16, batch: 64, rounds: 1000 },
    question: "Again five moves of the discriminator for one of the generator: the lesson on vanishing gradients. But the loss "
      + "is now the Wasserstein distance, and a penalty holds the slope at 1. Does the gradient vanish?",
    choices: ["Yes, as before", "No: the better the critic, the better the direction"],
    right: 1,
    watch: "Watch the arrows stay long, and the samples find the ring.",
    why: "A critic with slope 1 measures how far the samples have to travel, even where they do not overlap the data. Its "
      + "gradient has the same length everywhere, so it can be trained to the end before each move.",
    seen(session) {
      const norm = rowMean(session, "generator/gradient_norm"), { spread, found } = session.measured;
      return {
        holds: norm > 0.05 && spread > 0.8 && found >= 6 && !sign(session, "discriminator-overpowers"),
        text: `The norm of the generator's gradient was ${short(norm)} at the end, with ${found} of 8 modes and `
          + `${percent(spread)} of the spread of real samples.`,
      };
    },
  },
  rates: {
    title: "Two time scales",
    settings: { data: "ring8", generator_lr: 0.001, discriminator_lr: 0.005, beta1: 0.9, batch: 64, rounds: 1000 },
    question: "The game of the lesson on mode collapse, but now the discriminator learns five times faster than the generator. "
      + "What changes?",
    choices: ["Nothing", "The samples spread over the ring", "The discriminator wins, and all stands still"],
    right: 1,
    watch: "Watch the spread and the modes, and compare with mode collapse.",
    why: "A discriminator that is nearly at its best answer rejects a heap before the generator has moved into it. Two time "
      + "scales (Heusel et al. 2017) are the cheapest way to get there; ratios of 2 to 5 are in use.",
    seen(session) {
      const spread = lastSpread(session);
      return {
        holds: spread > 0.7 && !sign(session, "mode-collapse"),
        text: `${session.measured.found} of 8 modes at the end, and over the last 500 rounds ${percent(spread)} of the spread `
          + "of real samples.",
      };
    },
  },
  unrolling: {
    title: "Unrolling",
    settings: { activation: "tanh", unrolled: 5, generator_lr: 0.005, beta1: 0.9, width: 16, batch: 64, rounds: 1000 },
    question: "The generator learns five times faster, as in the lesson on mode collapse. But each of its moves is now made "
      + "against the discriminator as it will be five steps from now. What does that do to the heaps?",
    choices: ["They stay", "They dissolve: a heap would be rejected by then", "They get tighter"],
    right: 1,
    watch: "Watch the spread. Then set the unrolled steps to 0 and start again.",
    why: "The generator differentiates through the discriminator's next steps, so that putting everything on one mode looks "
      + "bad before it is done (Metz et al. 2017). It costs several times as much a round.",
    seen(session) {
      const spread = lastSpread(session);
      return {
        holds: spread > 0.6 && !sign(session, "mode-collapse"),
        text: `Over the last 500 rounds the samples had ${percent(spread)} of the spread of real ones.`,
      };
    },
  },
};
