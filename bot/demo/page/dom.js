/**
 * Make an element. Data becomes text nodes and attributes only, never markup.
 * `on` contains listeners, `dataset` data attributes; true sets a bare attribute, false and null omit one.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

// Drawn for this page on a 24-unit grid with one stroke width, so that they look alike.
const PATHS = {
  attach: "M20 11.500 12 19.500a5 5 0 0 1-7-7l8.500-8.500a3.400 3.400 0 0 1 4.800 4.800L10 17a1.700 1.700 0 0 1-2.400-2.400L15 7.200",
  send: "M4 12 3 4l18 8-18 8zM4 12h8",
  dots: "M12 5v.01M12 12v.01M12 19v.01",
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9l6 6 6-6",
  reply: "M9 7l-5 5 5 5M4 12h9a7 7 0 0 1 7 6",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  open: "M9 6h9v9M18 6 6 18",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  photo: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9v.01",
  voice: "M12 4a2.500 2.500 0 0 1 2.500 2.500v5a2.500 2.500 0 0 1-5 0v-5A2.500 2.500 0 0 1 12 4M6 11a6 6 0 0 0 12 0M12 17v4",
  sticker: "M20 13a8 8 0 1 0-7 7zM20 13h-4a3 3 0 0 0-3 3v4M9 10v.01M14 10v.01",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  pin: "M12 21s7-6.500 7-12a7 7 0 0 0-14 0c0 5.500 7 12 7 12M12 9v.01",
  poll: "M5 20V10M12 20V4M19 20v-7",
  forward: "M15 7l5 5-5 5M20 12h-9a7 7 0 0 0-7 6",
  globe: "M12 3a9 9 0 1 0 .01 0M3 12h18M12 3q4.500 4 4.500 9T12 21q-4.500-4-4.500-9T12 3",
  block: "M12 3a9 9 0 1 0 .01 0M5.700 5.700l12.600 12.600",
  info: "M12 3a9 9 0 1 0 .01 0M12 11v6M12 7.500v.01",
  keys: "M3 6h18v12H3zM7 10v.01M12 10v.01M17 10v.01M8 14h8",
  menu: "M4 7h16M4 12h16M4 17h16",
  ticks: "M2 12.500l4 4L14.500 8M11 15.500l1 1L20.500 8",
  play: "M8 5l11 7-11 7z",
  person: "M12 4a4 4 0 1 0 .01 0M4 20q1-6 8-6t8 6",
};

/** An icon. It is always decorative; its button has the words. */
export function icon(name, size = 22) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: size, height: size, class: "icon", "stroke-width": name === "dots" ? 3.2 : 1.8, "aria-hidden": "true" })) {
    svg.setAttribute(key, String(value));
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon, named by `label` for screen readers and as a tooltip. */
export function iconButton(name, label, onClick, className = "round") {
  return el("button", { type: "button", class: className, "aria-label": label, title: label, on: { click: onClick } }, icon(name));
}
