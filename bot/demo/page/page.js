import { Refused, follow, readZones } from "./api.js";
import { ClockBar } from "./clock.js";
import { el } from "./dom.js";
import { Phone } from "./phone.js";

const NOTE_MS = 5000;
const LOG_LINES = 20;
const SHOWN = 2;
const ZONES_MS = 300;
const narrow = matchMedia("(max-width: 47.5em)");
const phones = new Map();
let current = null;

const at = (id) => document.getElementById(id);

/** Announce a text to screen readers in its language, without showing it. */
function announce(text, language) {
  at("log").append(el("p", { lang: language }, text));
  while (at("log").childElementCount > LOG_LINES) at("log").firstChild.remove();
}

/** Show a sentence that belongs to no phone; screen readers announce it too. */
function note(text) {
  const line = el("p", { class: "toast" }, text);
  at("notes").replaceChildren(line);
  setTimeout(() => line.remove(), NOTE_MS + text.length * 30);
}

/** Alice and Bob, or the people in the page's address: ?phones=1001,1003 */
function wanted(all) {
  const named = new URLSearchParams(location.search).get("phones");
  if (named === null) return all.slice(0, SHOWN);
  const ids = named.split(",").map(Number);
  return all.filter((phone) => ids.includes(phone.user.id));
}

function addPhone(data) {
  const phone = new Phone(data, { announce, note, onNews: markTab });
  const title = el("h2", {}, data.user.first_name);
  phone.tab = el("button", { type: "button", role: "tab", id: `tab-${phone.id}`, "aria-controls": `frame-${phone.id}`, on: { click: () => choose(phone.id) } }, el("span", { class: "tab-name" }, data.user.first_name), el("span", { class: "unread" }));
  phone.frame = el("div", { class: "frame", id: `frame-${phone.id}` }, title, phone.node);
  phones.set(phone.id, phone);
  at("phones").append(phone.frame);
  at("tabs").append(phone.tab);
  at("skips").append(el("a", { href: `#composer-${phone.id}`, on: { click: (event) => skipTo(event, phone) } }, `Skip to ${data.user.first_name}’s message field`));
  return phone;
}

function skipTo(event, phone) {
  event.preventDefault();
  choose(phone.id);
  const target = [phone.composer.field, phone.start, phone.restart].find((node) => node.checkVisibility());
  target?.focus();
}

/** Narrow screens show one phone at a time, in tabs; wide ones show all of them, without tabs. */
function layout() {
  const tabs = at("tabs");
  tabs.hidden = !narrow.matches;
  if (narrow.matches) tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", "Phones");
  for (const phone of phones.values()) {
    const shown = phone.id === current;
    phone.frame.hidden = narrow.matches && !shown;
    phone.tab.setAttribute("aria-selected", String(shown));
    phone.tab.tabIndex = shown ? 0 : -1;
    if (narrow.matches) {
      phone.frame.setAttribute("role", "tabpanel");
      phone.frame.setAttribute("aria-labelledby", phone.tab.id);
    } else {
      phone.frame.removeAttribute("role");
      phone.frame.removeAttribute("aria-labelledby");
    }
    if (!phone.frame.hidden) phone.tab.querySelector(".unread").textContent = "";
  }
}

function choose(id) {
  current = id;
  layout();
  phones.get(id).chat.toEnd();
}

function markTab(phone) {
  if (!phone.frame.hidden) return;
  const badge = phone.tab.querySelector(".unread");
  const count = Number(badge.dataset.count ?? 0) * (badge.textContent === "" ? 0 : 1) + 1;
  badge.dataset.count = String(count);
  badge.replaceChildren(String(count), el("span", { class: "sr" }, " new"));
}

function onState(state) {
  clock.set(state.clock);
  for (const data of wanted(state.phones)) {
    const phone = phones.get(data.user.id) ?? addPhone(data);
    phone.data = data;
    phone.setBot(state.bot);
  }
  current ??= [...phones.keys()][0] ?? null;
  document.title = `${state.bot.first_name} demo`;
  at("phones").setAttribute("aria-busy", "false");
  layout();
  hint();
  followZones();
}

let zonesAsked = false;

/** Ask which zones people have told the bot; one request covers everything that happens within a moment. */
async function followZones() {
  if (zonesAsked) return;
  zonesAsked = true;
  await new Promise((done) => setTimeout(done, ZONES_MS));
  zonesAsked = false;
  try {
    const zones = await readZones();
    for (const phone of phones.values()) phone.setZone(zones[phone.id]);
    const first = phones.get(current ?? [...phones.keys()][0]);
    if (first) clock.setZone(first.zone);
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // the connection line says so already
  }
}

/** Show what to do first until somebody has done it. */
function hint() {
  const first = phones.values().next().value;
  const begun = [...phones.values()].some((phone) => phone.data.started);
  at("hint").hidden = begun || !first;
  if (first && !begun) at("hint").textContent = `Press Start on ${first.owner}’s phone. Then the buttons at the top move the clock: “Next message” brings what comes next.`;
}

function onConnection(connected) {
  clock.setConnected(connected);
  const line = at("connection");
  if (line.hidden === connected) return;
  line.hidden = connected;
  line.textContent = connected ? "" : "The demo does not answer. Trying again…";
}

function themes() {
  const button = at("theme");
  const names = { auto: "Theme: auto", light: "Theme: light", dark: "Theme: dark" };
  const paint = () => {
    const theme = document.documentElement.dataset.theme ?? "auto";
    button.textContent = names[theme];
    button.dataset.theme = theme;
  };
  button.addEventListener("click", () => {
    const order = ["auto", "light", "dark"];
    const next = order[(order.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % order.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === "auto") localStorage.removeItem("ajar-theme");
      else localStorage.setItem("ajar-theme", next);
    } catch {
      note("The browser keeps no settings here; the theme lasts until the page is left.");
    }
    paint();
  });
  paint();
}

const clock = new ClockBar({ note, onDay: () => phones.forEach((phone) => phone.chat.renameDays()), onTick: () => phones.forEach((phone) => phone.tick()) });
themes();
document.body.append(el("p", { id: "message-hint", hidden: true }, "Enter shows what you can do with it; the arrow keys go to other messages."));
at("tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const ids = [...phones.keys()];
  choose(ids.at((ids.indexOf(current) + step) % ids.length));
  phones.get(current).tab.focus();
});
narrow.addEventListener("change", layout);
follow({
  onState,
  onClock: (value) => clock.set(value),
  onBot: (bot) => phones.forEach((phone) => phone.setBot(bot)),
  onPhone: (data) => {
    phones.get(data.user.id)?.update(data);
    hint();
    followZones();
  },
  onToast: (toast) => phones.get(toast.user_id)?.showToast(toast),
  onAction: (action) => phones.get(action.user_id)?.showAction(action),
  onConnection,
});
