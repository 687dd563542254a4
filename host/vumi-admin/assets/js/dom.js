// Making elements. Every text goes in as a text node: nothing that came from a message is ever read as markup.

/** Makes an element: `el("p", {class: "note", onclick: f, "data-x": 1}, "text", child)`. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

/** An icon of the sprite in index.html. */
export function icon(name) {
  const svg = svgEl("svg", { class: "icon", "aria-hidden": "true" });
  svg.append(svgEl("use", { href: `#icon-${name}` }));
  return svg;
}

export function svgEl(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** The part of a component that carries a `data-testid`. */
export const part = (root, id) => root.querySelector(`[data-testid="${id}"]`);

/** Says something to users of screen readers. */
export function announce(text) {
  byId("announcer").textContent = text;
}
