import { el, icon } from "./dom.js";

const TOAST_MS = 3500;
const EDGE = 8;
let nextId = 0;

/** What lies over one phone: a menu, a sheet or toasts. The other phone stays usable, as with two real ones. */
export class Overlay {
  constructor(phone, screen) {
    this.phone = phone;
    this.screen = screen;
    this.layer = el("div", { class: "layer" });
    this.toasts = el("div", { class: "toasts", role: "status" });
    phone.append(this.layer, this.toasts);
    this.close = () => {};
  }

  get isOpen() {
    return this.layer.hasChildNodes();
  }

  /** Show a short text over the chat, as Telegram shows the answer to a tap. */
  toast(text) {
    const node = el("p", { class: "toast" }, text);
    this.toasts.replaceChildren(node);
    setTimeout(() => node.remove(), TOAST_MS + text.length * 30);
  }

  #show(node, { modal, focus }) {
    this.close();
    const before = document.activeElement;
    // A sheet that opens on its own never takes the focus from the other phone.
    const mayFocus = before === document.body || before === null || this.phone.contains(before);
    const shade = el("div", { class: modal ? "shade dim" : "shade", on: { click: () => this.close() } });
    this.layer.replaceChildren(shade, node);
    this.screen.inert = true;
    this.close = (returnFocus = true) => {
      this.close = () => {};
      this.layer.replaceChildren();
      this.screen.inert = false;
      if (returnFocus && mayFocus && before?.isConnected && before !== document.body) before.focus({ preventScroll: true });
    };
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this.close();
    });
    if (mayFocus) focus().focus({ preventScroll: true });
  }

  /**
   * A menu at a point of the window. Items: {label, icon, pick, danger, note, checked} or {row: [{label, text, pick, checked}]}.
   * Arrow keys move, Home and End jump, a letter finds an item, Escape and Tab close the menu.
   */
  menu(label, items, { x, y }) {
    const node = el("div", { class: "menu", role: "menu", "aria-label": label });
    for (const item of items) node.append(item.row ? this.#row(item.row) : this.#item(item));
    node.addEventListener("keydown", (event) => this.#walk(node, event));
    node.addEventListener("focusout", (event) => {
      if (document.hasFocus() && !node.contains(event.relatedTarget) && this.layer.contains(node)) this.close(false);
    });
    this.#show(node, { modal: false, focus: () => node.querySelector("[role^=menuitem]:not([aria-disabled])") ?? node });
    place(node, this.layer, x, y);
  }

  #item({ label, icon: name, pick, danger, note }) {
    if (note) return el("p", { class: "menu-note", role: "none" }, icon(name ?? "lock", 16), label);
    return el("button", {
      type: "button", role: "menuitem", tabindex: "-1", class: danger ? "danger" : null, on: { click: () => this.#pick(pick) },
    }, icon(name), el("span", {}, label));
  }

  #row(choices) {
    return el("div", { class: "menu-row", role: "group", "aria-label": "Reactions" }, choices.map((choice) => el("button", {
      type: "button", role: "menuitemcheckbox", tabindex: "-1", "aria-label": choice.label, title: choice.label,
      "aria-checked": choice.checked ? "true" : "false", on: { click: () => this.#pick(choice.pick) },
    }, choice.text)));
  }

  #pick(pick) {
    this.close();
    pick();
  }

  #walk(node, event) {
    const all = [...node.querySelectorAll("[role^=menuitem]")];
    const here = all.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    let target;
    if (step !== undefined) target = all.at((here + step) % all.length);
    else if (event.key === "Home") [target] = all;
    else if (event.key === "End") target = all.at(-1);
    else if (event.key === "Tab") this.close();
    else if (event.key.length === 1 && event.key !== " ") {
      const after = [...all.slice(here + 1), ...all];
      target = after.find((item) => item.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
    }
    if (step !== undefined || event.key === "Tab") event.preventDefault();
    target?.focus();
  }

  /**
   * A sheet with a title. `body`: nodes; `actions`: [{label, pick, main, danger}], where pick returns false to keep it open.
   * A form's Enter picks the main action.
   */
  sheet(title, body, actions, { alert = false, wide = false } = {}) {
    const id = `sheet-${(nextId += 1)}`;
    const buttons = actions.map((action) => el("button", {
      type: action.main ? "submit" : "button",
      class: [action.main ? "main" : "", action.danger ? "danger" : ""].join(" ").trim() || null,
      on: action.main ? {} : { click: () => this.#settle(action) },
    }, action.label));
    const main = actions.find((action) => action.main);
    const form = el("form", {
      class: wide ? "sheet wide" : "sheet",
      role: alert ? "alertdialog" : "dialog",
      "aria-labelledby": id,
      "aria-describedby": alert ? `${id}-body` : null,
      tabindex: "-1",
      novalidate: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          if (main) this.#settle(main);
        },
      },
    }, el("h3", { id }, title), el("div", { class: "sheet-body", id: `${id}-body` }, body), el("div", { class: "sheet-actions" }, buttons));
    form.addEventListener("keydown", (event) => keepTab(form, event));
    this.#show(form, { modal: true, focus: () => form.querySelector("[autofocus]") ?? form.querySelector("input, select, textarea, .sheet-body button, .sheet-actions .main") ?? form.querySelector("button") ?? form });
    return form;
  }

  #settle(action) {
    const shown = this.layer.lastChild;
    if (action.pick?.() === false) return;
    if (this.layer.lastChild === shown) this.close();
  }
}

/** Keep Tab inside an open sheet; Escape closes it. */
function keepTab(form, event) {
  if (event.key !== "Tab") return;
  const all = [...form.querySelectorAll("a[href], button, input, select, textarea")].filter((node) => !node.disabled && !node.closest("[hidden]"));
  if (all.length === 0) return;
  const [first, last] = [all[0], all.at(-1)];
  const here = document.activeElement;
  if (event.shiftKey && (here === first || here === form)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && here === last) {
    event.preventDefault();
    first.focus();
  }
}

function place(node, layer, x, y) {
  const frame = layer.getBoundingClientRect();
  const left = Math.min(x - frame.left, frame.width - node.offsetWidth - EDGE);
  const top = Math.min(y - frame.top, frame.height - node.offsetHeight - EDGE);
  node.style.left = `${Math.max(EDGE, left)}px`;
  node.style.top = `${Math.max(EDGE, top)}px`;
}

/** Copy a text to the clipboard; true if it worked. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without permission, or if the page isn't a secure context, use the old way.
    const field = el("textarea", { class: "sr", readonly: true });
    field.value = text;
    document.body.append(field);
    const before = document.activeElement;
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    before?.focus();
    return done;
  }
}
