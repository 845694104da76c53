import { Refused, moveClock } from "./api.js";
import { Zone, demoClock } from "./times.js";

/**
 * The clock bar: it ticks in real seconds from wherever it was moved to. `note` shows and announces a sentence, `onTick`
 * is called with each new second, and `onDay` with each new day in the bar's zone.
 */
export class ClockBar {
  constructor({ note, onDay, onTick }) {
    Object.assign(this, { note, onDay, onTick });
    this.zone = new Zone();
    this.time = document.getElementById("now");
    this.live = document.getElementById("live");
    this.buttons = [...document.querySelectorAll("#jumps button")];
    for (const button of this.buttons) button.addEventListener("click", () => this.#jump(button));
    setInterval(() => this.#tick(), 250);
  }

  set(clock) {
    demoClock.set(clock);
    this.known = true;
    this.#tick();
  }

  /** Show the time in this zone from now on. */
  setZone(zone) {
    this.zone = zone;
    this.#tick();
  }

  setConnected(connected) {
    this.live.classList.toggle("lost", !connected);
    this.live.textContent = connected ? "Live" : "Lost";
  }

  #tick() {
    if (!this.known) return;
    const now = demoClock.now();
    const text = this.zone.full(now);
    if (this.time.textContent === text) return;
    this.time.textContent = text;
    this.time.dateTime = now.toISOString();
    this.onTick();
    const day = this.zone.dayNumber(now);
    if (this.day !== day) this.onDay();
    this.day = day;
  }

  async #jump(button) {
    if (this.busy) return;
    this.busy = true;
    button.setAttribute("aria-busy", "true");
    const how = button.dataset.to ? { to: button.dataset.to } : { advance: Number(button.dataset.advance), walk: true };
    try {
      const clock = await moveClock(how);
      if (clock?.now) this.set(clock);
      this.note(`It is now ${this.zone.minutes(demoClock.now())}.`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.note(error.message);
    } finally {
      this.busy = false;
      button.removeAttribute("aria-busy");
    }
  }
}
