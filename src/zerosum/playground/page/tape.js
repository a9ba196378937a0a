// Reverse-mode derivatives whose rules are written in the same operations, so that derivatives have derivatives.

let recording = true;
let created = 0;

/** A matrix, and how it was computed: `rule(gradient, needed)` returns the gradients of `inputs`. */
class Matrix {
  constructor(rows, cols, data, inputs = null, rule = null) {
    this.rows = rows;
    this.cols = cols;
    this.data = data;
    this.inputs = recording ? inputs : null;
    this.rule = recording ? rule : null;
    this.order = created++;
  }
}

/** A matrix from outside; `values` are read, never written. */
const matrix = (values, rows, cols) => new Matrix(rows, cols, values);

/** A function whose operations are not kept for derivatives. */
function unrecorded(compute) {
  const before = recording;
  recording = false;
  try {
    return compute();
  } finally {
    recording = before;
  }
}

/** Gradients of a scalar, or of the sum of a matrix, by each of `wanted`; with `again` they have derivatives too. */
function gradients(output, wanted, again = false) {
  const leads = new Map(wanted.map((node) => [node, true]));
  const inner = [];
  const visit = (node) => {
    if (leads.has(node)) return leads.get(node);
    let found = false;
    if (node.inputs) for (const input of node.inputs) found = visit(input) || found;
    leads.set(node, found);
    if (found) inner.push(node);
    return found;
  };
  visit(output);
  const compute = () => {
    const sums = new Map([[output, filled(output.rows, output.cols, 1)]]);
    for (const node of inner.sort((one, other) => other.order - one.order)) {
      const gradient = sums.get(node);
      if (!gradient) continue;
      sums.delete(node);
      const parts = node.rule(gradient, node.inputs.map((input) => leads.get(input)));
      node.inputs.forEach((input, i) => {
        if (!leads.get(input) || !parts[i]) return;
        const before = sums.get(input);
        sums.set(input, before ? add(before, parts[i]) : parts[i]);
      });
    }
    return wanted.map((node) => sums.get(node) ?? filled(node.rows, node.cols, 0));
  };
  return again ? compute() : unrecorded(compute);
}

function filled(rows, cols, value) {
  return new Matrix(rows, cols, allocate(rows * cols).fill(value));
}

/** A matrix computed value by value from one other of the same shape. */
function mapped(a, formula, rule) {
  const out = allocate(a.data.length), x = a.data;
  for (let i = 0; i < out.length; i++) out[i] = formula(x[i]);
  return new Matrix(a.rows, a.cols, out, [a], rule);
}

/** A product of matrices, each transposed if asked. */
function product(a, b, ta = false, tb = false) {
  const [m, k] = ta ? [a.cols, a.rows] : [a.rows, a.cols];
  const n = tb ? b.rows : b.cols;
  const left = ta ? transposeInto(allocate(m * k), a.data, a.rows, a.cols) : a.data;
  const right = tb ? b.data : transposeInto(allocate(n * k), b.data, b.rows, b.cols);
  return new Matrix(m, n, productInto(allocate(m * n), left, right, m, n, k, null), [a, b], (g, [x, y]) => [
    x && (ta ? product(b, g, tb, true) : product(g, b, false, !tb)),
    y && (tb ? product(g, a, true, ta) : product(a, g, !ta, false)),
  ]);
}

/** x W^T + b, a layer as torch keeps it: x (N, I), W (O, I), b (1, O). */
function affine(x, w, b) {
  const out = productInto(allocate(x.rows * w.rows), x.data, w.data, x.rows, w.rows, x.cols, b.data);
  return new Matrix(x.rows, w.rows, out, [x, w, b], (g, [dx, dw, db]) => [
    dx && product(g, w), dw && product(g, x, true), db && sumRows(g),
  ]);
}

function add(a, b) {
  const out = allocate(a.data.length), x = a.data, y = b.data;
  for (let i = 0; i < out.length; i++) out[i] = x[i] + y[i];
  return new Matrix(a.rows, a.cols, out, [a, b], (g) => [g, g]);
}

function subtract(a, b) {
  const out = allocate(a.data.length), x = a.data, y = b.data;
  for (let i = 0; i < out.length; i++) out[i] = x[i] - y[i];
  return new Matrix(a.rows, a.cols, out, [a, b], (g, [, dy]) => [g, dy && scale(g, -1)]);
}

function multiply(a, b) {
  const out = allocate(a.data.length), x = a.data, y = b.data;
  for (let i = 0; i < out.length; i++) out[i] = x[i] * y[i];
  return new Matrix(a.rows, a.cols, out, [a, b], (g, [dx, dy]) => [dx && multiply(g, b), dy && multiply(g, a)]);
}

/** s x + t. */
function scale(a, s, t = 0) {
  const out = allocate(a.data.length), x = a.data;
  for (let i = 0; i < out.length; i++) out[i] = s * x[i] + t;
  return new Matrix(a.rows, a.cols, out, [a], (g) => [scale(g, s)]);
}

const square = (a) => multiply(a, a);

/** (N, C) -> (1, C). */
function sumRows(a) {
  const out = allocate(a.cols).fill(0), x = a.data;
  for (let i = 0, place = 0; i < a.rows; i++) for (let j = 0; j < a.cols; j++) out[j] += x[place++];
  return new Matrix(1, a.cols, out, [a], (g) => [repeatRows(g, a.rows)]);
}

/** (1, C) -> (N, C). */
function repeatRows(a, rows) {
  const out = allocate(rows * a.cols);
  for (let i = 0; i < rows; i++) out.set(a.data, i * a.cols);
  return new Matrix(rows, a.cols, out, [a], (g) => [sumRows(g)]);
}

/** (N, C) -> (N, 1). */
function sumCols(a) {
  const out = allocate(a.rows), x = a.data;
  for (let i = 0, place = 0; i < a.rows; i++) {
    let sum = 0;
    for (let j = 0; j < a.cols; j++) sum += x[place++];
    out[i] = sum;
  }
  return new Matrix(a.rows, 1, out, [a], (g) => [repeatCols(g, a.cols)]);
}

/** (N, 1) -> (N, C). */
function repeatCols(a, cols) {
  const out = allocate(a.rows * cols);
  for (let i = 0, place = 0; i < a.rows; i++) for (let j = 0; j < cols; j++) out[place++] = a.data[i];
  return new Matrix(a.rows, cols, out, [a], (g) => [sumCols(g)]);
}

const mean = (a) => scale(sumCols(sumRows(a)), 1 / (a.rows * a.cols));

/** x where x > 0, and `slope` times x elsewhere. */
function rectify(a, slope) {
  const out = allocate(a.data.length), x = a.data;
  for (let i = 0; i < out.length; i++) out[i] = x[i] > 0 ? x[i] : slope * x[i];
  return new Matrix(a.rows, a.cols, out, [a], (g) => [gate(g, a, slope)]);
}

/** g where x > 0, and `slope` times g elsewhere: linear in g, and flat in x. */
function gate(g, a, slope) {
  const out = allocate(g.data.length), x = a.data, y = g.data;
  for (let i = 0; i < out.length; i++) out[i] = x[i] > 0 ? y[i] : slope * y[i];
  return new Matrix(g.rows, g.cols, out, [g], (h) => [gate(h, a, slope)]);
}

function tanh(a) {
  const y = mapped(a, Math.tanh, (g) => [multiply(g, scale(square(y), -1, 1))]);
  return y;
}

/** log(1 + e^x). */
function softplus(a) {
  return mapped(a, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), (g) => [multiply(g, sigmoid(a))]);
}

const logistic = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

function sigmoid(a) {
  const y = mapped(a, logistic, (g) => [multiply(g, subtract(y, square(y)))]);
  return y;
}

function root(a) {
  const y = mapped(a, Math.sqrt, (g) => [scale(multiply(g, reciprocal(y)), 0.5)]);
  return y;
}

function reciprocal(a) {
  const y = mapped(a, (x) => 1 / x, (g) => [scale(multiply(g, square(y)), -1)]);
  return y;
}
