// A game with its data, and everything that is measured of it: what the page shows, and what tests play without a page.

const ROW = 10, LOOK = 50; // rounds of a row of history, and between looks: --log-every and --watch-every
const LOOKED_AT = 64, COUNTED = 1000, NEIGHBOURS = 400;

class Session {
  /** @param doctor thresholds and titles of the signs. */
  constructor(settings, doctor, drawn = []) {
    const { seed, latent, data } = settings;
    const streams = [0, 1, 2, 3, 4].map((stream) => new Twister((seed * 5 + stream) >>> 0));
    const [weights, points, latents, mixes, looks] = streams;
    this.settings = settings;
    this.doctor = doctor;
    this.game = new Game(settings, {
      real: (count) => realPoints(data, count, points, drawn),
      latent: (count) => Float64Array.from(normals(latents, count * latent)),
      mix: (count) => Float64Array.from({ length: count }, () => mixes.single()),
    }, weights);
    this.history = [];
    this.curves = [];
    this.findings = [];
    this.fixed = Float64Array.from(normals(looks, COUNTED * latent));
    this.real = realPoints(data, COUNTED, looks, drawn);
    this.spread = meanDistance(this.real.subarray(0, 2 * LOOKED_AT));
    const near = (from) => this.real.subarray(2 * from, 2 * (from + NEIGHBOURS));
    this.near = MIXTURES[data] ? null : new Nearness(near(0), near(NEIGHBOURS));
    this.measure();
  }

  get round() {
    return this.game.round;
  }

  /** What the doctor knows beside the history. */
  get facts() {
    const { rounds, generator_lr, discriminator_lr, gamma } = this.settings;
    return { rounds, generator_lr, discriminator_lr, gamma, family: this.game.objective.family };
  }

  /** Play a round; false once the game has broken down. */
  play() {
    const { game } = this;
    if (game.failure) return false;
    const looking = (game.round + 1) % LOOK === 0;
    if (looking) game.collectUpdates();
    game.play();
    const { logged } = game, last = (name) => logged[name]?.at(-1) ?? null;
    this.curves.push({
      round: game.round,
      discriminator: last("discriminator/loss"),
      generator: last("generator/loss"),
      real: last("real_probability") ?? last("discriminator/real"),
      fake: last("fake_probability") ?? last("discriminator/fake"),
    });
    if (looking) this.measure();
    if (game.round % ROW === 0 || game.failure) this.log(looking);
    return !game.failure;
  }

  log(looking) {
    const row = { round: this.game.round, ...this.game.collect() };
    delete row.real_probability;
    delete row.fake_probability;
    if (looking) {
      row["watch/diversity"] = this.measured.spread;
      for (const [player, update] of Object.entries(this.game.collectUpdates())) row[`watch/${player}/update`] = update;
    }
    this.history.push(row);
    if (looking || this.game.failure) this.findings = diagnose(this.history, this.facts, this.doctor);
  }

  /** Samples of the same latents every time. */
  samples(count) {
    return this.game.samples(this.fixed.subarray(0, count * this.settings.latent), count);
  }

  measure() {
    const samples = this.samples(COUNTED), mixture = MIXTURES[this.settings.data];
    const spread = meanDistance(samples.subarray(0, 2 * LOOKED_AT)) / this.spread;
    const found = mixture ? countModes(samples, mixture) : this.near.of(samples.subarray(0, 2 * NEIGHBOURS));
    const perfect = mixture ? ceiling(mixture.centres.length, COUNTED) : this.near.perfect;
    this.measured = { round: this.game.round, spread, ...found, perfect };
  }
}
