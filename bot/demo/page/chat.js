import { el, iconButton } from "./dom.js";
import { renderMessage, summary } from "./message.js";
import { demoClock, toDate } from "./times.js";

const NEAR_PX = 80;
const LONG_PRESS_MS = 500;
const LEAVE_MS = 180;
const FLASH_MS = 1400;
const STOPS = "a[href], button:not(.more), .spoiler:not(.open)";
const DAY_MS = 1500;
const DAY_GAP_PX = 9; // above a day's name that stands at its own place

/**
 * The list of messages on one phone. It redraws only what changed, keeps the focus and the reading position,
 * and calls `onNews` (to announce it) with what the bot wrote or changed.
 */
export class Chat {
  /** `zone` returns the zone in which this phone shows times, and `language` the language the bot uses here. */
  constructor({ names, botName, zone, language, actions, onNews }) {
    Object.assign(this, { names, botName, zone, language, actions, onNews });
    this.drawn = new Map(); // message id -> {json, node, message}
    this.days = new Map();
    this.opened = new Set();
    this.loading = new Set();
    this.empty = el("div", { class: "empty" });
    this.list = el("ol", { class: "list" });
    this.scroller = el("div", { class: "scroller" }, this.empty, this.list);
    this.jump = iconButton("down", "To the newest message", () => this.toEnd(true), "jump");
    this.jump.hidden = true;
    this.node = el("div", { class: "chat" }, this.scroller, this.jump);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.list.addEventListener("keydown", (event) => this.#keys(event));
    this.list.addEventListener("contextmenu", (event) => this.#menu(event));
    this.list.addEventListener("focusin", (event) => this.#rove(event.target.closest?.(".msg")?.querySelector(".bubble")));
    this.#longPress();
    // A picture that loads late or a footer that grows must not push the newest message out of sight.
    this.pinned = true;
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(this.scroller);
    this.list.addEventListener("load", () => this.pinned && this.toEnd(), true);
  }

  find(id) {
    const drawn = this.drawn.get(id);
    return drawn?.message;
  }

  /** Update the list to these messages. Nothing is announced the first time. */
  show(messages, { first, redraw }) {
    this.list.setAttribute("aria-label", `Chat of ${this.names().user} with ${this.names().bot}`);
    const kept = messages.filter((message) => !message.deleted);
    const news = [];
    const byDay = new Map();
    this.#dropGone(new Set(kept.map((message) => message.message_id)));
    for (const message of kept) {
      const date = toDate(message.date);
      const key = this.zone().dayNumber(date);
      if (!byDay.has(key)) byDay.set(key, { date, nodes: [] });
      byDay.get(key).nodes.push(this.#message(message, news, { first, redraw }));
    }
    arrange(this.list, [...byDay].map(([key, { date }]) => this.#day(key, date).node));
    for (const [key, { date, nodes }] of byDay) arrange(this.#day(key, date).list, nodes);
    this.#tails(kept);
    const isNew = news.some((item) => item.fresh);
    const sent = news.some((item) => item.fresh && item.message.from === "user");
    if (first || this.pinned || sent) this.toEnd();
    else if (isNew) this.jump.classList.add("news");
    if (!first) for (const item of news) if (item.message.from === "bot") this.onNews(item);
    const here = this.list.contains(document.activeElement) ? document.activeElement.closest(".msg:not(.leaving)") : null;
    this.#rove(here?.querySelector(".bubble") ?? this.#bubbles().at(-1));
    this.#seen();
  }

  #message(message, news, { first, redraw }) {
    const id = message.message_id;
    const json = JSON.stringify(message);
    const before = this.drawn.get(id);
    if (before && before.json === json && !redraw) return before.node;
    const node = renderMessage(message, this.#view());
    this.drawn.set(id, { json, node, message });
    if (before) {
      this.#replace(before.node, node);
      if (summary(before.message) !== summary(message)) news.push({ message, fresh: false });
    } else {
      if (!first) node.classList.add("arriving");
      news.push({ message, fresh: true });
    }
    return node;
  }

  #view() {
    return {
      ...this.actions,
      names: this.names(),
      botName: this.botName(),
      zone: this.zone(),
      language: this.language(),
      find: (id) => this.find(id),
      isOpen: (id) => this.opened.has(id),
      isLoading: (key) => this.loading.has(key),
      reveal: (id) => this.#reveal(id),
      quote: (id) => this.goTo(id),
    };
  }

  /** Replace a message's node, keeping the focus on it or on its buttons. */
  #replace(old, node) {
    const focused = old.contains(document.activeElement) ? (document.activeElement.dataset.focus ?? "bubble") : null;
    const roving = old.querySelector(".bubble").tabIndex;
    old.replaceWith(node);
    const bubble = node.querySelector(".bubble");
    bubble.tabIndex = roving;
    if (focused !== null) (node.querySelector(`[data-focus="${focused}"]`) ?? bubble).focus({ preventScroll: true });
  }

  #dropGone(present) {
    for (const [id, { node }] of this.drawn) {
      if (present.has(id)) continue;
      this.drawn.delete(id);
      if (node.contains(document.activeElement)) {
        const all = this.#bubbles();
        const here = all.findIndex((bubble) => node.contains(bubble));
        (all[here + 1] ?? all[here - 1] ?? this.scroller).focus({ preventScroll: true });
      }
      node.classList.add("leaving");
      node.inert = true;
      setTimeout(() => {
        const list = node.parentNode;
        node.remove();
        if (list && !list.hasChildNodes()) list.closest(".day").remove();
      }, LEAVE_MS);
    }
  }

  /** Each day has a list of its own, so that its name floats only over its own messages. */
  #day(key, date) {
    if (!this.days.has(key)) {
      const name = el("span", {}, this.zone().dayName(date, demoClock.now()));
      const list = el("ol", { "aria-label": name.textContent });
      this.days.set(key, { date, name, list, node: el("li", { class: "day" }, el("div", { class: "day-name" }, name), list) });
    }
    return this.days.get(key);
  }

  /** Show times, and the days they fall on, in the current zone. */
  changeZone(messages) {
    for (const { node } of this.days.values()) node.remove();
    this.days.clear();
    this.show(messages, { first: true, redraw: true });
  }

  /** Update "Today" and "Yesterday" after the clock has moved. */
  renameDays() {
    for (const { date, name, list } of this.days.values()) {
      name.textContent = this.zone().dayName(date, demoClock.now());
      list.setAttribute("aria-label", name.textContent);
    }
  }

  #tails(messages) {
    const zone = this.zone();
    for (const [index, message] of messages.entries()) {
      const next = messages[index + 1];
      const { node } = this.drawn.get(message.message_id);
      const last = next?.from !== message.from || zone.dayNumber(toDate(next.date)) !== zone.dayNumber(toDate(message.date));
      node.classList.toggle("tail", last);
    }
  }

  setLoading(key, on) {
    if (on) this.loading.add(key);
    else this.loading.delete(key);
    const button = this.list.querySelector(`[data-key="${key}"]`);
    button?.classList.toggle("loading", on);
    if (on) button?.setAttribute("aria-busy", "true");
    else button?.removeAttribute("aria-busy");
  }

  #reveal(id) {
    this.opened.add(id);
    const drawn = this.drawn.get(id);
    const node = renderMessage(drawn.message, this.#view());
    node.classList.toggle("tail", drawn.node.classList.contains("tail"));
    this.#replace(drawn.node, node);
    drawn.node = node;
    this.actions.opened([...node.querySelectorAll(".spoiler.open")].map((part) => part.textContent).join(" "));
  }

  goTo(id) {
    const drawn = this.drawn.get(id);
    if (!drawn) return this.actions.gone();
    drawn.node.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
    drawn.node.classList.add("flash");
    setTimeout(() => drawn.node.classList.remove("flash"), FLASH_MS);
    drawn.node.querySelector(".bubble").focus({ preventScroll: true });
    return undefined;
  }

  toEnd(smooth = false) {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth && !calm() ? "smooth" : "auto" });
    this.pinned = true;
    this.jump.classList.remove("news");
  }

  /** The name of the day floats over older messages only while the user scrolls, as in Telegram. */
  #scrolled() {
    this.#seen();
    this.scroller.classList.toggle("looking", !this.pinned);
    clearTimeout(this.looked);
    this.looked = setTimeout(() => this.scroller.classList.remove("looking"), DAY_MS);
  }

  #seen() {
    for (const { node, name } of this.days.values()) {
      const label = name.parentElement;
      label.classList.toggle("floating", label.offsetTop - node.offsetTop > DAY_GAP_PX);
    }
    // A change of size, whose scroll event comes before the observer's, rather than a user scrolling: stay at the end.
    const size = `${this.scroller.scrollHeight}/${this.scroller.clientHeight}`;
    if (this.pinned && size !== this.size) {
      this.size = size;
      this.toEnd();
      return;
    }
    this.size = size;
    const below = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
    this.pinned = below < NEAR_PX;
    this.jump.hidden = this.pinned;
    if (this.pinned) this.jump.classList.remove("news");
  }

  #bubbles() {
    return [...this.list.querySelectorAll(".msg:not(.leaving) .bubble")];
  }

  /** One message at a time is in the tab order, with its contents; the arrow keys move to the others. */
  #rove(bubble) {
    if (!bubble) return;
    for (const each of this.#bubbles()) {
      each.tabIndex = each === bubble ? 0 : -1;
      for (const stop of each.closest(".msg").querySelectorAll(STOPS)) stop.tabIndex = each.tabIndex;
    }
  }

  #keys(event) {
    if (!event.target.classList.contains("bubble")) return;
    const all = this.#bubbles();
    const here = all.indexOf(event.target);
    const next = { ArrowUp: all[here - 1], ArrowDown: all[here + 1], Home: all[0], End: all.at(-1) }[event.key];
    if (next) {
      event.preventDefault();
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#open(event.target);
    }
  }

  #menu(event) {
    const bubble = event.target.closest(".bubble");
    if (!bubble) return;
    event.preventDefault();
    this.#open(bubble, event.clientX > 0 ? { x: event.clientX, y: event.clientY } : undefined);
  }

  #open(bubble, point) {
    const message = this.find(Number(bubble.closest(".msg").dataset.id));
    bubble.focus({ preventScroll: true });
    if (message) this.actions.more(message, bubble, point);
  }

  /** Safari on a phone sends no contextmenu event for a long press, so we detect a finger that stays down. */
  #longPress() {
    let timer;
    const cancel = () => clearTimeout(timer);
    this.list.addEventListener("pointerdown", (event) => {
      const bubble = event.target.closest(".bubble");
      if (event.pointerType !== "touch" || !bubble) return;
      timer = setTimeout(() => this.#open(bubble, { x: event.clientX, y: event.clientY }), LONG_PRESS_MS);
    });
    for (const type of ["pointerup", "pointercancel", "pointermove"]) this.list.addEventListener(type, cancel);
  }
}

/** Make these nodes, in this order, the children of a list; nodes that are animating out may finish. */
function arrange(list, wanted) {
  const keep = new Set(wanted);
  for (const node of [...list.children]) if (!keep.has(node) && !node.querySelector(".leaving") && !node.classList.contains("leaving")) node.remove();
  let cursor = list.firstChild;
  for (const node of wanted) {
    while (cursor && !keep.has(cursor)) cursor = cursor.nextSibling;
    if (node === cursor) cursor = cursor.nextSibling;
    else list.insertBefore(node, cursor);
  }
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
