// The zone of the machine that shows the page, as on a phone; its name stands beside the clock. Where a person is, only
// the bot is told.
const HOURS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const MINUTE = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
const SHORT = new Intl.DateTimeFormat("en-GB", { ...MINUTE, timeZoneName: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { ...MINUTE, second: "2-digit", timeZoneName: "short" });
const DAY_MS = 86_400_000;

/** A date from the stand-in: unix seconds, or ISO 8601. */
export function toDate(value) {
  return typeof value === "number" ? new Date(value * 1000) : new Date(value);
}

export const hours = (date) => HOURS.format(date);
/** With weekday, date and zone; `full` has the seconds too. */
export const minutes = (date) => SHORT.format(date);
export const full = (date) => FULL.format(date);

/** Days since 1970, of the date that a calendar on the wall shows. */
export const dayNumber = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY_MS;

/** "Today", "Yesterday", "22 November", with the year when it is another one than now's. */
export function dayName(date, now) {
  const days = dayNumber(now) - dayNumber(date);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.getFullYear() === now.getFullYear() ? DAY.format(date) : DAY_AND_YEAR.format(date);
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
