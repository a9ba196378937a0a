// The game: two dense networks that move in turn, by the settings of the page. It draws nothing on the screen.

const INITIAL = { wasserstein: "he", relativistic: "he" };

/** Widths of the hidden layers, of both networks. */
const hiddenOf = (settings) => Array(settings.layers).fill(settings.width);

/** The discriminator's activation: the plain game's is leaky where the generator's is rectified, as in the recipe gan. */
function discriminatorActivation({ activation, loss, unrolled }) {
  const same = activation === "tanh" || unrolled > 0 || loss in INITIAL;
  return same ? activation : "leaky_relu";
}

class Game {
  /**
   * @param settings of the page.
   * @param draws real(n), latent(n) and mix(n): Float64Array of n rows each.
   * @param random for the initial weights; none where they are put in by others.
   */
  constructor(settings, draws, random) {
    const { latent, generator_lr, discriminator_lr, beta1, beta2, loss, unrolled } = settings;
    Object.assign(this, { settings, draws, round: 0, logged: {}, failure: null, updates: {} });
    this.objective = OBJECTIVES[loss];
    this.generator = new Dense(latent, hiddenOf(settings), 2, settings.activation);
    this.discriminator = new Dense(2, hiddenOf(settings), 1, discriminatorActivation(settings));
    const scheme = unrolled ? "orthogonal" : INITIAL[loss] ?? "torch";
    if (random) for (const network of [this.generator, this.discriminator]) initialise(network, scheme, random);
    this.optimizers = {
      generator: new Adam(this.generator.parameters, generator_lr, [beta1, beta2]),
      discriminator: new Adam(this.discriminator.parameters, discriminator_lr, [beta1, beta2]),
    };
  }

  /** Play a round: the discriminator's moves and one of the generator, who begins where it looks ahead. */
  play() {
    const { n_discriminator, unrolled, batch } = this.settings;
    let real = null;
    const draw = () => { real = this.draws.real(batch); };
    if (unrolled) {
      draw();
      this.moveGenerator(real);
    }
    for (let i = 0; i < n_discriminator; i++) {
      if (i || !unrolled) draw();
      this.moveDiscriminator(real);
    }
    if (!unrolled) this.moveGenerator(real);
    this.round += 1;
  }

  moveDiscriminator(points) {
    const { batch, loss, penalty, gamma } = this.settings, D = this.discriminator;
    const real = matrix(points, batch, 2), latents = this.latents(batch);
    const fake = unrecorded(() => this.generator.forward(latents));
    let total, r, f;
    if (loss === "relativistic") {
      let steepReal, steepFake;
      [r, steepReal] = logitsAndSlopes(D, real);
      [f, steepFake] = logitsAndSlopes(D, fake);
      total = add(this.objective.discriminator(r, f), scale(add(mean(steepReal), mean(steepFake)), gamma / 2));
    } else {
      [r, f] = [D.forward(real), D.forward(fake)];
      total = this.objective.discriminator(r, f);
    }
    if (loss === "wasserstein") {
      const mix = matrix(this.draws.mix(batch), batch, 1);
      total = add(total, scale(gradientPenalty(D, real, fake, mix), penalty));
    }
    this.logLogits(r.data, f.data);
    this.move("discriminator", total, D.parameters);
  }

  moveGenerator(points) {
    const { batch } = this.settings, real = matrix(points, batch, 2);
    const fake = this.generator.forward(this.latents(batch));
    this.move("generator", this.generatorLoss(fake, real), this.generator.parameters);
  }

  /** The generator's loss of samples: by the discriminator as it is, or as it will be some steps from now. */
  generatorLoss(fake, real) {
    const D = this.discriminator, { generator } = this.objective;
    const relative = this.objective.family === "relativistic";
    const weights = this.settings.unrolled ? this.lookAhead(real, fake) : D.parameters;
    return generator(D.forward(fake, weights), relative ? D.forward(real, weights) : null);
  }

  /** The discriminator's weights after some steps, as a function of the samples. Source: Metz et al. 2017, section 2. */
  lookAhead(real, fake) {
    const D = this.discriminator, step = this.optimizers.discriminator.rule();
    let weights = D.parameters;
    for (let i = 0; i < this.settings.unrolled; i++) {
      const cost = this.objective.discriminator(D.forward(real, weights), D.forward(fake, weights));
      weights = step(weights, gradients(cost, weights, true));
    }
    return weights;
  }

  move(player, loss, parameters) {
    const value = loss.data[0];
    const { norm, update } = this.optimizers[player].step(gradients(loss, parameters));
    release();
    if (!Number.isFinite(value) || !Number.isFinite(norm)) this.failure ??= { player, round: this.round + 1, value };
    this.log(`${player}/loss`, value);
    this.log(`${player}/gradient_norm`, norm);
    this.updates[player] ??= update;
  }

  latents(count) {
    return matrix(this.draws.latent(count), count, this.settings.latent);
  }

  logLogits(real, fake) {
    const { family, threshold } = this.objective, count = real.length;
    const share = (holds) => { let sum = 0; for (let i = 0; i < count; i++) sum += holds(i) ? 1 : 0; return sum / count; };
    this.log("discriminator/real", average(real));
    this.log("discriminator/fake", average(fake));
    if (family === "wasserstein") return;
    const pairs = family === "relativistic" && share((i) => real[i] > fake[i]);
    this.log("discriminator/real_accuracy", pairs === false ? share((i) => real[i] > threshold) : pairs);
    this.log("discriminator/fake_accuracy", pairs === false ? share((i) => fake[i] < threshold) : pairs);
    if (family === "logistic") {
      this.log("real_probability", average(real, logistic));
      this.log("fake_probability", average(fake, logistic));
    }
  }

  log(name, value) {
    (this.logged[name] ??= []).push(value);
  }

  /** The means of what was logged since the last call. */
  collect() {
    const means = Object.fromEntries(Object.entries(this.logged).map(([name, values]) => [name, average(values)]));
    this.logged = {};
    return means;
  }

  /** Sizes of the players' first steps since the last call, as a share of their weights'. */
  collectUpdates() {
    const found = this.updates;
    this.updates = {};
    return found;
  }

  /** Samples (N, 2) of latents, as an array of their own. */
  samples(latents, count) {
    return this.computed(() => this.generator.forward(matrix(latents, count, this.settings.latent)));
  }

  /** Logits (N) at places (N, 2). */
  logits(places, count) {
    return this.computed(() => this.discriminator.forward(matrix(places, count, 2)));
  }

  /** Where the generator's loss pulls each of its samples: N times the slope of the mean loss, downhill (N, 2). */
  pulls(samples, real, count) {
    const fake = matrix(samples, count, 2), D = this.discriminator;
    const relative = this.objective.family === "relativistic";
    const loss = this.objective.generator(D.forward(fake), relative ? D.forward(matrix(real, count, 2)) : null);
    const found = Float64Array.from(gradients(loss, [fake])[0].data, (slope) => -count * slope);
    release();
    return found;
  }

  computed(compute) {
    const found = Float64Array.from(unrecorded(compute).data);
    release();
    return found;
  }
}

function average(values, formula = (x) => x) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += formula(values[i]);
  return sum / values.length;
}
