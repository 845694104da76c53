import { el } from "./dom.js";
import { readLink } from "./links.js";

// Offsets are in UTF-16 code units, both in the Bot API and in JavaScript strings, so they need no conversion.
const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", expandable_blockquote: "blockquote" };
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]); // around whatever has the same length
const CLOSED = new Set(["url", "text_link", "text_mention", "mention", "email", "phone_number", "bot_command", "code", "pre"]);
const FOUND = /(?:https?:\/\/|(?<![\w@./])(?:t\.me|telegram\.me)\/)[^\s<>"“”]+|(?<![\w/<>@.:])\/[a-z][a-z0-9_]{0,31}(?![\w/])/gi;

/** Links and commands that the sender's client or the server would mark and that no entity covers yet. */
function detected(text, entities) {
  const closed = entities.filter((entity) => CLOSED.has(entity.type));
  const found = [];
  for (const match of text.matchAll(FOUND)) {
    const value = match[0].replace(/[.,;:!?)\]}]+$/, "");
    const [start, end] = [match.index, match.index + value.length];
    if (closed.some((entity) => entity.offset < end && start < entity.offset + entity.length)) continue;
    found.push({ type: value.startsWith("/") ? "bot_command" : "url", offset: start, length: value.length });
  }
  return found;
}

function inOrder(entities) {
  return [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length || BLOCKS.has(b.type) - BLOCKS.has(a.type));
}

/**
 * The nodes of a formatted text. `on` = {link(address, hidden), command(text), time(seconds), reveal()}; `botName` identifies our links;
 * `open` shows spoilers at once.
 */
export function renderText(text, entities, { on, botName, open }) {
  const ordered = inOrder([...(entities ?? []), ...detected(text, entities ?? [])]);
  return spans(text, 0, text.length, ordered, { on, botName, open });
}

function spans(text, from, to, entities, context) {
  const nodes = [];
  let at = from;
  for (let index = 0; index < entities.length; index += 1) {
    const entity = entities[index];
    const start = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    if (start >= end) continue;
    if (start > at) nodes.push(text.slice(at, start));
    const inner = entities.slice(index + 1).filter((other) => other.offset < end && other.offset + other.length > start);
    nodes.push(styled(entity, text.slice(start, end), spans(text, start, end, inner, context), context));
    at = BLOCKS.has(entity.type) && text[end] === "\n" ? end + 1 : end; // a block is a line of its own already
  }
  if (at < to) nodes.push(text.slice(at, to));
  return nodes;
}

function styled(entity, value, children, context) {
  if (entity.type === "spoiler") return spoiler(children, context);
  if (entity.type === "url") return link(value, false, children, context);
  if (entity.type === "text_link") return link(entity.url, true, children, context);
  if (entity.type === "email") return link(`mailto:${value}`, false, children, context);
  if (entity.type === "bot_command") return command(value, children, context);
  if (entity.type === "date_time") return moment(entity.unix_time, children, context);
  if (entity.type === "expandable_blockquote") return folded(children);
  const tag = TAGS[entity.type];
  return tag === undefined ? el("span", {}, children) : el(tag, {}, children);
}

/** A long quote, of which the beginning is seen until it is tapped, as in Telegram. */
function folded(children) {
  const quote = el("blockquote", { class: "folded" }, children);
  const unfold = el("button", { type: "button", class: "unfold", "aria-expanded": "false", on: { click: () => turn() } }, "Show all");
  const turn = () => {
    const isFolded = quote.classList.toggle("folded");
    unfold.setAttribute("aria-expanded", String(!isFolded));
    unfold.textContent = isFolded ? "Show all" : "Show less";
  };
  return el("div", {}, [quote, unfold]);
}

/** A time as the bot words it; a tap says when that is by the phone's clock, as in Telegram. */
function moment(seconds, children, context) {
  return el("button", { type: "button", class: "inline-link time", on: { click: () => context.on.time(seconds) } }, children);
}

function command(value, children, context) {
  return el("button", { type: "button", class: "inline-link", on: { click: () => context.on.command(value) } }, children);
}

function link(address, hidden, children, context) {
  const target = readLink(address, context.botName);
  if (target === null) return el("span", {}, children);
  const href = target.kind === "web" ? target.href : address;
  return el("a", {
    href,
    target: "_blank",
    rel: "noopener noreferrer",
    on: {
      click: (event) => {
        // A visible address opens at once; one hidden behind other words is shown first, as in Telegram.
        if (target.kind === "web" && !hidden) return;
        event.preventDefault();
        context.on.link(address);
      },
    },
  }, children);
}

function spoiler(children, context) {
  if (context.open) return el("span", { class: "spoiler open" }, children);
  const reveal = (event) => {
    event.preventDefault();
    event.stopPropagation();
    context.on.reveal();
  };
  return el("span", {
    class: "spoiler",
    role: "button",
    tabindex: "0",
    "aria-label": "Hidden text. Open",
    on: {
      click: reveal,
      keydown: (event) => {
        if (event.key === "Enter" || event.key === " ") reveal(event);
      },
    },
  }, el("span", { class: "veil", "aria-hidden": "true", inert: true }, children));
}

/** A text to be read aloud, without what is under a spoiler. */
export function spoken(text, entities) {
  const hidden = inOrder((entities ?? []).filter((entity) => entity.type === "spoiler"));
  let [result, at] = ["", 0];
  for (const entity of hidden) {
    if (entity.offset < at) continue;
    result += `${text.slice(at, entity.offset)}(hidden text)`;
    at = entity.offset + entity.length;
  }
  return result + text.slice(at);
}
