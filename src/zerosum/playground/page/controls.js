// The form of the settings, each with the flag of zerosum that it is.

const MAIN = ["data", "loss", "penalty", "gamma", "generator_lr", "discriminator_lr", "n_discriminator", "unrolled"];

/** Build the form; `changed(name, value)` is called when the reader sets something. Returns a function that shows settings. */
function buildSettings(form, changed) {
  const shows = {};
  const fieldOf = (name) => {
    const { title, values, flag, most } = SETTINGS[name], id = `set-${name}`;
    const output = element("output", { htmlFor: id });
    let control;
    if (most) {
      control = element("input", { id, type: "number", min: 0, max: most, step: 1, inputMode: "numeric" });
      control.addEventListener("change", () => changed(name, allowed(name, control.value)));
      shows[name] = (value) => { control.value = value; };
    } else if (Array.isArray(values)) {
      control = element("input", { id, type: "range", min: 0, max: values.length - 1, step: 1 });
      const say = (value) => { output.value = value; control.setAttribute("aria-valuetext", value); };
      control.addEventListener("input", () => say(values[control.value]));
      control.addEventListener("change", () => changed(name, values[control.value]));
      shows[name] = (value) => { control.value = values.indexOf(value); say(value); };
    } else {
      control = element("select", { id }, ...Object.entries(values).map(([value, text]) => element("option", { value }, text)));
      control.addEventListener("change", () => changed(name, control.value));
      shows[name] = (value) => { control.value = value; };
    }
    const top = element("label", { className: "top", htmlFor: id }, element("span", {}, title), output);
    const field = element("div", { className: "field" }, top, control);
    if (flag) field.append(element("span", { className: "flag" }, flag));
    field.dataset.name = name;
    return field;
  };
  const rest = Object.keys(SETTINGS).filter((name) => !MAIN.includes(name));
  const more = element("details", {}, element("summary", {}, "Networks, batch, Adam, seed"), element("div", {}, ...rest.map(fieldOf)));
  form.append(element("h2", {}, "Settings"), ...MAIN.map(fieldOf), more);
  form.addEventListener("submit", (event) => event.preventDefault());
  return (settings) => {
    for (const [name, show] of Object.entries(shows)) show(settings[name]);
    for (const field of form.querySelectorAll(".field")) {
      field.hidden = SETTINGS[field.dataset.name].when?.(settings) === false;
    }
  };
}
