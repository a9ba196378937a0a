// The doctor's signs on the page's own history: zerosum.doctor.signs, whose thresholds the page is written with.
// A history is a list of rows {round, "player/term": value}; a test compares the findings with those of Python.

const PLAYERS = ["discriminator", "generator"];
const sum = (values) => values.reduce((total, value) => total + value, 0);
const median = (values) => quantile(values, 0.5);

/** Quantile by linear interpolation, as numpy's. */
function quantile(values, share) {
  const sorted = Float64Array.from(values).sort(), place = share * (sorted.length - 1), low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** What signs read: rows, what is known of the game, and the thresholds. */
class Evidence {
  constructor(history, facts, thresholds) {
    Object.assign(this, { history, facts, thresholds });
    this.columns = new Map();
    this.notFinite = [];
    for (const row of history) {
      for (const [key, value] of Object.entries(row)) {
        if (typeof value !== "number") continue;
        if (!Number.isFinite(value)) this.notFinite.push([row.round, key, value]);
        else if (this.columns.has(key)) this.columns.get(key).push([row.round, value]);
        else this.columns.set(key, [[row.round, value]]);
      }
    }
    this.warmUp = facts.rounds === null ? 500 : Math.min(1000, Math.max(200, facts.rounds / 10));
  }

  series(key) {
    const pairs = this.columns.get(key) ?? [];
    return { rounds: pairs.map(([round]) => round), values: pairs.map(([, value]) => value) };
  }

  /** A series without the rounds in which a healthy game is still one-sided. */
  warm(series) {
    const keep = series.rounds.map((round) => round > this.warmUp);
    return { rounds: series.rounds.filter((_, i) => keep[i]), values: series.values.filter((_, i) => keep[i]) };
  }

  /** Two series as one, where both have rows. */
  joined(one, other, combine) {
    const right = new Map(other.rounds.map((round, i) => [round, other.values[i]]));
    const rounds = one.rounds.filter((round) => right.has(round));
    const left = new Map(one.rounds.map((round, i) => [round, one.values[i]]));
    return { rounds, values: rounds.map((round) => combine(left.get(round), right.get(round))) };
  }

  accuracies(combine) {
    return this.joined(this.series("discriminator/real_accuracy"), this.series("discriminator/fake_accuracy"), combine);
  }
}

/** How many rows of a series cover some rounds, at least one. */
function rowsOf(rounds, span) {
  const steps = rounds.slice(1).map((round, i) => round - rounds[i]);
  return Math.max(1, Math.ceil(span / Math.max(1, steps.length ? median(steps) : 1)));
}

/** Exponential running average over `span` rows, without bias to its start. */
function smooth(values, span, remembered) {
  if (span <= 1 || !values.length) return values;
  const keep = 1 - 2 / (span + 1), length = Math.min(values.length, remembered * span);
  return values.map((_, end) => {
    let total = 0, weights = 0, weight = 1;
    for (let back = 0; back < length && back <= end; back++, weight *= keep) {
      total += weight * values[end - back];
      weights += weight;
    }
    return total / weights;
  });
}

/** Since when a running average lies within bounds to the end of its series: {since, value}, or null. */
function crossing(evidence, series, options) {
  const { above = -Infinity, below = Infinity, lasting = 0, checks = 1, after = evidence.warmUp } = options;
  const { WINDOW, REMEMBERED } = evidence.thresholds.windows, { span = WINDOW } = options;
  const length = rowsOf(series.rounds, span), needed = Math.max(rowsOf(series.rounds, lasting), checks);
  const kept = series.rounds.map((round) => round > after);
  const rounds = series.rounds.filter((_, i) => kept[i]), values = series.values.filter((_, i) => kept[i]);
  if (values.length < Math.max(needed, length)) return null;
  const average = smooth(values, length, REMEMBERED);
  let start = average.length;
  while (start > 0 && average[start - 1] >= above && average[start - 1] < below) start -= 1;
  return average.length - start < needed ? null : { since: rounds[start], value: average.at(-1) };
}

/** Whether a series still grows: its last fifth is 1.1 times what it was halfway there. */
function rising(values) {
  if (values.length < 4) return false;
  const last = values.slice(-Math.max(1, Math.floor(values.length / 5)));
  const middle = values.slice(Math.floor(values.length / 3), Math.floor(values.length / 2) + 1);
  return average(last) > 1.1 * average(middle);
}

const SIGNS = {
  "discriminator-overpowers"(evidence, t) {
    const losses = evidence.series("generator/loss").values, { family } = evidence.facts;
    const norms = evidence.series("generator/gradient_norm"), lost = losses.at(-1) ?? 0;
    const gone = crossing(evidence, norms, { below: t.VANISHED, span: 1, lasting: 20 });
    if (gone && ((gone.value === 0 && Math.abs(lost) > t.PERFECT) || lost > t.LOSING)) {
      return { ...gone, severity: "critical", title: "The generator gets no gradient", threshold: t.VANISHED };
    }
    if (family === "wasserstein") return null;
    for (const [bound, span, severity] of [[t.NEVER, 1, "critical"], [t.SELDOM, undefined, "warning"]]) {
      if (family === "relativistic") break;
      const rejected = evidence.accuracies((real, fake) => (fake > 1 - bound ? real : 1));
      const found = crossing(evidence, rejected, { below: bound, span, lasting: 50 });
      if (found) return { ...found, severity, title: "The discriminator calls everything generated", threshold: bound };
    }
    if (family === "relativistic" && evidence.facts.gamma) return null;
    const found = crossing(evidence, evidence.accuracies((real, fake) => (real + fake) / 2), { above: t.CERTAIN });
    return found && { ...found, severity: "warning", threshold: t.CERTAIN };
  },

  "mode-collapse"(evidence, t) {
    const spread = evidence.series("watch/diversity"), { CHECKS } = evidence.thresholds.windows;
    for (const [bound, severity] of [[t.COMPLETE, "critical"], [t.PARTIAL, "warning"]]) {
      const found = crossing(evidence, spread, { below: bound, span: 1, checks: CHECKS });
      if (!found) continue;
      const before = spread.values.filter((_, i) => spread.rounds[i] < found.since);
      if (!(before.length && Math.max(...before) > 1.5 * bound) && rising(spread.values)) continue;
      const title = bound === t.COMPLETE ? "All samples look alike" : "The samples vary little";
      return { ...found, severity, title, threshold: bound };
    }
    return null;
  },

  "failure-to-converge"(evidence, t) {
    return jumped(evidence, t) ?? circles(evidence, t) ?? restless(evidence, t);
  },

  "divergence"(evidence, t) {
    const lost = evidence.notFinite.find(([, key]) => key.includes("/") && !key.startsWith("watch"));
    if (lost) {
      const [since, key, value] = lost, [player, term] = key.split("/"), name = `${player}'s ${term.replaceAll("_", " ")}`;
      return { since, value, severity: "critical", title: `The ${name} is not a finite number`, threshold: Infinity };
    }
    const grown = { span: 20, lasting: 20, checks: 3, after: 0 }, { family } = evidence.facts;
    const half = (values) => values.slice(0, Math.max(1, Math.floor(values.length / 2)));
    const title = (player) => `The ${player} diverges`;
    for (const player of PLAYERS) {
      const norms = evidence.series(`${player}/gradient_norm`);
      const found = crossing(evidence, norms, { above: t.STEEP, ...grown });
      if (found && found.value >= t.GROWTH * median(half(norms.values))) {
        return { ...found, severity: "critical", title: title(player), threshold: t.STEEP };
      }
    }
    for (const player of family === "wasserstein" ? [] : PLAYERS) {
      const losses = evidence.series(`${player}/loss`), sizes = losses.values.map(Math.abs);
      if (!sizes.length) continue;
      const threshold = t.HUGE * Math.max(1, median(half(sizes)));
      const found = crossing(evidence, { rounds: losses.rounds, values: sizes }, { above: threshold, ...grown });
      if (found) return { ...found, severity: "critical", title: title(player), threshold };
    }
    for (const player of family === "wasserstein" ? [] : PLAYERS) {
      const { WINDOW } = evidence.thresholds.windows, norms = evidence.series(`${player}/gradient_norm`);
      const found = crossing(evidence, norms, { above: t.STEEP, lasting: WINDOW });
      if (found) return { ...found, severity: "warning", title: `The ${player}'s gradient is steep`, threshold: t.STEEP };
    }
    return null;
  },

  "learning-rates-far-apart"(evidence, t) {
    const { discriminator_lr: one, generator_lr: other } = evidence.facts, { CHECKS } = evidence.thresholds.windows;
    const ratio = Math.max(one, other) / Math.min(one, other);
    const threshold = t.APART[one > other ? "discriminator" : "generator"];
    if (evidence.history.length && ratio >= threshold * (1 - 1e-9)) {
      return { since: evidence.history[0].round, value: ratio, severity: "warning", threshold };
    }
    const [left, right] = PLAYERS.map((player) => evidence.series(`watch/${player}/update`));
    const apart = evidence.joined(left, right, (d, g) => d / Math.max(g, 1e-12));
    for (const values of [apart.values, apart.values.map((value) => 1 / Math.max(value, 1e-12))]) {
      const found = crossing(evidence, { rounds: apart.rounds, values }, { above: t.STEPS_APART, checks: CHECKS });
      if (found) return { ...found, severity: "warning", threshold: t.STEPS_APART };
    }
    return null;
  },
};

function jumped(evidence, t) {
  if (["wasserstein", "hinge"].includes(evidence.facts.family)) return null;
  const { rounds, values } = evidence.warm(evidence.series("discriminator/loss"));
  if (values.length < 10) return null;
  const changes = values.slice(1).map((value, i) => value - values[i]);
  const threshold = Math.max(t.JUMP, t.UNUSUAL * quantile(changes.map(Math.abs), 0.9));
  const place = changes.findLastIndex((change) => change > threshold), rest = values.slice(place + 1);
  if (place < 0 || rest.length < rowsOf(rounds, 50) || Math.min(...rest) <= values[place] + threshold / 2) return null;
  const title = "The discriminator's loss has jumped";
  return { since: rounds[place + 1], value: changes[place], severity: "critical", title, threshold };
}

function circles(evidence, t) {
  for (const player of PLAYERS) {
    const { rounds, values } = evidence.warm(evidence.series(`${player}/loss`));
    let best = [0, 0];
    for (let count = t.ROWS; count <= values.length; count *= 2) {
      const last = values.slice(-count), size = count / t.ROWS;
      const means = Array.from({ length: t.ROWS }, (_, i) => average(last.slice(i * size, (i + 1) * size)));
      const share = periodicity(means, t.CYCLES);
      if (share >= best[0]) best = [share, count];
    }
    const [share, count] = best, half = Math.floor(count / 2), stretch = values.slice(-count);
    if (share < t.PERIODIC || deviation(stretch.slice(half)) < 0.9 * deviation(stretch.slice(0, half))) continue;
    const since = rounds.at(-count);
    return { since, value: share, severity: "warning", title: "The losses circle", threshold: t.PERIODIC };
  }
  return null;
}

function restless(evidence, t) {
  const { rounds, values } = evidence.warm(evidence.accuracies((real, fake) => (real + fake) / 2));
  const every = evidence.accuracies((real) => real).rounds;
  const size = rowsOf(every, evidence.thresholds.windows.WINDOW), count = Math.floor(values.length / size);
  if (count < t.STRETCHES) return null;
  const kept = values.slice(-count * size);
  const epochs = Array.from({ length: count }, (_, i) => average(kept.slice(i * size, (i + 1) * size)));
  const last = epochs.slice(-t.STRETCHES), changes = last.slice(1).map((value, i) => value - last[i]);
  const moved = changes.filter((change) => Math.abs(change) > t.RESTLESS).length;
  const turned = changes.slice(1).filter((change, i) => Math.sign(change) !== Math.sign(changes[i])).length;
  if (moved < 5 || turned < 4) return null;
  return {
    since: rounds.at(-t.STRETCHES * size), value: median(changes.map(Math.abs)), severity: "warning",
    title: "The discriminator's accuracy does not settle", threshold: t.RESTLESS,
  };
}

const deviation = (values) => Math.sqrt(average(values, (x) => (x - average(values)) ** 2));

/** The largest share of the variance of a series at one frequency of `cycles` or more, without its line. */
function periodicity(series, cycles) {
  const count = series.length, size = Math.max(...series.map(Math.abs), 1e-300), middle = (count - 1) / 2;
  const values = series.map((value) => value / size), level = average(values);
  const slope = sum(values.map((value, i) => (i - middle) * value)) / sum(values.map((_, i) => (i - middle) ** 2));
  const rest = values.map((value, i) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (count - 1));
    return window * (value - level - slope * (i - middle));
  });
  const power = Array.from({ length: Math.floor(count / 2) + 1 }, (_, k) => {
    let real = 0, imaginary = 0;
    rest.forEach((value, i) => {
      real += value * Math.cos((2 * Math.PI * k * i) / count);
      imaginary += value * Math.sin((2 * Math.PI * k * i) / count);
    });
    return real * real + imaginary * imaginary;
  });
  const total = sum(power.slice(1));
  if (total <= 1e-12 * count) return 0;
  const candidates = power.slice(cycles, Math.floor(power.length / 2));
  const peak = cycles + candidates.indexOf(Math.max(...candidates));
  return sum(power.slice(peak - 1, peak + 2)) / total;
}

const SEVERITY = { critical: 0, warning: 1, note: 2 };

/** The findings of a history, the most severe first. */
function diagnose(history, facts, { thresholds, titles }) {
  const evidence = new Evidence(history, facts, thresholds);
  return Object.entries(SIGNS)
    .map(([sign, find]) => ({ sign, title: titles[sign], found: find(evidence, thresholds[sign]) }))
    .filter(({ found }) => found)
    .map(({ sign, title, found }) => ({ sign, title, ...found }))
    .sort((a, b) => SEVERITY[a.severity] - SEVERITY[b.severity] || a.since - b.since || (a.sign < b.sign ? -1 : 1));
}
