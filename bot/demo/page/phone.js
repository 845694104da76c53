import { Refused, act } from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { el, icon, iconButton } from "./dom.js";
import { readLink } from "./links.js";
import { buttonsOf, summary } from "./message.js";
import { Overlay, copyText } from "./overlay.js";
import * as sheets from "./sheets.js";
import { renderText } from "./text.js";
import { Zone, demoClock, toDate } from "./times.js";

// Some of the reactions that Telegram offers, with names for people who can't see them.
const REACTIONS = [["👍", "Thumbs up"], ["❤", "Heart"], ["🙏", "Folded hands"], ["🤗", "Hug"], ["😢", "Crying"], ["🔥", "Fire"]];
const MEDIA = [["photo", "Photo"], ["voice", "Voice message"], ["sticker", "Sticker"], ["document", "Document"], ["location", "Location"], ["poll", "Poll"]];
const ACTION_MS = 5000;
const WAITING = 2; // taps of one phone whose answer is waited for
const CAPTIONED = new Set(["photo", "document"]);

/** One person's phone: the chat with the bot, and everything that can be done in it. */
export class Phone {
  constructor(data, { announce, note, onNews }) {
    Object.assign(this, { data, announce, note, onNews });
    this.id = data.user.id;
    this.bot = { first_name: "…", username: "", commands: {}, description: {}, short_description: {} };
    this.zone = new Zone();
    this.screen = el("div", { class: "screen" });
    this.node = el("section", { class: "phone", id: `phone-${this.id}`, "aria-label": `${this.owner}’s phone` }, this.screen);
    this.overlay = new Overlay(this.node, this.screen);
    this.chat = new Chat({ names: () => this.names, botName: () => this.bot.username, zone: () => this.zone, language: () => this.#botLanguage, actions: this.#actions(), onNews: (item) => this.#news(item) });
    this.composer = new Composer({ id: `composer-${this.id}`, who: this.owner, botName: () => this.bot.username, commands: () => this.#byLanguage(this.data.commands) ?? this.#byLanguage(this.bot.commands) ?? [], on: this.#composerActions() });
    this.#build();
  }

  get owner() {
    return this.data.user.first_name;
  }

  get names() {
    return { bot: this.bot.first_name, user: this.owner };
  }

  #build() {
    this.title = el("b", {});
    this.subtitle = el("small", {});
    this.status = el("button", { type: "button", class: "who", on: { click: () => sheets.aboutSheet(this.overlay, this.bot, this.data.user.language_code, (all) => this.#byLanguage(all)) } },
      el("img", { src: "/static/door.svg", alt: "", width: "40", height: "40" }), el("span", {}, this.title, this.subtitle));
    this.menuButton = iconButton("dots", `Menu of ${this.owner}’s phone`, () => this.#menu());
    this.menuButton.setAttribute("aria-haspopup", "menu");
    this.language = el("span", { class: "language", title: "Telegram’s language on this phone" });
    this.clock = el("span", { class: "phone-clock" });
    this.start = el("button", { type: "button", class: "wide-action", on: { click: () => this.#begin() } }, "Start");
    this.restart = el("button", { type: "button", class: "wide-action", on: { click: () => this.#restart() } }, "Restart bot");
    this.footer = el("div", { class: "footer" }, this.start, this.restart, this.composer.node);
    this.screen.append(el("header", { class: "top" }, this.status, this.clock, this.language, this.menuButton), this.chat.node, this.footer);
  }

  /** Take what the stand-in says about the bot: its name, its commands, its description. */
  setBot(bot) {
    const redraw = JSON.stringify(bot) !== JSON.stringify(this.bot);
    this.bot = bot;
    this.#paint({ redraw, first: this.painted === undefined });
  }

  update(data) {
    const before = this.data;
    this.data = data;
    this.#paint({ first: this.painted === undefined, redraw: before.user.first_name !== data.user.first_name });
  }

  #paint({ first, redraw }) {
    const { user, blocked, started, chat } = this.data;
    this.painted = true;
    this.title.textContent = this.bot.first_name;
    this.#showStatus();
    this.language.textContent = (user.language_code ?? "").toUpperCase();
    this.#footer(blocked, started);
    this.#describe(chat.every((message) => message.deleted));
    this.chat.show(chat, { first, redraw });
    this.composer.setKeyboard(this.#replyKeyboard(chat), (button, from) => this.#pressed(button, from));
  }

  /** Use the zone that the phone's owner has told the bot; until they do, use this page's zone. */
  setZone(name) {
    const zone = new Zone(name);
    if (zone.name === this.zone.name) return;
    this.zone = zone;
    this.tick();
    this.chat.changeZone(this.data.chat);
  }

  tick() {
    const text = this.zone.hours(demoClock.now());
    if (this.clock.textContent === text) return;
    this.clock.textContent = text;
    this.clock.title = `The time in ${this.zone.city}, where ${this.owner} is`;
  }

  #showStatus() {
    this.subtitle.textContent = this.data.blocked ? "blocked" : (this.doing ?? "bot");
    this.status.setAttribute("aria-label", `${this.bot.first_name}, ${this.subtitle.textContent}. About the bot`);
  }

  /** Show what the bot says it is doing, for five seconds or until something new is in the chat. */
  showAction({ action }) {
    this.doing = action === "typing" ? "typing…" : "sending something…";
    clearTimeout(this.doingEnds);
    this.doingEnds = setTimeout(() => this.#rest(), ACTION_MS);
    this.#showStatus();
  }

  #rest() {
    this.doing = undefined;
    this.#showStatus();
  }

  #footer(blocked, started) {
    const wanted = blocked ? this.restart : started ? this.composer.node : this.start;
    const lost = [this.start, this.restart, this.composer.node].some((part) => part !== wanted && part.contains(document.activeElement));
    for (const part of [this.start, this.restart, this.composer.node]) part.hidden = part !== wanted;
    if (lost) (wanted === this.composer.node ? this.composer.field : wanted).focus({ preventScroll: true });
  }

  #describe(isEmpty) {
    this.chat.empty.hidden = !isEmpty;
    if (!isEmpty) return;
    const text = this.#byLanguage(this.bot.description);
    const card = text ? [el("h3", {}, "What can this bot do?"), el("p", { class: "pre" }, renderText(text, [], { botName: this.bot.username, open: true, on: { link: (address) => this.openLink(address), command: (name) => this.send(name) } }))] : [el("p", {}, "No messages here yet.")];
    this.chat.empty.replaceChildren(el("div", { class: "description" }, card));
  }

  /** The value in the phone's language, else in its main language, else in the default one. */
  #byLanguage(values) {
    const code = (this.data.user.language_code ?? "").toLowerCase();
    const wanted = [code, code.split("-")[0], ""].map((key) => values?.[key]);
    return wanted.find((value) => value?.length);
  }

  /** The language the bot uses with this phone, unless another one was chosen in the bot's settings. */
  get #botLanguage() {
    const code = (this.data.user.language_code ?? "").toLowerCase();
    const has = Object.keys(this.bot.commands ?? {});
    return [code, code.split("-")[0]].find((each) => each && has.includes(each)) ?? "en";
  }

  #replyKeyboard(chat) {
    for (const message of [...chat].reverse()) {
      if (message.from !== "bot" || !message.reply_keyboard || message.deleted) continue;
      return message.reply_keyboard.remove_keyboard ? null : message.reply_keyboard;
    }
    return null;
  }

  async #act(action, body) {
    try {
      return { ok: true, value: await act(this.id, action, body) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.overlay.toast(error.message);
      return { ok: false };
    }
  }

  async send(text, replyTo = null) {
    const { ok } = await this.#act("text", replyTo === null ? { text } : { text, reply_to: replyTo });
    if (ok) this.chat.toEnd();
    return ok;
  }

  #begin(payload = null) {
    return this.send(payload === null ? "/start" : `/start ${payload}`);
  }

  async #restart() {
    const { ok } = await this.#act("unblock");
    if (ok) await this.#begin();
  }

  /** Open a deep link as this phone would: open the chat with the bot and send the payload. */
  async openStart(payload) {
    if (this.data.blocked && !(await this.#act("unblock")).ok) return;
    await this.#begin(payload);
  }

  openLink(address) {
    const link = readLink(address, this.bot.username);
    if (link?.kind === "start") this.openStart(link.payload);
    else if (link?.kind === "chat") this.overlay.toast("This is the chat with the bot.");
    else if (link?.kind === "share") sheets.shareSheet(this.overlay, link.text, (text) => this.#copy(text));
    else if (link?.kind === "web") sheets.webSheet(this.overlay, link.href);
    else this.overlay.toast("The demo can’t open that kind of link.");
  }

  async #copy(text) {
    this.overlay.toast((await copyText(text)) ? "Copied to the clipboard" : "The browser did not allow copying.");
  }

  #composerActions() {
    return {
      send: (text, replyTo) => this.send(text, replyTo),
      edit: async (id, text) => (await this.#act("edit", { message_id: id, text })).ok,
      start: (payload) => this.openStart(payload),
      attach: (button) => this.#attach(button),
      lastOwn: () => this.data.chat.findLast((message) => message.from === "user" && message.text && !message.deleted && !message.forwarded),
    };
  }

  #actions() {
    return {
      link: (address) => this.openLink(address),
      command: (text) => this.send(text),
      time: (seconds) => this.overlay.toast(`On this phone: ${this.zone.minutes(toDate(seconds))}`),
      photo: (url, alt) => sheets.photoSheet(this.overlay, url, alt),
      gone: () => this.overlay.toast("That message is gone."),
      opened: (text) => this.announce(`Opened: ${text}`),
      tap: (message, row, column) => this.#tap(message, row, column),
      more: (message, from, point) => this.#messageMenu(message, from, point),
    };
  }

  async #tap(message, row, column) {
    const button = message.keyboard[row][column];
    if (button.kind === "url") return this.openLink(button.value);
    if (button.kind === "copy_text") return this.#copy(button.value);
    const key = `${message.message_id}:${row}:${column}`;
    if (this.chat.loading.has(key)) return undefined;
    this.chat.setLoading(key, true);
    // A browser opens at most six connections to a server; slow answers must leave some for the rest of the page.
    await this.#act("tap", { message_id: message.message_id, row, column, wait: this.chat.loading.size <= WAITING });
    this.chat.setLoading(key, false);
    return undefined;
  }

  #messageMenu(message, from, point) {
    const id = message.message_id;
    const mine = message.from === "user";
    const current = (message.reactions ?? []).find((reaction) => reaction.from === "user")?.emoji;
    const text = message.text ?? message.caption;
    const items = [
      { row: REACTIONS.map(([emoji, label]) => ({ text: emoji, label, checked: emoji === current, pick: () => this.#act("react", { message_id: id, emoji: emoji === current ? "" : emoji }) })) },
      { label: "Reply", icon: "reply", pick: () => this.composer.replyTo(message, mine ? this.owner : this.bot.first_name, summary(message)) },
    ];
    if (text && !message.protected) items.push({ label: "Copy text", icon: "copy", pick: () => this.#copy(text) });
    if (mine && message.text && !message.forwarded) items.push({ label: "Edit", icon: "edit", pick: () => this.composer.edit(message) });
    items.push({ label: "Delete", icon: "trash", danger: true, pick: () => sheets.deleteSheet(this.overlay, () => this.#act("delete", { message_id: id }).then(() => undefined)) });
    if (message.protected) items.push({ note: true, label: "Can’t be copied or forwarded" });
    this.overlay.menu("Message", items, point ?? below(from));
  }

  #menu() {
    const { blocked, user } = this.data;
    this.overlay.menu(`${this.owner}’s phone`, [
      { label: "Open a link…", icon: "link", pick: () => sheets.linkSheet(this.overlay, this.bot.username, (payload) => void this.openStart(payload)) },
      { label: `Language: ${sheets.nameOfLanguage(user.language_code) ?? "none"}`, icon: "globe", pick: () => sheets.languageSheet(this.overlay, user.language_code, (code) => void this.#act("language", { language_code: code })) },
      { label: `About ${this.bot.first_name}`, icon: "info", pick: () => this.status.click() },
      blocked ? { label: "Unblock bot", icon: "block", pick: () => this.#act("unblock") } : { label: "Block bot", icon: "block", danger: true, pick: () => this.#act("block") },
    ], below(this.menuButton));
  }

  #attach(button) {
    const items = MEDIA.map(([kind, label]) => ({ label, icon: kind === "document" ? "file" : kind === "location" ? "pin" : kind, pick: () => this.#media(kind) }));
    items.push({ label: "Forwarded text…", icon: "forward", pick: () => sheets.forwardSheet(this.overlay, (text) => void this.#act("forward", { text })) });
    const box = button.getBoundingClientRect();
    this.overlay.menu("Attach", items, { x: box.left, y: box.top - 340 });
  }

  #media(kind) {
    if (kind === "location") return sheets.placeSheet(this.overlay, (place) => this.#sendPlace(place));
    const caption = CAPTIONED.has(kind) ? this.composer.text.trim() : "";
    return this.#act("media", caption ? { kind, caption } : { kind }).then(({ ok }) => {
      if (ok && caption) this.composer.clear();
      if (ok) this.chat.toEnd();
    });
  }

  #sendPlace({ latitude, longitude }) {
    return this.#act("media", { kind: "location", latitude, longitude });
  }

  /** Handle a press on the bot's own keyboard: send its text as a message, or a location once one is chosen. */
  #pressed(button) {
    if (button.request_location) return sheets.placeSheet(this.overlay, (place) => this.#sendPlace(place));
    if (button.request_contact) return this.#act("media", { kind: "contact" });
    return this.send(button.text);
  }

  showToast({ text, alert }) {
    if (!text) return;
    if (alert) sheets.alertSheet(this.overlay, this.bot.first_name, text);
    else this.overlay.toast(text);
  }

  #news({ message, fresh }) {
    if (fresh) this.#rest();
    const said = [summary(message), buttonsOf(message)].filter(Boolean).join(". ");
    this.announce(`${this.owner}’s phone. ${fresh ? this.bot.first_name : `${this.bot.first_name} changed a message`}: ${said}`, this.#botLanguage);
    this.onNews(this);
  }
}

function below(node) {
  const box = node.getBoundingClientRect();
  return { x: box.right - 40, y: Math.min(box.bottom + 4, window.innerHeight) };
}
