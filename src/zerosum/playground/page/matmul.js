// Matrices as rows in Float64Array: products in blocks of four by four, and buffers that are used again.

const pool = new Map();
let taken = [];

/** A buffer of `size` numbers with anything in it; it is free again after `release`. */
function allocate(size) {
  const free = pool.get(size);
  const buffer = free && free.length ? free.pop() : new Float64Array(size);
  taken.push(buffer);
  return buffer;
}

/** Free every buffer that was allocated since the last call: nothing of them may be read any more. */
function release() {
  for (const buffer of taken) {
    const free = pool.get(buffer.length);
    if (free) free.push(buffer);
    else pool.set(buffer.length, [buffer]);
  }
  taken = [];
}

/** Write the transpose of a (rows, cols) into `out` (cols, rows). */
function transposeInto(out, a, rows, cols) {
  for (let i = 0; i < rows; i++) {
    const start = i * cols;
    for (let j = 0, place = i; j < cols; j++, place += rows) out[place] = a[start + j];
  }
  return out;
}

/** Write a (m, k) times the transpose of b (n, k), plus a row `bias` (n) if given, into `out` (m, n). */
function productInto(out, a, b, m, n, k, bias) {
  const m4 = m - (m % 4), n4 = n - (n % 4);
  for (let i = 0; i < m4; i += 4) {
    const a0 = i * k, a1 = a0 + k, a2 = a1 + k, a3 = a2 + k;
    for (let j = 0; j < n4; j += 4) {
      const b0 = j * k, b1 = b0 + k, b2 = b1 + k, b3 = b2 + k;
      let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
      let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
      for (let p = 0; p < k; p++) {
        const x0 = a[a0 + p], x1 = a[a1 + p], x2 = a[a2 + p], x3 = a[a3 + p];
        const y0 = b[b0 + p], y1 = b[b1 + p], y2 = b[b2 + p], y3 = b[b3 + p];
        s00 += x0 * y0; s01 += x0 * y1; s02 += x0 * y2; s03 += x0 * y3;
        s10 += x1 * y0; s11 += x1 * y1; s12 += x1 * y2; s13 += x1 * y3;
        s20 += x2 * y0; s21 += x2 * y1; s22 += x2 * y2; s23 += x2 * y3;
        s30 += x3 * y0; s31 += x3 * y1; s32 += x3 * y2; s33 += x3 * y3;
      }
      const o0 = i * n + j, o1 = o0 + n, o2 = o1 + n, o3 = o2 + n;
      out[o0] = s00; out[o0 + 1] = s01; out[o0 + 2] = s02; out[o0 + 3] = s03;
      out[o1] = s10; out[o1 + 1] = s11; out[o1 + 2] = s12; out[o1 + 3] = s13;
      out[o2] = s20; out[o2 + 1] = s21; out[o2 + 2] = s22; out[o2 + 3] = s23;
      out[o3] = s30; out[o3 + 1] = s31; out[o3 + 2] = s32; out[o3 + 3] = s33;
    }
    if (n4 < n) edgeInto(out, a, b, i, i + 4, n4, n, k);
  }
  if (m4 < m) edgeInto(out, a, b, m4, m, 0, n, k);
  if (bias) for (let i = 0, place = 0; i < m; i++) for (let j = 0; j < n; j++, place++) out[place] += bias[j];
  return out;
}

function edgeInto(out, a, b, top, bottom, left, n, k) {
  for (let i = top; i < bottom; i++) {
    for (let j = left; j < n; j++) {
      let sum = 0;
      for (let p = 0, x = i * k, y = j * k; p < k; p++) sum += a[x + p] * b[y + p];
      out[i * n + j] = sum;
    }
  }
}
