import { el, icon, iconButton } from "./dom.js";
import { findStart } from "./links.js";

/** Text that was typed but not sent survives a reload of the page, as on a phone. */
const draft = {
  read(id) {
    try {
      return sessionStorage.getItem(`ajar-draft-${id}`) ?? "";
    } catch {
      return ""; // storage switched off
    }
  },
  keep(id, text) {
    try {
      if (text === "") sessionStorage.removeItem(`ajar-draft-${id}`);
      else sessionStorage.setItem(`ajar-draft-${id}`, text);
    } catch {
      // Storage is switched off: a draft lasts as long as the page.
    }
  },
};

/**
 * The field for writing. It keeps the text until the stand-in has accepted it.
 * `on`: send(text, replyTo), edit(id, text), start(payload), attach(button), lastOwn() -> message or undefined.
 */
export class Composer {
  constructor({ id, who, botName, commands, on }) {
    Object.assign(this, { botName, commands, on });
    this.reply = null;
    this.editing = null;
    this.busy = false;
    this.active = -1;
    this.field = el("textarea", {
      id, rows: "1", placeholder: "Message", "aria-label": `Message from ${who}`, enterkeyhint: "send", autocomplete: "off",
      "aria-autocomplete": "list", "aria-controls": `${id}-commands`, maxlength: "8000",
      on: { input: () => this.#changed(), keydown: (event) => this.#keys(event), blur: (event) => this.#left(event.relatedTarget) },
    });
    this.listbox = el("ul", { class: "commands", id: `${id}-commands`, role: "listbox", "aria-label": "Commands", hidden: true });
    this.strip = el("div", { class: "strip", hidden: true });
    this.linkStrip = el("div", { class: "strip link-strip", hidden: true });
    this.menuButton = el("button", { type: "button", class: "commands-button", "aria-label": "Commands", "aria-expanded": "false", "aria-controls": `${id}-commands`, title: "Commands", on: { click: () => this.#toggleCommands() } }, icon("menu", 18), el("span", {}, "Menu"));
    this.attach = iconButton("attach", "Attach", () => on.attach(this.attach));
    this.attach.setAttribute("aria-haspopup", "menu");
    this.keys = iconButton("keys", "Show or hide the bot’s keyboard", () => this.#toggleKeys());
    this.sendButton = iconButton("send", "Send", () => this.#submit(), "round send");
    this.panel = el("div", { class: "reply-keyboard", role: "group", "aria-label": "The bot’s keyboard", hidden: true });
    this.node = el("div", { class: "composer" }, this.listbox, this.strip, this.linkStrip,
      el("div", { class: "line" }, this.menuButton, this.attach, this.field, this.keys, this.sendButton), this.panel);
    this.setKeyboard(null);
    this.field.value = draft.read(id);
    this.#changed();
  }

  get text() {
    return this.field.value;
  }

  clear() {
    this.field.value = "";
    this.#drop();
    this.#changed();
  }

  focus() {
    this.field.focus();
  }

  replyTo(message, who, summary) {
    this.editing = null;
    this.reply = message.message_id;
    this.#showStrip("reply", `Reply to ${who}`, summary);
  }

  edit(message) {
    this.reply = null;
    this.editing = message.message_id;
    this.field.value = message.text;
    this.#showStrip("edit", "Edit message", message.text);
    this.#changed();
    this.field.setSelectionRange(message.text.length, message.text.length);
  }

  #showStrip(name, title, text) {
    this.strip.replaceChildren(icon(name), el("p", {}, el("b", {}, title), el("span", {}, text)), iconButton("close", `Cancel: ${title}`, () => this.#cancel()));
    this.strip.hidden = false;
    this.focus();
  }

  #cancel() {
    if (this.editing !== null) this.field.value = "";
    this.#drop();
    this.#changed();
    this.focus();
  }

  #drop() {
    this.reply = null;
    this.editing = null;
    this.strip.hidden = true;
  }

  #changed() {
    this.#grow();
    if (this.editing === null) draft.keep(this.field.id, this.text);
    this.node.classList.toggle("filled", this.text.trim() !== "");
    const typed = /^\/([a-z0-9_]*)$/i.exec(this.text);
    if (typed) this.#showCommands(typed[1].toLowerCase());
    else this.#closeCommands();
    this.#offerLink();
  }

  /** Make the field as high as its text, if the browser doesn't do that on its own (field-sizing). */
  #grow() {
    if (CSS.supports("field-sizing", "content") || !this.field.isConnected) return;
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  /** Offer to open a deep link in the field, besides sending it as text. */
  #offerLink() {
    const link = findStart(this.text, this.botName());
    this.linkStrip.hidden = link === null;
    if (link === null) return;
    const open = el("button", { type: "button", class: "main", on: { click: () => this.#openLink(link.payload) } }, "Open it");
    this.linkStrip.replaceChildren(icon("link"), el("p", {}, el("b", {}, `A link to @${this.botName()}`), el("span", {}, "Sending it only sends words.")), open);
  }

  #openLink(payload) {
    this.clear();
    this.on.start(payload);
    this.focus();
  }

  #toggleCommands() {
    if (!this.listbox.hidden) return this.#closeCommands();
    this.#showCommands("");
    this.focus();
    return undefined;
  }

  #showCommands(prefix) {
    const found = this.commands().filter((item) => item.command.startsWith(prefix));
    this.listbox.replaceChildren(...found.map((item, index) => el("li", {
      role: "option", id: `${this.listbox.id}-${index}`, "aria-selected": "false", dataset: { command: item.command },
      on: { mousedown: (event) => event.preventDefault(), click: () => this.#pick(item.command) },
    }, el("b", {}, `/${item.command}`), " ", el("span", {}, item.description))));
    this.listbox.hidden = found.length === 0;
    this.menuButton.setAttribute("aria-expanded", String(!this.listbox.hidden));
    this.#activate(found.length && prefix !== "" ? 0 : -1);
  }

  /** Close the list when the focus goes elsewhere; its own button opens and closes it. */
  #left(target) {
    if (target !== this.menuButton) this.#closeCommands();
  }

  #closeCommands() {
    this.listbox.hidden = true;
    this.menuButton.setAttribute("aria-expanded", "false");
    this.#activate(-1);
  }

  #activate(index) {
    this.active = index;
    for (const [at, option] of [...this.listbox.children].entries()) option.setAttribute("aria-selected", String(at === index));
    const option = this.listbox.children[index];
    if (option) {
      this.field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.field.removeAttribute("aria-activedescendant");
  }

  #pick(command) {
    this.field.value = "";
    this.#drop();
    this.#changed();
    this.on.send(`/${command}`, null);
    this.focus();
  }

  #keys(event) {
    if (event.isComposing) return;
    if (!this.listbox.hidden && this.#commandKeys(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && !this.strip.hidden) {
      event.preventDefault();
      this.#cancel();
    } else if (event.key === "ArrowUp" && this.text === "") {
      const own = this.on.lastOwn();
      if (!own) return;
      event.preventDefault();
      this.edit(own);
    }
  }

  #commandKeys(event) {
    const count = this.listbox.children.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      this.#activate(this.active === -1 ? (step === 1 ? 0 : count - 1) : (this.active + step + count) % count);
      return true;
    }
    const option = this.listbox.children[this.active];
    if (event.key === "Escape") {
      this.#closeCommands();
      return true;
    }
    if (!option) return false;
    if (event.key === "Tab") {
      this.field.value = `/${option.dataset.command} `;
      this.#changed();
      return true;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      this.#pick(option.dataset.command);
      return true;
    }
    return false;
  }

  async #submit() {
    const text = this.text;
    if (this.busy || text.trim() === "") return;
    this.busy = true;
    try {
      const done = this.editing === null ? await this.on.send(text, this.reply) : await this.on.edit(this.editing, text);
      if (done && this.text === text) this.clear();
    } finally {
      this.busy = false;
    }
  }

  /** The bot's own keyboard under the field, or null. `once`: it disappears after a press. */
  setKeyboard(markup, press) {
    const json = JSON.stringify(markup);
    if (json === this.keyboardJson) return;
    this.keyboardJson = json;
    const rows = markup?.keyboard ?? [];
    this.keys.hidden = rows.length === 0;
    this.panel.hidden = rows.length === 0;
    this.field.placeholder = markup?.input_field_placeholder || "Message";
    this.panel.replaceChildren(...rows.map((row) => el("div", { class: "keyboard-row" }, row.map((button) => {
      const wanted = typeof button === "string" ? { text: button } : button;
      const mark = wanted.request_location ? icon("pin", 15) : wanted.request_contact ? icon("person", 15) : null;
      return el("button", {
        type: "button",
        on: {
          click: (event) => {
            press(wanted, event.currentTarget);
            if (markup.one_time_keyboard) this.panel.hidden = true;
          },
        },
      }, mark, el("span", {}, wanted.text));
    }))));
  }

  #toggleKeys() {
    this.panel.hidden = !this.panel.hidden;
  }
}
