// What each player minimises, on logits (N, 1): the functions of zerosum.objectives and zerosum.penalties.

const negative = (a) => scale(a, -1);
const relu = (a) => rectify(a, 0);

/** By name: the discriminator's loss and the generator's, the doctor's name of the game, and the logit between sides. */
const OBJECTIVES = {
  "minimax": {
    family: "logistic", threshold: 0,
    discriminator: (real, fake) => add(mean(softplus(negative(real))), mean(softplus(fake))),
    generator: (fake) => negative(mean(softplus(fake))),
  },
  "non-saturating": {
    family: "logistic", threshold: 0,
    discriminator: (real, fake) => add(mean(softplus(negative(real))), mean(softplus(fake))),
    generator: (fake) => mean(softplus(negative(fake))),
  },
  "least-squares": {
    family: "least-squares", threshold: 0.5,
    discriminator: (real, fake) => scale(add(mean(square(scale(real, 1, -1))), mean(square(fake))), 0.5),
    generator: (fake) => scale(mean(square(scale(fake, 1, -1))), 0.5),
  },
  "hinge": {
    family: "hinge", threshold: 0,
    discriminator: (real, fake) => add(mean(relu(scale(real, -1, 1))), mean(relu(scale(fake, 1, 1)))),
    generator: (fake) => negative(mean(fake)),
  },
  "wasserstein": {
    family: "wasserstein", threshold: null,
    discriminator: (real, fake) => subtract(mean(fake), mean(real)),
    generator: (fake) => negative(mean(fake)),
  },
  "relativistic": {
    family: "relativistic", threshold: null,
    discriminator: (real, fake) => mean(softplus(subtract(fake, real))),
    generator: (fake, real) => mean(softplus(subtract(real, fake))),
  },
};

/** Logits of samples, and the squared norm of their slope at each (N, 1), which has derivatives. */
function logitsAndSlopes(network, x) {
  const logits = network.forward(x);
  const [slope] = gradients(logits, [x], true);
  return [logits, sumCols(square(slope))];
}

/** E(|grad D(x^)| - 1)^2 at places between real and generated samples, `mix` (N, 1) of the way to the real ones. */
function gradientPenalty(network, real, fake, mix) {
  const between = add(fake, multiply(repeatCols(mix, real.cols), subtract(real, fake)));
  const [, slopes] = logitsAndSlopes(network, matrix(between.data, between.rows, between.cols));
  return mean(square(scale(root(scale(slopes, 1, 1e-12)), 1, -1)));
}
