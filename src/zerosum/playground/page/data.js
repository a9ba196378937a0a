// Distributions in the plane, and what can be said of samples: modes found, share near the data, spread.

const TURN = 2 * Math.PI;

/** Mixtures whose modes are counted: the two that zerosum has by name, and one mode alone. */
const MIXTURES = {
  ring8: { sigma: 0.01, centres: Array.from({ length: 8 }, (_, i) => [Math.cos((TURN * i) / 8), Math.sin((TURN * i) / 8)]) },
  grid25: { sigma: 0.05, centres: Array.from({ length: 25 }, (_, i) => [2 * Math.floor(i / 5) - 4, 2 * (i % 5) - 4]) },
  gaussian: { sigma: 0.5, centres: [[0, 0]] },
};

/** Curves, by a number in [0, 1), with the standard deviation of the noise about them. */
const CURVES = {
  moons: { sigma: 0.05, at: (t) => (t < 0.5
    ? [Math.cos(TURN * t) - 0.5, Math.sin(TURN * t) - 0.25] : [0.5 - Math.cos(TURN * (t - 0.5)), 0.25 - Math.sin(TURN * (t - 0.5))]) },
  spiral: { sigma: 0.03, at: (t) => {
    const radius = 0.15 + 1.1 * Math.sqrt(t), angle = 1.75 * TURN * Math.sqrt(t);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  } },
  line: { sigma: 0.03, at: (t) => [2.4 * t - 1.2, 1.2 * t - 0.6] },
};

const HALF_WIDTH = { grid25: 5.2 };
/** Half the width of the square that is shown of a distribution. */
const halfWidth = (data) => HALF_WIDTH[data] ?? 1.6;

/** N normal numbers; Box-Muller in blocks of 16 makes no fewer. */
const normals = (random, count) => random.normal(Math.max(16, count)).subarray(0, count);

/** `count` points (N, 2) of a distribution; `drawn` are the reader's own, (M, 2) numbers in [-1.6, 1.6]. */
function realPoints(data, count, random, drawn = []) {
  const points = new Float64Array(2 * count), noise = normals(random, 2 * count), mixture = MIXTURES[data];
  for (let i = 0; i < count; i++) {
    let place, sigma;
    if (mixture) {
      place = mixture.centres[Math.floor(random.single() * mixture.centres.length)];
      sigma = mixture.sigma;
    } else if (data === "drawn") {
      place = drawn.length ? drawn[Math.floor(random.single() * drawn.length)] : [0, 0];
      sigma = 0.04;
    } else {
      place = CURVES[data].at(random.single());
      sigma = CURVES[data].sigma;
    }
    points[2 * i] = place[0] + sigma * noise[2 * i];
    points[2 * i + 1] = place[1] + sigma * noise[2 * i + 1];
  }
  return points;
}

/** Modes that samples reach and the share that counts, as zerosum.metrics.modes.mixture_modes: within 3 sigma. */
function countModes(points, { centres, sigma }) {
  const hits = new Array(centres.length).fill(0);
  for (let i = 0; i < points.length; i += 2) {
    let best = Infinity, nearest = 0;
    centres.forEach(([x, y], k) => {
      const distance = Math.hypot(points[i] - x, points[i + 1] - y);
      if (distance < best) [best, nearest] = [distance, k];
    });
    if (best < 3 * sigma) hits[nearest] += 1;
  }
  const counted = hits.reduce((sum, hit) => sum + hit, 0);
  return { found: hits.filter((hit) => hit > 0).length, share: counted / (points.length / 2), hits };
}

/** What a perfect sampler gets on average of n samples, as zerosum.metrics.modes.ceiling. */
function ceiling(modes, count) {
  const share = 1 - Math.exp(-4.5);
  return { found: modes > 1 ? modes * -Math.expm1(count * Math.log1p(-share / modes)) : 1, share };
}

/** Mean absolute difference over values and pairs, as zerosum.doctor.variety.mean_distance. */
function meanDistance(points) {
  const count = points.length / 2;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      sum += Math.abs(points[2 * i] - points[2 * j]) + Math.abs(points[2 * i + 1] - points[2 * j + 1]);
    }
  }
  return sum / (count * (count - 1));
}

/** Distance of each of some points to the nearest of others. */
function nearest(points, others) {
  return Float64Array.from({ length: points.length / 2 }, (_, i) => {
    let best = Infinity;
    for (let j = 0; j < others.length; j += 2) {
      const x = points[2 * i] - others[j], y = points[2 * i + 1] - others[j + 1];
      best = Math.min(best, x * x + y * y);
    }
    return Math.sqrt(best);
  });
}

/** For data without modes: shares of samples near the data and of data near samples, and those of other real points. */
class Nearness {
  constructor(real, others) {
    this.real = real;
    const distances = nearest(others, real).sort();
    this.radius = distances[Math.floor(0.99 * distances.length)];
    this.perfect = this.of(others);
  }

  of(points) {
    const within = (distances) => average(distances, (d) => (d <= this.radius ? 1 : 0));
    return { share: within(nearest(points, this.real)), covered: within(nearest(this.real, points)) };
  }
}
