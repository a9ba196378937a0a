// Dense networks, their initial weights, and Adam: as zerosum.networks.mlp and torch have them.

const SLOPES = { relu: 0, leaky_relu: 0.2 };

/** A multilayer perceptron; weights lie as torch keeps them, (outputs, inputs). */
class Dense {
  constructor(inputs, hidden, outputs, activation) {
    this.activation = activation;
    const widths = [inputs, ...hidden, outputs];
    this.parameters = widths.slice(1).flatMap((width, i) => [
      matrix(new Float64Array(width * widths[i]), width, widths[i]), matrix(new Float64Array(width), 1, width),
    ]);
  }

  /** Map (N, inputs) to (N, outputs), by other weights than its own if given. */
  forward(x, weights = this.parameters) {
    for (let i = 0; i < weights.length; i += 2) {
      x = affine(x, weights[i], weights[i + 1]);
      if (i + 2 < weights.length) x = this.activation === "tanh" ? tanh(x) : rectify(x, SLOPES[this.activation]);
    }
    return x;
  }
}

/** Draw initial weights: torch's own, He's before rectifiers with Glorot's at the end, or orthogonal ones. */
function initialise(network, scheme, random) {
  const matrices = network.parameters.filter((_, i) => i % 2 === 0);
  matrices.forEach((w, i) => {
    if (scheme === "orthogonal") return orthogonal(w, 1.4, random);
    const last = i === matrices.length - 1;
    const he = last ? Math.sqrt(6 / (w.rows + w.cols)) : Math.sqrt(6 / w.cols);
    const bound = scheme === "he" ? he : 1 / Math.sqrt(w.cols);
    const fill = (values) => { for (let j = 0; j < values.length; j++) values[j] = bound * (2 * random.single() - 1); };
    fill(w.data);
    if (scheme === "torch") fill(network.parameters[2 * i + 1].data);
  });
}

/** Fill a matrix with orthonormal rows or columns, whichever are fewer, times a gain (Saxe et al. 2014). */
function orthogonal(w, gain, random) {
  const count = Math.min(w.rows, w.cols), length = Math.max(w.rows, w.cols);
  const drawn = random.normal(Math.max(16, count * length)), rows = [];
  for (let i = 0; i < count; i++) {
    const row = Float64Array.from(drawn.subarray(i * length, (i + 1) * length));
    for (const other of rows) {
      const along = row.reduce((sum, value, j) => sum + value * other[j], 0);
      for (let j = 0; j < length; j++) row[j] -= along * other[j];
    }
    const size = Math.hypot(...row);
    rows.push(row.map((value) => value / size));
  }
  const wide = w.rows <= w.cols;
  for (let i = 0; i < w.rows; i++) {
    for (let j = 0; j < w.cols; j++) w.data[i * w.cols + j] = gain * (wide ? rows[i][j] : rows[j][i]);
  }
}

/** Adam. Source: Kingma & Ba 2015, algorithm 1. */
class Adam {
  constructor(parameters, lr, betas, eps = 1e-8) {
    Object.assign(this, { parameters, lr, betas, eps, taken: 0 });
    this.first = parameters.map((p) => new Float64Array(p.data.length));
    this.second = parameters.map((p) => new Float64Array(p.data.length));
  }

  /** Step along gradients; return their norm, and that of the step as a share of the weights'. */
  step(gradients) {
    this.taken += 1;
    const [beta1, beta2] = this.betas, { eps } = this;
    const rate = this.lr / (1 - beta1 ** this.taken), scale = 1 / Math.sqrt(1 - beta2 ** this.taken);
    let norm = 0, moved = 0, size = 0;
    this.parameters.forEach(({ data: w }, i) => {
      const g = gradients[i].data, m = this.first[i], v = this.second[i];
      for (let j = 0; j < w.length; j++) {
        m[j] = beta1 * m[j] + (1 - beta1) * g[j];
        v[j] = beta2 * v[j] + (1 - beta2) * g[j] * g[j];
        const change = (rate * m[j]) / (Math.sqrt(v[j]) * scale + eps);
        norm += g[j] * g[j];
        moved += change * change;
        size += w[j] * w[j];
        w[j] -= change;
      }
    });
    return { norm: Math.sqrt(norm), update: Math.sqrt(moved) / Math.max(Math.sqrt(size), 1e-12) };
  }

  /** The next steps as a differentiable function (weights, gradients) -> weights; eps stands inside the root. */
  rule() {
    const [beta1, beta2] = this.betas;
    let first = this.first.map((m, i) => matrix(m, this.parameters[i].rows, this.parameters[i].cols));
    let second = this.second.map((v, i) => matrix(v, this.parameters[i].rows, this.parameters[i].cols));
    let time = this.taken;
    const blend = (before, now, beta) => add(scale(before, beta), scale(now, 1 - beta));
    return (weights, slopes) => {
      time += 1;
      first = first.map((m, i) => blend(m, slopes[i], beta1));
      second = second.map((v, i) => blend(v, square(slopes[i]), beta2));
      return weights.map((w, i) => {
        const size = root(scale(second[i], 1 / (1 - beta2 ** time), this.eps ** 2));
        return subtract(w, scale(multiply(first[i], reciprocal(size)), this.lr / (1 - beta1 ** time)));
      });
    };
  }
}
