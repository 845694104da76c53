const MINUTE = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
const DAY_MS = 86_400_000;

/** A date from the stand-in: Unix seconds or ISO 8601. */
export function toDate(value) {
  return typeof value === "number" ? new Date(value * 1000) : new Date(value);
}

/** Formats times in one zone; without a name, that of the machine that shows the page. */
export class Zone {
  constructor(name) {
    this.name = name ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    const format = (options) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone: this.name });
    this.hoursFormat = format({ hour: "2-digit", minute: "2-digit" });
    this.dayFormat = format({ day: "numeric", month: "long" });
    this.dayAndYearFormat = format({ day: "numeric", month: "long", year: "numeric" });
    this.minutesFormat = format({ ...MINUTE, timeZoneName: "short" });
    this.fullFormat = format({ ...MINUTE, second: "2-digit", timeZoneName: "short" });
    this.partsFormat = format({ year: "numeric", month: "numeric", day: "numeric" });
  }

  /** "Berlin" for Europe/Berlin. */
  get city() {
    return this.name.split("/").at(-1).replaceAll("_", " ");
  }

  hours(date) {
    return this.hoursFormat.format(date);
  }

  /** With weekday, date and zone; `full` includes the seconds too. */
  minutes(date) {
    return this.minutesFormat.format(date);
  }

  full(date) {
    return this.fullFormat.format(date);
  }

  #calendar(date) {
    const parts = this.partsFormat.formatToParts(date).map(({ type, value }) => [type, Number(value)]);
    return Object.fromEntries(parts);
  }

  /** Days since 1970 of the zone's local date. */
  dayNumber(date) {
    const { year, month, day } = this.#calendar(date);
    return Date.UTC(year, month - 1, day) / DAY_MS;
  }

  /** "Today", "Yesterday" or "22 November", with the year if it isn't the current one. */
  dayName(date, now) {
    const days = this.dayNumber(now) - this.dayNumber(date);
    if (days === 0) return "Today";
    if (days === 1) return "Yesterday";
    const sameYear = this.#calendar(date).year === this.#calendar(now).year;
    return (sameYear ? this.dayFormat : this.dayAndYearFormat).format(date);
  }
}

/** The demo's time: what the stand-in said last, plus the real seconds since then. */
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
