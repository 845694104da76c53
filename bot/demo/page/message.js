import { el, icon } from "./dom.js";
import { nameOfMedia, renderMedia } from "./media.js";
import { renderText, spoken } from "./text.js";
import { toDate } from "./times.js";

const BIG = /^(?:\p{Extended_Pictographic}\uFE0F?){1,3}$/u;
const CORNERS = { url: "open", copy_text: "copy", login_url: "open", web_app: "open" };

/** The buttons of a message, for the announcement of a new message. */
export function buttonsOf(message) {
  const names = (message.keyboard ?? []).flat().map((button) => button.text);
  return names.length === 0 ? "" : `${names.length === 1 ? "Button" : "Buttons"}: ${names.join(", ")}`;
}

/** A message in brief: for a screen reader, a quote or the announcement of a new message. */
export function summary(message) {
  const text = message.text === undefined || message.text === null ? spoken(message.caption ?? "", message.caption_entities ?? message.entities) : spoken(message.text, message.entities);
  return [nameOfMedia(message), text].filter(Boolean).join(": ");
}

/**
 * Draw one message. `chat` has: names {bot, user}, botName, zone, language, isOpen(id), isLoading(key) and the listeners
 * link, command, reveal, photo, quote, tap, more.
 */
export function renderMessage(message, chat) {
  const mine = message.from === "user";
  const bubble = el("div", {
    class: "bubble",
    role: "article",
    tabindex: "-1",
    dataset: { focus: "bubble" },
    "aria-label": labelOf(message, mine, chat),
    "aria-describedby": "message-hint",
  });
  if (message.forwarded) bubble.append(el("p", { class: "forwarded" }, icon("forward", 14), "Forwarded message"));
  if (message.reply_to) bubble.append(quote(message, chat));
  const media = renderMedia(message, { onPhoto: chat.photo, open: chat.isOpen(message.message_id), onReveal: () => chat.reveal(message.message_id) });
  if (media) bubble.append(media.node);
  bubble.append(body(message, mine, chat));
  if (message.reactions?.length) bubble.append(reactions(message.reactions, chat));
  const classes = ["msg", mine ? "out" : "in"];
  if (media) classes.push(`has-${media.kind}`);
  if (!message.text && !message.caption) classes.push("bare");
  if (message.protected) classes.push("protected");
  if (message.text && BIG.test(message.text)) classes.push("big");
  const more = el("button", { type: "button", class: "more", tabindex: "-1", "aria-label": "Actions for this message", on: { click: (event) => chat.more(message, event.currentTarget) } }, icon("down", 16));
  return el("li", { class: classes.join(" "), dataset: { id: message.message_id } },
    el("div", { class: "stack" }, el("div", { class: "bubble-row" }, bubble, more), keyboard(message, chat)));
}

function labelOf(message, mine, chat) {
  const who = mine ? chat.names.user : chat.names.bot;
  const notes = [chat.zone.hours(toDate(message.date))];
  if (message.edit_date) notes.push("edited");
  if (message.protected) notes.push("can’t be copied or forwarded");
  const reacted = (message.reactions ?? []).map((reaction) => reaction.emoji).join(" ");
  if (reacted) notes.push(`reactions ${reacted}`);
  return `${who}: ${summary(message).replace(/\.$/, "")}. ${notes.join(", ")}`;
}

function quote(message, chat) {
  const { message_id: id, text } = message.reply_to;
  const original = chat.find(id);
  const who = original ? (original.from === "user" ? chat.names.user : chat.names.bot) : "Message";
  return el("button", { type: "button", class: "quote", dataset: { focus: "quote" }, "aria-label": `In reply to ${who}. Go there`, on: { click: () => chat.quote(id) } },
    el("b", {}, who), el("span", {}, original ? summary(original) : text || "A message"));
}

function body(message, mine, chat) {
  const id = message.message_id;
  const value = message.text ?? message.caption ?? "";
  const entities = message.text === undefined || message.text === null ? (message.caption_entities ?? message.entities) : message.entities;
  const context = {
    botName: chat.botName,
    open: chat.isOpen(id),
    on: { link: chat.link, command: chat.command, time: chat.time, reveal: () => chat.reveal(id) },
  };
  return el("div", { class: "text", dir: "auto", lang: mine ? null : chat.language }, renderText(value, entities, context), meta(message, mine, chat));
}

function meta(message, mine, chat) {
  const date = toDate(message.date);
  return el("span", { class: "meta", title: chat.zone.full(date), "aria-hidden": "true" },
    message.protected ? icon("lock", 12) : null,
    message.edit_date ? el("i", { class: "edited" }, "edited") : null,
    chat.zone.hours(date),
    mine ? icon("ticks", 17) : null);
}

function reactions(list, chat) {
  return el("p", { class: "reactions" }, list.map((reaction) => el("span", { class: reaction.from === "user" ? "mine" : null, title: reaction.from === "user" ? chat.names.user : chat.names.bot }, reaction.emoji)));
}

function keyboard(message, chat) {
  if (!message.keyboard?.length) return null;
  return el("div", { class: "keyboard", role: "group", "aria-label": "Buttons of this message" }, message.keyboard.map((row, y) => el("div", { class: "keyboard-row" }, row.map((button, x) => {
    const key = `${message.message_id}:${y}:${x}`;
    const corner = CORNERS[button.kind];
    return el("button", {
      type: "button",
      class: [button.style ?? "", chat.isLoading(key) ? "loading" : ""].join(" ").trim() || null,
      "aria-busy": chat.isLoading(key) ? "true" : null,
      dataset: { focus: `${y}:${x}`, key },
      on: { click: () => chat.tap(message, y, x) },
    }, el("span", { lang: chat.language }, button.text), corner ? icon(corner, 12) : null);
  }))));
}
