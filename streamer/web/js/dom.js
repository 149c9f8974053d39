// Elements, without a framework and without innerHTML: text is always text.

/**
 * Makes an element: `el("button.primary", { onclick: play, testid: "play" }, "Play")`.
 *
 * spec: tag and classes. properties: `on…` are listeners, `testid` is `data-testid`, `true` an empty attribute,
 * `false` and `null` none. children: nodes, strings, arrays; `null` and `false` are left out.
 */
export function el(spec, properties = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) assign(node, name, value);
  node.append(...children.flat(2).filter((child) => child !== null && child !== false && child !== undefined));
  return node;
}

function assign(node, name, value) {
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "testid") node.dataset.testid = value;
  else if (value === true) node.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
}

/** An icon of the sprite that `icons.js` brings; decoration only, so the control around it needs a label. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Changes a button's icon, name and tooltip together, so that they cannot disagree. */
export function relabel(button, iconName, label) {
  button.querySelector("use")?.setAttribute("href", `#icon-${iconName}`);
  button.setAttribute("aria-label", label);
  button.title = label;
}

/** A button that shows only an icon. */
export function iconButton(iconName, label, properties = {}) {
  return el("button.icon-button", { type: "button", "aria-label": label, title: label, ...properties }, icon(iconName));
}

/** The one element that carries this `data-testid`, within a node. */
export function part(node, testid) {
  return node.querySelector(`[data-testid="${testid}"]`);
}
