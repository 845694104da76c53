"""Read days as people type them. Pure text in, plain dates out: none if it is unclear, two if it is ambiguous.

A day is read in the user's language first and then in the others, since many people mix languages. The words
themselves are in `time_words`.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from bot.domain.hours import LONGEST, number, value, without_courtesy
from bot.domain.time_words import LANGUAGES, Words
from bot.domain.typed import plain

_MONTHS: Final = 12
_WEEK: Final = timedelta(days=7)

Days = tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody writes days."""

    language: str = "en"
    day_leads: bool | None = None
    """Whether 4/5 is the fourth of May; None if we can't tell."""


def read_day(text: str, today: date, habits: Habits) -> Days:
    """Read a day: "2026-12-24", "24.12.", "12/24", "24 Dec", "the 24th", "tomorrow", "Friday", "in 3 days".

    `today` is the user's local date. Without a year we take the next such date, which may be today. With a year the day
    can be in the past; the caller decides what to do then. We return two days, the nearer first, for "4/5" if the order
    is unclear, for "next Friday" said before this week's Friday, and for a weekday named on that very day. We return
    none for a weekday and a date that contradict each other ("Friday in two weeks", said on a Monday): asking again is
    better than getting it wrong.
    """
    if len(text) > LONGEST:
        return ()
    said = rewritten(without_courtesy(plain(text)))
    own = LANGUAGES.get(habits.language)
    for words in sorted(LANGUAGES.values(), key=lambda words: words is not own):
        try:
            found = _said_day(said, today, words, habits)
        except (ValueError, OverflowError):  # no such date, or one too far to write down
            continue
        if found:
            return tuple(sorted(set(found)))
    return ()


def rewritten(said: str) -> str:
    """Split words that combine a day and a part of it: "tonight", "Freitagabend"."""
    for words in LANGUAGES.values():
        for pattern, apart in words.rewritten:
            said = re.sub(pattern, apart, said)
    return said


def is_tomorrow(said: str) -> bool:
    """Return whether this is a word for tomorrow, which after midnight can mean either of two days."""
    return any(words.days.get(_without_fillers(said, words)) == 1 for words in LANGUAGES.values())


def is_day_word(said: str) -> bool:
    """Return whether it is a word for a day, like "today"; German "morgen" means morning only beside another day."""
    return any(said in words.days for words in LANGUAGES.values())


def _without_fillers(said: str, words: Words) -> str:
    return " ".join(word for word in said.split() if word not in words.day_fillers)


def _said_day(said: str, today: date, words: Words, habits: Habits) -> Days:
    weekdays = _numbered(words.weekdays, 0)
    kept = _without_fillers(said.replace(",", " "), words).split()
    ahead = words.days.get(" ".join(kept))
    if ahead is not None:
        return (today + timedelta(ahead),)
    if found := _weekday(kept, today, words, weekdays):
        return found
    weekday = weekdays.get(kept[0].strip(".")) if kept else None
    rest = " ".join(kept[1:] if weekday is not None else kept)
    dates = (
        _numeric(rest, today, habits)
        or _one(_named_month(rest, today, words))
        or _one(_ahead(rest, today, words))
        or _one(_day_of_month(rest, today, words))
    )
    return tuple(found for found in dates if weekday in {None, found.weekday()})


@lru_cache
def _numbered(names: tuple[tuple[str, ...], ...], first: int) -> dict[str, int]:
    return {name: at for at, each in enumerate(names, first) for name in each}


def _one(found: date | None) -> Days:
    return () if found is None else (found,)


def _weekday(kept: list[str], today: date, words: Words, weekdays: dict[str, int]) -> Days:
    """Read a weekday on its own, or with "this", "next" or "next week"."""
    said = " ".join(kept)
    for pattern in words.next_week:
        rest, count = re.subn(rf"(?:^{pattern} | {pattern}$)", "", said)
        if count and (weekday := weekdays.get(rest.strip("."))) is not None:
            monday = today - timedelta(today.weekday()) + _WEEK
            return (monday + timedelta(weekday),)
    *before, name = kept or [""]
    weekday = weekdays.get(name.strip("."))
    if weekday is None or len(before) > 1 or (before and before[0] not in words.following | words.coming):
        return ()
    coming = today + timedelta((weekday - today.weekday()) % 7)
    if not before:
        return (coming, coming + _WEEK) if coming == today else (coming,)
    if before[0] in words.coming:
        return (coming,)
    if coming == today:
        return (coming + _WEEK,)
    is_this_week = weekday > today.weekday()
    return (coming, coming + _WEEK) if is_this_week else (coming,)


def _numeric(said: str, today: date, habits: Habits) -> Days:
    if match := re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", said):
        return (date(int(match[1]), int(match[2]), int(match[3])),)
    match = re.fullmatch(r"(\d{1,2}) ?([-./]) ?(\d{1,2})(?: ?\2 ?(\d{4}|\d{2})?|\. ?(\d{4}))?", said)
    if match is None:
        return ()
    first, second, year = int(match[1]), int(match[3]), match[4] or match[5]
    orders = [(first, second)]  # day, month
    if match[2] != ".":
        orders.insert(0 if habits.day_leads is False else 1, (second, first))
    valid = [(day, month) for day, month in orders if _is_date(day, month)]
    if habits.day_leads is not None:
        valid = valid[:1]
    return tuple(_dated(day, month, year, today) for day, month in valid)


def _is_date(day: int, month: int) -> bool:
    return 1 <= month <= _MONTHS and 1 <= day <= monthrange(2000, month)[1]  # 2000 was a leap year


def _named_month(said: str, today: date, words: Words) -> date | None:
    months = _numbered(words.months, 1)
    name = "|".join(months)
    day = rf"(\d{{1,2}})(?:\.|{words.ordinal})?"
    if match := re.fullmatch(rf"{day} ?({name})\.?(?: (\d{{4}}|'?\d{{2}}))?", said):
        return _dated(int(match[1]), months[match[2]], match[3], today)
    if match := re.fullmatch(rf"({name})\.? ?{day}(?: (\d{{4}}|'\d{{2}}))?", said):
        return _dated(int(match[2]), months[match[1]], match[3], today)
    return None


def _dated(day: int, month: int, year: str | None, today: date) -> date:
    """Return this date; without a year, the first such date from today on. Raises ValueError if there is none."""
    if year is not None:
        digits = year.strip("'")
        return date(int(digits) + (2000 if len(digits) == 2 else 0), month, day)  # noqa: PLR2004 - as in '26
    return next(found for found in _every_year(day, month, today) if found >= today)


def _every_year(day: int, month: int, today: date) -> Iterator[date]:
    for year in range(today.year, today.year + 9):  # 29 February may be eight years away
        if day <= monthrange(year, month)[1]:
            yield date(year, month, day)
    raise ValueError("no such day")


def _ahead(said: str, today: date, words: Words) -> date | None:
    units = {name: unit for name, unit in words.units.items() if unit in {"day", "week", "month"}}
    counted = number("|".join([*words.numbers, *words.single, r"\d{3,4}"]))
    match = re.fullmatch(rf"{counted} ?({'|'.join(units)})", said)
    if match is None:
        return None
    count = 1 if match[1] in words.single else value(match[1], words)
    unit = units[match[2]]
    if unit == "month":
        years, month = divmod(today.month - 1 + count, _MONTHS)
        return date(today.year + years, month + 1, min(today.day, monthrange(today.year + years, month + 1)[1]))
    return today + timedelta(count * (7 if unit == "week" else 1))


def _day_of_month(said: str, today: date, words: Words) -> date | None:
    match = re.fullmatch(rf"(\d{{1,2}})(?:\.|{words.ordinal})", said)
    if match is None:
        return None
    day, first = int(match[1]), today.replace(day=1)
    for ahead in range(8):  # no day of the month is missing for longer than a February
        years, month = divmod(first.month - 1 + ahead, _MONTHS)
        if 1 <= day <= monthrange(first.year + years, month + 1)[1]:
            found = date(first.year + years, month + 1, day)
            if found >= today:
                return found
    return None


def counted_days(text: str) -> int | None:
    """Read a number of days for a pause: "3 days", "a week", "zwei Wochen", "3". `read_day` handles months."""
    said = without_courtesy(plain(text))
    if re.fullmatch(r"\d{1,3}", said):
        return int(said) or None
    for words in LANGUAGES.values():
        units = {name: unit for name, unit in words.units.items() if unit in {"day", "week"}}
        kept = re.sub(r"^(?:for|für|fuer) ", "", said)
        counted = number("|".join([*words.numbers, *words.single, r"\d{3}"]))
        if match := re.fullmatch(rf"{counted} ?({'|'.join(units)})", kept):
            count = 1 if match[1] in words.single else value(match[1], words)
            return count * (7 if units[match[2]] == "week" else 1) or None
    return None


def read_weekdays(text: str) -> frozenset[int] | None:
    """Read days of the week: "mon-fri", "Tuesdays and Thursdays", "weekends", "Mo, Mi, Fr", "jeden Tag"."""
    if len(text) > LONGEST:
        return None
    said = without_courtesy(plain(text))
    readings = (_said_weekdays(said, words) for words in LANGUAGES.values())
    return next((found for found in readings if found), None)


def _said_weekdays(said: str, words: Words) -> frozenset[int] | None:
    if said in words.week_groups:
        return words.week_groups[said]
    found: frozenset[int] = frozenset()
    for word in re.split(r"[ ,;/+&]+", re.sub(rf" ?[-–—] ?| (?:{words.through}) ", "-", said)):
        if word and word not in words.week_fillers:
            meant = words.week_groups.get(word) or _weekdays_through(word, words)
            if not meant:
                return None
            found |= meant
    return found


def _weekdays_through(said: str, words: Words) -> frozenset[int] | None:
    """Read one weekday, or a range of weekdays: "fri-mon"."""
    names = _numbered(words.weekdays, 0)
    ends = [names.get(name, names.get(name.removesuffix("s"))) for name in (end.strip(".") for end in said.split("-"))]
    first, last = ends[0], ends[-1]
    if first is None or last is None or len(ends) > 2:  # noqa: PLR2004 - a first and a last one
        return None
    return frozenset((first + ahead) % 7 for ahead in range((last - first) % 7 + 1))


def is_at_once(text: str) -> bool:
    """Return whether the text asks to end a pause now."""
    said = without_courtesy(plain(text))
    return any(said in words.at_once for words in LANGUAGES.values())


def is_endless(text: str) -> bool:
    """Return whether the text means a pause without an end."""
    said = without_courtesy(plain(text))
    return any(said in words.endless for words in LANGUAGES.values())
