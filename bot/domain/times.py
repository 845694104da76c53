"""All arithmetic with local time: slots, quiet hours, "tonight", and which clocks exist.

Every instant that goes in or comes out is an aware datetime (results are in UTC); a date or a time of day on its own
is the user's local one. A naive instant raises ValueError, a zone that the machine doesn't know KeyError (check with
`is_zone` beforehand). The rules come from the tz database: the system's copy if there is one, otherwise the `tzdata`
package's; setting the environment variable PYTHONTZPATH to an empty value selects the package.

The slot rule: the slot of a local date is the first valid instant of the wanted local time on it (fold=0); if the
clocks skip that time, it is the first instant after the jump; a date that never existed (Apia, 2011-12-30) has none.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from bot.domain.zones import KNOWN_ZONES, MORE_ABBREVIATIONS

Days: TypeAlias = frozenset[int]
"""Weekdays, Monday is 0 as in `date.weekday()`."""

EVERY_DAY: Days = frozenset(range(7))

MISS_AFTER = timedelta(hours=6)
"""A slot that is found later than this after its time is recorded as missed and no longer asked."""

CATCH_UP = timedelta(days=31)
"""How far back we look for slots after the bot was down: nobody needs older ones."""

MORNING = time(8, 0)
EARLY_EVENING = time(18, 0)
EVENING = time(20, 30)
LATE_EVENING = time(22, 0)
NIGHT_ENDS = time(4, 0)
"""Before this hour people still call it the evening before."""

_AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
_RANKS = {name: rank for rank, name in enumerate(KNOWN_ZONES)}
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Slot:
    """The moment `at` (UTC) that stands for the local date `day`."""

    day: date
    at: datetime


# --- zones -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)  # more than there are zones; ZoneInfo itself only remembers the last eight
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Return whether `name` is a place's zone ("Europe/Berlin") or "UTC", spelled as in this machine's tz database.

    Fixed offsets ("Etc/GMT+5", "EST") and the database's leftovers ("Factory", "posixrules", "US/Pacific") don't count.
    """
    if name == "UTC":
        return True
    area, _, place = name.partition("/")
    if area not in _AREAS or not place:
        return False
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder such as America/Argentina
        return False
    return True


def local(now: datetime, zone: str) -> datetime:
    """Return `now` as the clocks in `zone` show it (aware)."""
    return _aware(now).astimezone(_zone(zone))


def local_date(now: datetime, zone: str) -> date:
    return local(now, zone).date()


def year_before(day: date) -> date:
    """Return the same date a year earlier; 28 February for 29 February."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("an instant needs a time zone; this datetime is naive")
    return moment


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return _known(moment.astimezone(zone).utcoffset())


def _known(offset: timedelta | None) -> timedelta:
    assert offset is not None  # noqa: S101 - only a naive datetime has none
    return offset


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second after `before` with a different offset, which `after` must have.

    Changes always happen on full seconds.
    """
    old = _offset(before, zone)
    low = before.replace(microsecond=0)
    high = after.replace(microsecond=0) + _SECOND
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        low, high = (middle, high) if _offset(middle, zone) == old else (low, middle)
    return high


def _changes(zone: ZoneInfo, start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield when the offset changes after `start`, up to `end`. Two changes within one `step` can go unnoticed."""
    old = _offset(start, zone)
    while start < end:
        following = min(start + step, end)
        new = _offset(following, zone)
        if new != old:
            yield _change(zone, start, following)
        start, old = following, new


# --- slots -----------------------------------------------------------------------------------------------------------


def instant(day: date, at: time, zone: str) -> datetime | None:
    """Return the slot of `day` at `at` by the rule above, in UTC; None if that date doesn't exist in `zone`."""
    rules = _zone(zone)
    wall = datetime.combine(day, at.replace(fold=0), tzinfo=rules)
    first, second = _known(wall.utcoffset()), _known(wall.replace(fold=1).utcoffset())
    naive = wall.replace(tzinfo=UTC)
    if second <= first:
        return naive - first
    # PEP 495: inside a gap the two readings are on either side of the jump.
    jump = _change(rules, naive - second, naive - first)
    midnight = datetime.combine(day, time(), tzinfo=UTC)
    if jump + first <= midnight and jump + second >= midnight + _DAY:
        return None
    return jump


def next_slot(
    after: datetime,
    at: time,
    zone: str,
    *,
    days: Days = EVERY_DAY,
    last_day: date | None = None,
) -> Slot:
    """Return the first slot strictly after `after`, on an allowed weekday and a local date later than `last_day`.

    `last_day` is the last local date that was asked or recorded. It ensures that no local date comes twice, whatever
    happens to the zone, the hour or the machine's clock. Raises ValueError if `days` contains no weekday.
    """
    if not days & EVERY_DAY:
        raise ValueError("a schedule needs at least one weekday (0 to 6)")
    # No earlier date can still have a slot: once the clock has shown a date, it has passed all earlier ones.
    day = local_date(after, zone)
    if last_day is not None:
        day = max(day, last_day + _DAY)
    while True:
        if day.weekday() in days:
            moment = instant(day, at, zone)
            if moment is not None and moment > after:
                return Slot(day, moment)
        day += _DAY


def changed_slot(
    now: datetime,
    planned: Slot | None,
    at: time,
    zone: str,
    *,
    days: Days = EVERY_DAY,
    last_day: date | None = None,
) -> Slot:
    """Return the next slot after a user has changed their hour, zone or weekdays, without losing a planned date.

    `planned` is the slot before the change. If today (the new local date) is still unasked and its new time has
    already passed, today keeps the moment planned before, or, if that is no longer today, is due now.
    """
    new = next_slot(now, at, zone, days=days, last_day=last_day)
    today = local_date(now, zone)
    if planned is None or planned.day > today or new.day <= today:
        return new
    if today.weekday() not in days or (last_day is not None and last_day >= today):
        return new
    if planned.at > now and local_date(planned.at, zone) == today:
        return Slot(today, planned.at)
    return Slot(today, now.astimezone(UTC))


def next_weekly(after: datetime, weekday: int, at: time, zone: str) -> Slot:
    """Return the first slot strictly after `after` on `weekday` (Monday is 0): the Ritual's next moment."""
    return next_slot(after, at, zone, days=frozenset({weekday}))


# --- "later", "tonight", "tomorrow morning" --------------------------------------------------------------------------

APART = timedelta(minutes=15)
"""The least time between two moments that are offered side by side; nearer ones would be the same choice twice."""


def tonight(now: datetime, zone: str, *, least: timedelta = timedelta(hours=1)) -> datetime | None:
    """Return 20:30 local, or 22:00 if that is less than `least` away; None after that, and before 04:00.

    After midnight the night still belongs to the previous evening, so "tonight" would be misunderstood.
    """
    here = local(now, zone)
    if here.time() < NIGHT_ENDS:
        return None
    for at in (EVENING, LATE_EVENING):
        moment = instant(here.date(), at, zone)
        if moment is not None and moment - now >= least:
            return moment
    return None


def tomorrow_morning(now: datetime, zone: str) -> datetime:
    """Return the next 08:00 local after a night's sleep: tomorrow's, or today's if it is before 04:00."""
    here = local(now, zone)
    return next_slot(now, MORNING, zone, last_day=None if here.time() < NIGHT_ENDS else here.date()).at


class Later(StrEnum):
    """How long a tap can put off a question."""

    HOUR = "hour"
    TONIGHT = "tonight"
    MORNING = "morning"


def put_off_until(later: Later, now: datetime, zone: str) -> datetime | None:
    """Return the moment that `later` means to somebody in `zone`; None if it is too late in the day for it."""
    moments = {
        Later.HOUR: now + timedelta(hours=1),
        Later.TONIGHT: tonight(now, zone, least=timedelta(hours=1) + APART),
        Later.MORNING: tomorrow_morning(now, zone),
    }
    return moments[later]


def tomorrow_early_evening(now: datetime, zone: str) -> datetime:
    """Return 18:00 local on the next day: home from work, and the evening still ahead."""
    return next_slot(now, EARLY_EVENING, zone, last_day=local(now, zone).date()).at


def evening(now: datetime, zone: str, *, least: timedelta = timedelta(hours=1)) -> datetime:
    """Return tonight's moment, or 20:30 tomorrow if there is no "tonight" left."""
    found = tonight(now, zone, least=least)
    if found is not None:
        return found
    return next_slot(now + least, EVENING, zone).at


# --- quiet hours -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QuietHours:
    """Local hours from `start` up to, not including, `end`; they can wrap midnight; equal times mean none."""

    start: time
    end: time


def is_quiet(moment: datetime, zone: str, quiet: QuietHours) -> bool:
    return is_quiet_at(local(moment, zone).time(), quiet)


def after_quiet(moment: datetime, zone: str, quiet: QuietHours) -> datetime:
    """Return the first instant at or after `moment` at which the wall clock is outside quiet hours."""
    moment = _aware(moment).astimezone(UTC)
    if not is_quiet(moment, zone, quiet):
        return moment
    # Quiet hours end when the clock shows `end`, or when a clock change jumps past it. We look four days ahead, because
    # a jump can swallow a day's only free hour.
    rules, today = _zone(zone), local_date(moment, zone)
    ends = list(_changes(rules, moment, moment + 4 * _DAY, timedelta(hours=6)))
    for ahead in range(5):
        wall = datetime.combine(today + ahead * _DAY, quiet.end, tzinfo=rules)
        ends += [wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(end for end in ends if end > moment and not is_quiet(end, zone, quiet))


def is_quiet_at(at: time, quiet: QuietHours) -> bool:
    """Return whether this time of day is within the quiet hours."""
    if quiet.start <= quiet.end:
        return quiet.start <= at < quiet.end
    return at >= quiet.start or at < quiet.end


# --- words for a moment ----------------------------------------------------------------------------------------------

Relation: TypeAlias = Literal["today", "tomorrow", "weekday", "date"]


class DayWords(NamedTuple):
    """How to refer to a moment: by "today", "tomorrow", a weekday's name or its date; and its local time."""

    relation: Relation
    local: datetime


def day_relation(moment: datetime, now: datetime, zone: str) -> DayWords:
    """Return how to refer to `moment` at `now`. A weekday's name is for two to six days ahead, never for the past."""
    there = local(moment, zone)
    ahead = (there.date() - local_date(now, zone)).days
    if ahead in (0, 1):
        return DayWords("today" if ahead == 0 else "tomorrow", there)
    return DayWords("weekday" if 2 <= ahead <= 6 else "date", there)  # noqa: PLR2004 - the days of a week


# --- the hour at which somebody usually answers ----------------------------------------------------------------------

TYPICAL_NEEDS = 10  # answers
WORTH_MOVING = timedelta(minutes=90)  # we don't offer to move the hour for a habit closer to it than this
_HABIT_SPREAD = 120  # minutes; if half of the answers are further from the middle than this, there is no habit
_MINUTES = 24 * 60


def apart(a: time, b: time) -> timedelta:
    """Return the distance between two times of day, the shorter way round the clock: at most twelve hours."""
    return timedelta(minutes=_around(_minutes(a), _minutes(b)))


def typical_hour(times: Sequence[datetime]) -> time | None:
    """Return the median time of day of these local times, rounded down to the quarter hour.

    None if there are fewer than TYPICAL_NEEDS, or if they are scattered. It is a circular median: the time with the
    smallest total distance to all others. So one sleepless night doesn't count, and midnight isn't a boundary.
    """
    minutes = [_minutes(moment.time()) for moment in times]
    if len(minutes) < TYPICAL_NEEDS:
        return None
    middle = min(sorted(minutes), key=lambda here: sum(_around(here, other) for other in minutes))
    ways = sorted(_around(middle, other) for other in minutes)
    if ways[len(ways) // 2] > _HABIT_SPREAD:
        return None
    hour, minute = divmod(int(middle) // 15 * 15, 60)
    return time(hour, minute)


def _minutes(at: time) -> float:
    return at.hour * 60 + at.minute + at.second / 60


def _around(a: float, b: float) -> float:
    way = abs(a - b)
    return min(way, _MINUTES - way)


# --- which clocks exist now ------------------------------------------------------------------------------------------

_LOOK_AHEAD = timedelta(days=400)  # more than a year, to see the start and end of every summer time


class ClockChoice(NamedTuple):
    """A clock that exists now: its offset from UTC in minutes, and what it shows (aware)."""

    minutes: int
    local: datetime


def clock_offsets(now: datetime, zones: Iterable[str] = KNOWN_ZONES) -> list[ClockChoice]:
    """Return the distinct clocks in `zones` now, from the furthest behind to the furthest ahead.

    Two of them can show the same time on different dates (Honolulu and Kiritimati), so each choice shows its weekday.
    """
    shown = {_offset(_aware(now), _zone(name)): name for name in zones}
    return [ClockChoice(offset // timedelta(minutes=1), local(now, shown[offset])) for offset in sorted(shown)]


ON_OFFER = 8
"""How many zones we offer at once."""


def zones_with_clock(
    now: datetime, offset: timedelta, *, limit: int = ON_OFFER, likely: Collection[str] = ()
) -> list[str]:
    """Return at most `limit` zones whose clock is now at `offset` from UTC, as `best_known` orders them."""
    showing = [name for name in KNOWN_ZONES if _offset(now, _zone(name)) == offset]
    return best_known(showing, now, limit=limit, likely=likely)


def best_known(
    zones: Iterable[str], now: datetime, *, limit: int = ON_OFFER, likely: Collection[str] = ()
) -> list[str]:
    """Return at most `limit` of these zones, the `likely` ones first, then the best known.

    They include one for each current clock, and for each way in which it changes over the next 400 days, so that no
    summer time is missing. The remaining places go to other well-known cities, so that people find their own city
    rather than just a neighbouring one.
    """
    day = _aware(now).astimezone(UTC).date()
    ordered = sorted(zones, key=lambda name: (name not in likely, _RANKS.get(name, len(_RANKS)), name))
    leading = {(_offset(now, _zone(name)), _ahead(name, day)): name for name in reversed(ordered)}.values()
    chosen = sorted(ordered, key=lambda name: name not in leading)[:limit]
    return sorted(chosen, key=ordered.index)


def one_of_each_clock(zones: Iterable[str], now: datetime) -> set[str]:
    """Return the first of these zones for each current clock and each way it changes over the next 400 days."""
    day = _aware(now).astimezone(UTC).date()
    return set({(_offset(now, _zone(name)), _ahead(name, day)): name for name in reversed(list(zones))}.values())


def likely_clocks(speakers: Mapping[str, float], now: datetime, *, limit: int = ON_OFFER) -> list[str]:
    """Return at most `limit` zones, each with a clock of its own, that most `speakers` of a language live by.

    Zones that show the same time for the next 400 days count as one clock, which is named after the zone where
    most of these people live.
    """
    day = _aware(now).astimezone(UTC).date()
    clocks: dict[object, list[str]] = {}
    for name in sorted(speakers, key=lambda name: (-speakers[name], name)):
        clocks.setdefault((_offset(now, _zone(name)), _ahead(name, day)), []).append(name)
    ordered = sorted(clocks.values(), key=lambda names: -sum(speakers[name] for name in names))
    return [names[0] for names in ordered[:limit]]


def zones_abbreviated(abbreviation: str, now: datetime) -> list[str]:
    """Return the known zones whose time has this abbreviation, in summer or in winter: "CET", "cst", "IST"."""
    wanted = abbreviation.upper()
    return [*_abbreviations(now.date()).get(wanted, ()), *MORE_ABBREVIATIONS.get(wanted, ())]


@lru_cache(maxsize=2)
def _abbreviations(day: date) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    for name in KNOWN_ZONES:
        for months in range(0, 12, 3):  # not every summer time is half a year from now
            said = (noon + timedelta(days=30 * months)).astimezone(_zone(name)).tzname() or ""
            if said[:1].isalpha() and name not in found.setdefault(said.upper(), []):
                found[said.upper()].append(name)
    return found


def _ahead(name: str, day: date) -> tuple[tuple[datetime, timedelta], ...]:
    """Return the changes of a zone's clock from `day` on. Two zones with the same changes are equivalent."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    known = _changes_from(name, day.replace(day=1))
    return tuple(change for change in known if start < change[0] <= start + _LOOK_AHEAD)


@lru_cache(maxsize=1024)
def _changes_from(name: str, month: date) -> tuple[tuple[datetime, timedelta], ...]:
    """Return the changes of a zone's clock that are ahead on any day of the month that begins on this date.

    To find them for each day anew would take 30 ms for the zones of a language.
    """
    rules, start = _zone(name), datetime.combine(month, time(), tzinfo=UTC)
    # Two weeks are shorter than any time between two changes (the shortest is Morocco's, around Ramadan: a month).
    changes = _changes(rules, start, start + _LOOK_AHEAD + timedelta(days=31), timedelta(days=14))
    return tuple((moment, _offset(moment, rules)) for moment in changes)


def warm() -> None:
    """Load the known zones' rules from disk (about 40 ms), at startup so that nothing has to wait for it later."""
    for name in KNOWN_ZONES:
        _zone(name)
