// The page: it plays a session frame by frame, shows it, and keeps settings in the link.

const SPEEDS = [0.5, 1, 3, 10, 30, 100, Infinity]; // rounds a second; the last plays as many as a frame has time for
const BUDGET = 12, SHARE = 0.6, LONGEST = 300; // milliseconds of a frame for rounds, or a share of a slow one
const SAVED = 10000; // points of a file
const facts = JSON.parse($("doctor").textContent);

class App {
  constructor() {
    const { settings, drawn, lesson } = fromHash(location.hash);
    Object.assign(this, { settings, drawn, playing: false, owed: 0, frame: 0, paintedAt: 0, chartedRound: -1, until: 0 });
    this.plane = new Plane($("plane"));
    this.showSettings = buildSettings($("settings"), (name, value) => this.set({ [name]: value }));
    this.school = new School($("lessons"), $("card"), {
      start: () => { this.restart(); this.setPlaying(true); $("plane").scrollIntoView({ block: "nearest" }); },
      open: (name) => this.openLesson(name),
    });
    this.school.show(lesson);
    buildLegend($("legend"), this.plane.shown, () => this.paint(true));
    this.bind();
    this.restart();
  }

  bind() {
    $("play").addEventListener("click", () => {
      this.setPlaying(!this.playing);
      if (!this.playing) this.say(`Paused in round ${this.session.round.toLocaleString("en")}.`);
    });
    $("step").addEventListener("click", () => this.step());
    $("reset").addEventListener("click", () => this.restart());
    $("clear").addEventListener("click", () => { this.drawn = []; this.restart(); });
    $("copy").addEventListener("click", () => copy(commandOf(this.settings), "The command is copied."));
    $("copy-link").addEventListener("click", () => copy(location.href, "The link is copied."));
    $("save-points").addEventListener("click", () => this.savePoints());
    $("speed").addEventListener("input", () => this.showSpeed());
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.hash()) this.adopt(fromHash(location.hash));
    });
    addEventListener("resize", () => this.paint(false, true));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint(true, true));
    bindKeys({ " ": $("play"), s: $("step"), r: $("reset"), c: $("copy"), l: $("copy-link") });
    bindDrawing(this);
    this.showSpeed();
  }

  hash() {
    return toHash(this.settings, { lesson: this.school.name, drawn: this.drawn });
  }

  set(changes) {
    this.settings = { ...this.settings, ...changes };
    this.restart();
  }

  adopt({ settings, drawn, lesson }) {
    Object.assign(this, { settings, drawn });
    this.school.show(lesson);
    this.restart();
  }

  openLesson(name) {
    this.settings = name ? { ...defaults(), ...LESSONS[name].settings } : this.settings;
    this.school.show(name);
    this.restart();
  }

  /** Begin again from the seed. */
  restart() {
    this.setPlaying(false);
    this.session = new Session(effective(this.settings), facts, this.drawn);
    Object.assign(this, { owed: 0, until: this.settings.rounds, chartedRound: -1 });
    this.showSettings(this.settings);
    const hash = this.hash();
    if (location.hash.slice(1) !== hash) history.replaceState(null, "", `#${hash}`);
    const named = ["ring8", "grid25"].includes(this.settings.data), drawing = this.settings.data === "drawn";
    $("command").textContent = commandOf(this.settings);
    for (const id of ["save-points", "points-hint"]) $(id).hidden = named;
    $("save-points").textContent = `Save ${this.settings.data}.npy`;
    $("clear").hidden = !drawing;
    $("hint").hidden = !drawing || this.drawn.length > 0;
    $("hint").textContent = "Draw here: with a finger, the mouse, or the arrow keys and Enter";
    $("plane").classList.toggle("drawing", drawing);
    this.plane.cursor = null;
    this.say("Ready.");
    this.paint(true, true);
  }

  setPlaying(playing) {
    if (playing && this.session.game.failure) return;
    if (playing && this.session.round >= this.until) this.until = this.session.round + this.settings.rounds;
    this.playing = playing;
    $("play").firstChild.data = playing ? "Pause " : "Play ";
    $("play").setAttribute("aria-pressed", String(playing));
    cancelAnimationFrame(this.frame);
    if (playing) {
      this.last = performance.now();
      this.rate = { round: this.session.round, at: this.last };
      this.say("Playing.");
      this.frame = requestAnimationFrame((now) => this.tick(now));
    } else if (this.session) this.paint(true, true);
  }

  step() {
    this.setPlaying(false);
    if (this.session.play()) this.say(`Round ${this.session.round.toLocaleString("en")}.`);
    this.afterRounds();
    this.paint(true, true);
  }

  tick(now) {
    const speed = SPEEDS[$("speed").value], { session } = this, began = performance.now();
    const budget = Math.min(LONGEST, Math.max(BUDGET, SHARE * (now - this.last)));
    this.owed = Math.min(50, this.owed + ((now - this.last) / 1000) * Math.min(speed, 1e6));
    this.last = now;
    while (session.round < this.until && (speed === Infinity || this.owed >= 1)) {
      this.owed -= 1;
      if (!session.play() || performance.now() - began > budget) break;
    }
    if (now - this.rate.at > 1000) {
      const rounds = (session.round - this.rate.round) / ((now - this.rate.at) / 1000);
      this.speed = rounds;
      this.rate = { round: session.round, at: now };
      this.showSpeed();
    }
    this.afterRounds();
    if (!this.playing) return;
    const fresh = now - this.paintedAt > 90;
    this.paint(fresh, fresh);
    if (fresh) this.paintedAt = now;
    this.frame = requestAnimationFrame((later) => this.tick(later));
  }

  /** Pause at the end of the rounds, or where the game has broken down, and explain the lesson. */
  afterRounds() {
    const { failure } = this.session.game, over = this.session.round >= this.until;
    if (!failure && !over) return;
    this.setPlaying(false);
    this.say(failure ? `The ${failure.player}'s loss is no finite number in round ${failure.round}: the game is over. Start again.`
      : `${this.session.round.toLocaleString("en")} rounds are played. Play goes on.`);
    this.school.explain(this.session);
  }

  paint(fresh, measures = false) {
    this.plane.paint(this.session, fresh);
    if (measures) showMeasures(this.session);
  }

  showSpeed() {
    const chosen = SPEEDS[$("speed").value];
    const text = chosen === Infinity ? "as fast as it can" : `${chosen} rounds a second`;
    $("speed-value").value = chosen === Infinity && this.speed ? `${Math.round(this.speed)} rounds a second` : text;
    $("speed").setAttribute("aria-valuetext", text);
  }

  say(text) {
    $("status").textContent = text;
  }

  savePoints() {
    const points = realPoints(this.settings.data, SAVED, new Twister(this.settings.seed), this.drawn);
    const address = URL.createObjectURL(new Blob([npy(points, 2)], { type: "application/octet-stream" }));
    element("a", { href: address, download: `${this.settings.data}.npy` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    this.say(`Saved ${this.settings.data}.npy, ${SAVED.toLocaleString("en")} points.`);
  }
}

/** A .npy file of float32 rows. Source: numpy.lib.format, version 1.0. */
function npy(values, cols) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length / cols}, ${cols}), }`;
  const padded = `${header.padEnd(Math.ceil((10 + header.length + 1) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + padded.length + 4 * values.length);
  bytes.set([0x93, 78, 85, 77, 80, 89, 1, 0, padded.length & 255, padded.length >> 8]);
  bytes.set(new TextEncoder().encode(padded), 10);
  const view = new DataView(bytes.buffer, 10 + padded.length);
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return bytes;
}
