// One zone for the whole page, said once beside the clock: where a person is, only the bot is told.
const zone = { timeZone: "UTC" };
const HOURS = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { ...zone, day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat("en-GB", { ...zone, day: "numeric", month: "long", year: "numeric" });
const FULL = new Intl.DateTimeFormat("en-GB", { ...zone, weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY_MS = 86_400_000;

/** A date from the stand-in: unix seconds, or ISO 8601. */
export function toDate(value) {
  return typeof value === "number" ? new Date(value * 1000) : new Date(value);
}

export const hours = (date) => HOURS.format(date);
export const full = (date) => FULL.format(date);
export const dayKey = (date) => date.toISOString().slice(0, 10);

/** "Today", "Yesterday", "22 November", with the year when it is another one than now's. */
export function dayName(date, now) {
  const days = Math.floor(now.getTime() / DAY_MS) - Math.floor(date.getTime() / DAY_MS);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.getUTCFullYear() === now.getUTCFullYear() ? DAY.format(date) : DAY_AND_YEAR.format(date);
}

/** The demo's time: what the stand-in said last, and the real seconds since. */
export const demoClock = {
  base: Date.now(),
  read: performance.now(),
  set(clock) {
    this.base = Date.parse(clock.now);
    this.read = performance.now();
  },
  now() {
    return new Date(this.base + performance.now() - this.read);
  },
};
