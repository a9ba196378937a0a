// Random numbers as torch draws them on a CPU, so that a seed gives the picture that `zerosum sample --seed` makes.

const CHUNK = 16; // samples that zerosum draws together: zerosum.inference.generate.CHUNK

/** The first 64 bits of SHA-256 of an ASCII text, as [high, low]. Source: FIPS 180-4. */
function sha256Head(text) {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32) >>> 0;
  const K = primes.map((p) => fraction(Math.cbrt(p)));
  const hash = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
  const length = text.length, blocks = Math.ceil((length + 9) / 64);
  const bytes = new Uint8Array(64 * blocks);
  for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i);
  bytes[length] = 0x80;
  const view = new DataView(bytes.buffer), w = new Uint32Array(64);
  view.setUint32(64 * blocks - 4, 8 * length);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let block = 0; block < blocks; block++) {
    for (let t = 0; t < 16; t++) w[t] = view.getUint32(64 * block + 4 * t);
    for (let t = 16; t < 64; t++) {
      const s0 = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ (w[t - 15] >>> 3);
      const s1 = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ (w[t - 2] >>> 10);
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let t = 0; t < 64; t++) {
      const t1 = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t]) >>> 0;
      const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) >>> 0, c, b, a, (t1 + t2) >>> 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { hash[i] = (hash[i] + value) >>> 0; });
  }
  return [hash[0], hash[1]];
}

/** The low 32 bits of zerosum.runtime.rng.derived(seed, purpose): all that torch's Mersenne Twister takes of a seed. */
function derived(seed, purpose) {
  const [high, low] = sha256Head(`${purpose} ${seed}`);
  return ((high << 31) | (low >>> 1)) >>> 0;
}

/** Mersenne Twister. Source: Matsumoto & Nishimura 1998, mt19937. */
class Twister {
  constructor(seed) {
    this.state = new Uint32Array(624);
    this.state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const before = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, before) + i;
    }
    this.next = 624;
  }

  /** A whole number of 32 bits. */
  bits() {
    const s = this.state;
    if (this.next === 624) {
      for (let k = 0; k < 624; k++) {
        const y = (s[k] & 0x80000000) | (s[(k + 1) % 624] & 0x7fffffff);
        s[k] = s[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.next = 0;
    }
    let y = s[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  skip(count) {
    for (let i = 0; i < count; i++) this.bits();
  }

  /** torch.rand in float32: 24 bits. */
  single() {
    return (this.bits() & 0xffffff) / 2 ** 24;
  }

  /** torch.rand in float64: 53 of two numbers' 64 bits, the first number the higher ones. */
  double() {
    const high = this.bits(), low = this.bits();
    return ((high & 0x1fffff) * 2 ** 32 + low) / 2 ** 53;
  }

  /** The first `count` values of torch.randn of 16 or more: Box-Muller in blocks of 16, pairs 8 apart. */
  normal(count) {
    const values = new Float32Array(16 * Math.ceil(count / 16));
    for (let i = 0; i < values.length; i++) values[i] = this.single();
    for (let start = 0; start < values.length; start += 16) {
      for (let j = start; j < start + 8; j++) {
        const radius = Math.sqrt(-2 * Math.log(1 - values[j])), angle = 2 * Math.PI * values[j + 8];
        values[j] = radius * Math.cos(angle);
        values[j + 8] = radius * Math.sin(angle);
      }
    }
    return values.slice(0, count);
  }

  /** The first `count` values of zerosum.latent.truncated_normal. */
  truncated(count, limit) {
    const inside = erf(limit / Math.SQRT2);
    return Float32Array.from({ length: count }, () => {
      const value = normalQuantile((1 + (2 * this.double() - 1) * inside) / 2);
      return Math.min(limit, Math.max(-limit, value));
    });
  }
}

/** The error function by its series about 0, exact in double precision for |x| < 3. */
function erf(x) {
  let term = x, sum = x;
  for (let n = 1; n < 200 && Math.abs(term) > 1e-18; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** The quantile function of the normal distribution. Source: Wichura 1988, algorithm AS 241, PPND16. */
function normalQuantile(p) {
  const ratio = (x, top, bottom) => {
    const value = (c) => c.reduceRight((sum, one) => sum * x + one, 0);
    return value(top) / value(bottom);
  };
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    return q * ratio(0.180625 - q * q,
      [3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
        45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727],
      [1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077,
        21213.794301586595867, 39307.89580009271061, 28729.085735721942674, 5226.495278852545925]);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const size = r <= 5
    ? ratio(r - 1.6,
      [1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
        1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4],
      [1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455,
        0.14810397642748007459, 0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9])
    : ratio(r - 5,
      [6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
        0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7],
      [1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525,
        7.868691311456132591e-4, 1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15]);
  return q < 0 ? -size : size;
}

/** The latent of a seed's first sample, as `zerosum sample --seed` draws it: {latent, beside}. */
function latentOf(model, seed, controls = {}) {
  const twister = new Twister(derived(seed, "samples"));
  const size = model.latent_dim, styles = model.layers !== null;
  if (model.prior.law === "codes") return { latent: codesOf(model.prior, twister, controls) };
  if (controls.truncation != null && !styles) return { latent: twister.truncated(size, controls.truncation) };
  const latent = twister.normal(size);
  if (!styles) return { latent };
  twister.skip(CHUNK * size - 16 * Math.ceil(size / 16));
  return { latent, beside: twister.normal(size) };
}

/** A latent of InfoGAN's prior: uniform noise, a category as one of K, uniform codes. */
function codesOf({ noise, categories, codes }, twister, controls) {
  const uniform = (count) => {
    const values = Array.from({ length: count }, () => 2 * twister.single() - 1);
    twister.skip((CHUNK - 1) * count);
    return values;
  };
  const parts = uniform(noise);
  if (categories) {
    const drawn = twister.bits() % categories;
    twister.skip(CHUNK - 1);
    const category = controls.category ?? drawn;
    for (let k = 0; k < categories; k++) parts.push(k === category ? 1 : 0);
  }
  const drawn = uniform(codes);
  return Float32Array.from([...parts, ...(controls.codes ?? drawn)]);
}

/** The label of a seed's first sample: the number of a class, or 0 and 1 for each attribute; by shares of the data. */
function labelOf(model, seed) {
  const twister = new Twister(derived(seed, "labels"));
  if (model.attributes.length && !model.attribute_rows.length) {
    const shares = model.attribute_shares.length ? model.attribute_shares : model.attributes.map(() => 0.5);
    return shares.map((share) => (twister.double() < share ? 1 : 0));
  }
  const given = model.attributes.length ? model.attribute_rows.map((row) => row[1]) : model.class_counts;
  const counts = given.length ? given : model.classes.map(() => 1);
  const place = twister.double() * counts.reduce((sum, count) => sum + count, 0);
  let number = 0, sum = counts[0];
  while (number < counts.length - 1 && sum <= place) sum += counts[++number];
  return model.attributes.length ? [...model.attribute_rows[number][0]].map(Number) : number;
}

/** Between two latents, as zerosum.latent.slerp for a normal prior and lerp for another. */
function between(model, first, last, share) {
  if (model.prior.law !== "normal") return first.map((value, i) => value * (1 - share) + last[i] * share);
  const length = (v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0)) || 1e-12;
  const a = length(first), b = length(last);
  let near = 0, far = 0;
  first.forEach((x, i) => {
    near += (x / a - last[i] / b) ** 2;
    far += (x / a + last[i] / b) ** 2;
  });
  const angle = 2 * Math.atan2(Math.sqrt(near), Math.sqrt(far));
  const sine = Math.sin(angle);
  if (sine < 1e-6) return first.map((value, i) => value * (1 - share) + last[i] * share);
  const one = Math.sin((1 - share) * angle) / sine, other = Math.sin(share * angle) / sine;
  return first.map((value, i) => one * value + other * last[i]);
}
