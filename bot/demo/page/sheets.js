import { el } from "./dom.js";
import { findStart, readLink } from "./links.js";

const LANGUAGES = [["en", "English"], ["de", "Deutsch"], ["es", "Español"], ["fr", "Français"], ["it", "Italiano"], ["nl", "Nederlands"], ["pl", "Polski"], ["pt-br", "Português (Brasil)"], ["tr", "Türkçe"], ["uk", "Українська"], ["ar", "العربية"], ["ja", "日本語"]];
const CODE = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i;

// Far apart and different in kind: with summer time, without it, and with an offset of 5:45.
const PLACES = [
  { name: "Lisbon", latitude: 38.7223, longitude: -9.1393 },
  { name: "Berlin", latitude: 52.52, longitude: 13.405 },
  { name: "New York", latitude: 40.7128, longitude: -74.006 },
  { name: "Kathmandu", latitude: 27.7172, longitude: 85.324 },
  { name: "Sydney", latitude: -33.8688, longitude: 151.2093 },
];

export const nameOfLanguage = (code) => LANGUAGES.find(([known]) => known === code?.toLowerCase())?.[1] ?? code;

const cancel = { label: "Cancel" };

/** A field with its label and a place for an error message. */
function field(id, label, control) {
  const error = el("p", { class: "error", role: "alert" });
  control.id = id;
  return { error, nodes: [el("label", { for: id }, label), control, error] };
}

export function alertSheet(overlay, botName, text) {
  overlay.sheet(botName, el("p", { class: "pre" }, text), [{ label: "OK", main: true }], { alert: true });
}

export function deleteSheet(overlay, onDelete) {
  overlay.sheet("Delete this message?", el("p", {}, "It goes from this phone only. A bot is not told."), [cancel, { label: "Delete", main: true, danger: true, pick: onDelete }], { alert: true });
}

export function photoSheet(overlay, url, alt) {
  overlay.sheet("Picture", el("img", { src: url, alt, class: "large" }), [{ label: "Close", main: true }], { wide: true });
}

export function placeSheet(overlay, onPlace) {
  const list = el("div", { class: "choices" }, PLACES.map((place) => el("button", {
    type: "button",
    on: {
      click: () => {
        overlay.close();
        onPlace(place);
      },
    },
  }, place.name)));
  overlay.sheet("Where should this phone be?", list, [cancel]);
}

export function languageSheet(overlay, current, onLanguage) {
  const known = LANGUAGES.some(([code]) => code === current?.toLowerCase());
  const select = el("select", {}, LANGUAGES.map(([code, name]) => el("option", { value: code }, name)), el("option", { value: "" }, "Another one…"));
  const code = el("input", { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "16", placeholder: "sv, zh-hans…" });
  select.value = known ? current.toLowerCase() : "";
  if (!known) code.value = current ?? "";
  const main = field(`${overlay.phone.id}-language`, "Telegram’s language on this phone", select);
  const other = field(`${overlay.phone.id}-language-code`, "Its code", code);
  const otherBox = el("div", { hidden: select.value !== "" }, other.nodes);
  select.addEventListener("change", () => {
    otherBox.hidden = select.value !== "";
    if (!otherBox.hidden) code.focus();
  });
  const pick = () => {
    const chosen = select.value || code.value.trim().toLowerCase();
    if (CODE.test(chosen)) return onLanguage(chosen);
    other.error.textContent = "A language code looks like sv or zh-hans.";
    code.focus();
    return false;
  };
  overlay.sheet("Language", [...main.nodes, otherBox, el("p", { class: "hint" }, "This page stays English. The bot is told this language with every message.")], [cancel, { label: "Use it", main: true, pick }]);
}

export function linkSheet(overlay, botName, onStart) {
  const input = el("input", { type: "text", autocomplete: "off", spellcheck: "false", inputmode: "url", placeholder: `https://t.me/${botName}?start=…` });
  const { nodes, error } = field(`${overlay.phone.id}-link`, "A link to the bot, as somebody passed it on", input);
  const pick = () => {
    const link = findStart(input.value, botName) ?? readLink(input.value, botName);
    if (link?.kind === "start") return onStart(link.payload);
    if (link?.kind === "chat") return onStart(null);
    error.textContent = `That is not a link to @${botName}.`;
    input.focus();
    return false;
  };
  overlay.sheet("Open a link", nodes, [cancel, { label: "Open", main: true, pick }]);
}

export function forwardSheet(overlay, onForward) {
  const input = el("textarea", { rows: "3", maxlength: "4096" });
  input.value = "Don’t forget the bins. M.";
  const { nodes, error } = field(`${overlay.phone.id}-forward`, "What somebody else wrote", input);
  const pick = () => {
    if (input.value.trim() !== "") return onForward(input.value);
    error.textContent = "There is nothing to forward.";
    return false;
  };
  overlay.sheet("Forward a text to the bot", nodes, [cancel, { label: "Forward", main: true, pick }]);
}

export function webSheet(overlay, href) {
  const open = el("a", { href, target: "_blank", rel: "noopener noreferrer", class: "button main", on: { click: () => overlay.close() } }, "Open");
  overlay.sheet("Open this link?", [el("p", { class: "address" }, href), el("p", {}, open)], [cancel]);
}

/** Open a share link: Telegram would offer a choice of chats; here the text is for the other phone. */
export function shareSheet(overlay, text, onCopy) {
  overlay.sheet("Pass it on", [el("p", { class: "pre address" }, text), el("p", { class: "hint" }, "Copy it, then paste it on the other phone, or open it there from its menu.")], [cancel, { label: "Copy", main: true, pick: () => onCopy(text) }]);
}

export function aboutSheet(overlay, bot, language, byLanguage) {
  const commands = byLanguage(bot.commands) ?? [];
  overlay.sheet(bot.first_name, [
    el("p", { class: "hint" }, `@${bot.username}`),
    el("p", { class: "pre" }, byLanguage(bot.short_description) || "A bot."),
    commands.length ? el("dl", {}, commands.map((item) => [el("dt", {}, `/${item.command}`), el("dd", {}, item.description)])) : null,
  ], [{ label: "Close", main: true }]);
}
