"""Read moments and spans of time as people type them: "Monday evening", "heute um halb neun", "in 2 hours".

We return every possible meaning: none if it is unclear, several if only the writer can tell which one they meant.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.domain.days import Days, Habits, is_day_word, is_tomorrow, read_day, rewritten
from bot.domain.hours import LONGEST, Hour, has_many_numbers, number, read_hour, value, windows, without_courtesy
from bot.domain.time_words import LANGUAGES, Part, Words
from bot.domain.times import (
    EVENING,
    LATE_EVENING,
    MORNING,
    NIGHT_ENDS,
    evening,
    instant,
    local,
    local_date,
    next_slot,
    tonight,
)
from bot.domain.typed import plain

Moments = tuple[datetime, ...]

_MOST_WORDS: Final = 9
_MOST_BESIDE: Final = 3
"""A single word about a time doesn't make a text about a time if the text has more words than this."""
_TELLING: Final = frozenset(
    word
    for words in LANGUAGES.values()
    for names in (*words.weekdays, *words.months, words.days, words.named_hours)
    for word in names
)
_TWELVE: Final = 12
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_TIMES: Final = {
    Part.MORNING: MORNING,
    Part.NOON: time(12, 0),
    Part.AFTERNOON: time(15, 0),
    Part.EVENING: EVENING,
    Part.NIGHT: LATE_EVENING,
}


@dataclass(frozen=True, slots=True)
class Clock:
    """A user's clock: the current instant, the zone, and how far away the nearest allowed moment is."""

    now: datetime
    zone: str
    least: timedelta = timedelta()

    @property
    def today(self) -> date:
        return local_date(self.now, self.zone)

    def at(self, day: date, hour: time) -> Moments:
        moment = instant(day, hour, self.zone)
        return () if moment is None else (moment,)


def read_moment(text: str, clock: Clock, habits: Habits) -> Moments:
    """Read "Friday 19:30", "24 Dec at noon", "20:15", "tonight", "Freitagabend", "in 2 hours" by that clock.

    Without a day we take the next such hour. The result can be in the past or too soon. A day alone isn't a moment.
    """
    if len(text) > LONGEST:
        return ()
    said = rewritten(without_courtesy(plain(text)))
    tokens = [token.strip(",") for token in said.split()]
    if len(tokens) > _MOST_WORDS or has_many_numbers(tokens):
        return ()
    hour = None if is_day_word(said) else _hour_or_part(said)
    if (span := read_span(said, whole=hour is None)) is not None:
        return (next_minute(clock.now + span),)
    if hour is not None:
        return _without_day(hour, clock)
    for window, around in windows(tokens):
        if (hour := _hour_or_part(around)) and (days := read_day(window, clock.today, habits)):
            return _on_days(days, hour, clock, window)
    return ()


def read_later(text: str, clock: Clock, habits: Habits) -> Moments:
    """Read when something should come back: like `read_moment`, plus "2 hours", and a day alone for its morning."""
    if span := read_span(text):
        return (clock.now + span,)
    found = read_moment(text, clock, habits) or tuple(
        moment for day in read_day(text, clock.today, habits) for moment in clock.at(day, MORNING)
    )
    return tuple(moment for moment in found if moment > clock.now)


def looks_like_time(text: str) -> bool:
    """Return whether a few words are about a time, even if we can't read it: "25:30", "the 45th", "some Friday"."""
    tokens = re.split(r"[\s/–—-]+", rewritten(without_courtesy(plain(text))))
    return len(tokens) <= _MOST_BESIDE and any(_tells_a_time(token.strip(".,:;?")) for token in tokens)


def _tells_a_time(word: str) -> bool:
    return any(map(str.isdigit, word)) or word in _TELLING


def is_at_ritual(text: str) -> bool:
    """Return whether the text means the pair's weekly moment."""
    said = without_courtesy(plain(text))
    return any(said in words.at_ritual for words in LANGUAGES.values())


def read_span(text: str, *, whole: bool = True) -> timedelta | None:
    """Read hours and minutes from now: "in 2 hours", "90 min", "half an hour", "1 h 30", "anderthalb Stunden".

    Unless the span is the `whole` text, it needs "in" before it: "2h" can also be an hour of the day. We ignore a clock
    time after it, which our buttons show.
    """
    if len(text) > LONGEST:
        return None
    said = re.sub(r"(?<=[^\d ]) \d{1,2}:\d{2}$", "", without_courtesy(plain(text)))
    for words in LANGUAGES.values():
        first, _, rest = said.partition(" ")
        ahead = first in words.ahead and bool(rest)
        if ahead and (about := rest.partition(" "))[0] in words.hour_fillers:
            rest = about[2]
        if (ahead or whole) and (span := _span(rest if ahead else said, words)):
            return span
    return None


def _span(said: str, words: Words) -> timedelta | None:
    if said in words.spans:
        return words.spans[said]
    units = "|".join(map(re.escape, words.units))  # there is a dot in "std."
    counted = number("|".join([r"\d[.,]\d+", r"\d{1,3}", *words.numbers, *words.single]))
    one = rf"{counted} ?({units})"
    match = re.fullmatch(rf"{one}(?:(?: |, | und | and )?(?:{one}|(\d{{1,2}})))?", said)
    if match is None or (match[5] and words.units[match[2]] != "hour"):
        return None
    total = _counted(match[1], match[2], words)
    if total and match[3]:
        more = _counted(match[3], match[4], words)
        total = total + more if more else None
    return total + timedelta(minutes=int(match[5] or 0)) if total else None


def _counted(count: str, unit: str, words: Words) -> timedelta | None:
    length = {"minute": _MINUTE, "hour": 60 * _MINUTE}.get(words.units[unit])
    if length is None:
        return None
    if count in words.single:
        return length
    if "." in count or "," in count:
        return length * float(count.replace(",", "."))
    return length * value(count, words)


def _hour_or_part(said: str) -> Hour | Part | None:
    if not said:
        return None
    part = next((words.parts[said] for words in LANGUAGES.values() if said in words.parts), None)
    return part or read_hour(said)


def _without_day(hour: Hour | Part, clock: Clock) -> Moments:
    if isinstance(hour, Part):
        return (_next_part(hour, clock),)
    as_said = next_slot(clock.now, hour.at, clock.zone).at
    if not hour.open:
        return (as_said,)
    later = next_slot(clock.now, _twelve_on(hour.at), clock.zone).at
    if as_said < later:
        return (as_said,)
    return (later,) if hour.spoken else (later, as_said)


def _next_part(part: Part, clock: Clock) -> datetime:
    if part is Part.EVENING:
        return evening(clock.now, clock.zone, least=clock.least)
    return next_slot(clock.now + clock.least - _MINUTE, _TIMES[part], clock.zone).at


def _on_days(days: Days, hour: Hour | Part, clock: Clock, said: str) -> Moments:
    is_night = local(clock.now, clock.zone).time() < NIGHT_ENDS
    if is_night and is_tomorrow(said):
        days = (clock.today, *days)
    moments = tuple(moment for day in days for moment in _on_day(day, hour, clock))
    return tuple(moment for moment in moments if moment > clock.now) or moments


def _on_day(day: date, hour: Hour | Part, clock: Clock) -> Moments:
    if isinstance(hour, Part):
        if hour is Part.EVENING and day == clock.today and (found := tonight(clock.now, clock.zone, least=clock.least)):
            return (found,)
        last = clock.at(day, LATE_EVENING) if hour is Part.EVENING and day == clock.today else ()
        first = clock.at(day, _TIMES[hour])
        return last if last and first and first[0] < clock.now else first
    if hour.next_day:
        return clock.at(day + _DAY, hour.at)
    if hour.spoken and hour.at == time(0):
        return clock.at(day, hour.at) + clock.at(day + _DAY, hour.at)
    as_said = clock.at(day, hour.at)
    if hour.open and day == clock.today and (not as_said or as_said[0] <= clock.now):
        return clock.at(day, _twelve_on(hour.at))
    return as_said


def _twelve_on(at: time) -> time:
    return at.replace(hour=(at.hour + _TWELVE) % 24)


def next_minute(moment: datetime) -> datetime:
    """Round up to the full minute. Clocks show no seconds: what we announce for 20:42 has to come at 20:42."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + _MINUTE
