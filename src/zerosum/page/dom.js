// What every page of zerosum makes elements with.

const $ = (id) => document.getElementById(id);

/** Make an element with properties, attributes that hold a dash, and children; text is never markup. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}
