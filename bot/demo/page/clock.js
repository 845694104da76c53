import { Refused, moveClock } from "./api.js";
import { dayNumber, demoClock, full, minutes } from "./times.js";

/** The clock bar: it ticks with real seconds from wherever it was moved to. `note` shows and says a sentence. */
export class ClockBar {
  constructor({ note, onDay }) {
    Object.assign(this, { note, onDay });
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

  setConnected(connected) {
    this.live.classList.toggle("lost", !connected);
    this.live.textContent = connected ? "Live" : "Lost";
  }

  #tick() {
    if (!this.known) return;
    const now = demoClock.now();
    const text = full(now);
    if (this.time.textContent === text) return;
    this.time.textContent = text;
    this.time.dateTime = now.toISOString();
    const day = dayNumber(now);
    if (this.day !== day) this.onDay();
    this.day = day;
  }

  async #jump(button) {
    if (this.busy) return;
    this.busy = true;
    button.setAttribute("aria-busy", "true");
    const how = button.dataset.to ? { to: button.dataset.to } : { advance: Number(button.dataset.advance) };
    try {
      const clock = await moveClock(how);
      if (clock?.now) this.set(clock);
      this.note(`It is now ${minutes(demoClock.now())}.`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.note(error.message);
    } finally {
      this.busy = false;
      button.removeAttribute("aria-busy");
    }
  }
}
