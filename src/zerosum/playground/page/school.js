// Lessons on the page: a card with a question, the reader's prediction, and the answer by what was seen.

class School {
  /** @param start plays a lesson's settings from the start. */
  constructor(strip, card, { start, open }) {
    Object.assign(this, { card, start, name: null, chosen: null, answered: false });
    this.buttons = Object.entries(LESSONS).map(([name, { title }], i) => {
      const button = element("button", { type: "button", "aria-pressed": "false" }, `${i + 1}  ${title}`);
      button.addEventListener("click", () => open(this.name === name ? null : name));
      button.dataset.name = name;
      return button;
    });
    strip.append(...this.buttons);
  }

  /** Show a lesson's card, or none. */
  show(name) {
    this.name = Object.hasOwn(LESSONS, name ?? "") ? name : null;
    this.chosen = null;
    this.answered = false;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.name === this.name));
    this.card.hidden = this.name === null;
    if (this.name === null) return;
    const { title, question, choices, watch } = LESSONS[this.name];
    this.options = choices.map((text, i) => {
      const input = element("input", { type: "radio", name: "prediction", value: i });
      input.addEventListener("change", () => this.choose(i));
      return element("label", { className: "choice" }, input, element("span", {}, text));
    });
    this.run = element("button", { type: "button", className: "primary", disabled: true }, "Run it");
    this.run.addEventListener("click", () => this.start());
    this.answer = element("div", { className: "answer", hidden: true });
    this.card.replaceChildren(
      element("h3", {}, title),
      element("fieldset", {}, element("legend", {}, question), ...this.options),
      element("p", { className: "watch" }, `Predict first, then run. ${watch}`),
      element("div", { className: "actions" }, this.run),
      this.answer,
    );
  }

  choose(place) {
    this.chosen = place;
    this.run.disabled = false;
  }

  /** Explain the answer by a session that was played to its end. */
  explain(session) {
    if (this.name === null || this.answered) return;
    this.answered = true;
    const { right, choices, why, seen } = LESSONS[this.name], { holds, text } = seen(session);
    const verdict = this.chosen === null ? `The answer: ${choices[right].toLowerCase()}.`
      : this.chosen === right ? "As you predicted." : `Not as you predicted, but: ${choices[right].toLowerCase()}.`;
    const doubt = holds ? "" : " This run does not show it clearly: chance decides, too. Try another seed, or let it play on.";
    this.options[right].classList.add("right");
    this.answer.hidden = false;
    this.answer.replaceChildren(element("p", {}, element("strong", {}, verdict), ` ${text}${doubt}`), element("p", {}, why));
    this.buttons.find((button) => button.dataset.name === this.name).classList.add("done");
  }
}
