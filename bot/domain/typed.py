"""What people type: an hour, a day, a line. Pure text in, plain values out; None means unclear, so ask again kindly.

Hours are understood in all our languages at once. Days are read in the user's language first and then in the others,
since many people mix. The words themselves stand in `time_words`.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal

from bot.domain.characters import beginning
from bot.domain.time_words import LANGUAGES, Words
from bot.domain.times import apart, clock_offsets, is_zone, zones_with_clock

# --- an hour ---------------------------------------------------------------------------------------------------------

_Part = Literal["morning", "evening", "night"]

_NOON: Final = 12
_HOURS: Final = 24
_MONTHS: Final = 12
_WRONG_BY: Final = timedelta(minutes=7)
_CITIES: Final = 8
_LONGEST: Final = 60  # no hour or day takes more characters to say
_DAY_MINUTES: Final = 24 * 60


def parse_hour(text: str) -> time | None:
    """Read a time of day: "7:45", "19.30", "8 pm", "20h15", "0730", "half past 7", "Viertel vor acht", "noon".

    A bare number is a full hour of the 24-hour clock ("8" is 08:00), 24:00 is midnight. Digits may be of any script.
    """
    if len(text) > _LONGEST:
        return None
    said = _plain(text).strip(" .")
    readings = (_hour(said, words) for words in LANGUAGES.values())
    return next((found for found in readings if found is not None), None)


def parse_hours(text: str) -> tuple[time, time] | None:
    """Read a stretch of the day: "22:30-7", "10 pm to 6:45", "von 23 Uhr bis 8 Uhr"."""
    if len(text) > 2 * _LONGEST:
        return None
    joins = "|".join(join for words in LANGUAGES.values() for join in words.joins)
    begins = "|".join(begin for words in LANGUAGES.values() for begin in words.begins)
    said = re.sub(rf"^(?:{begins}) ", "", _plain(text))
    for match in re.finditer(rf" ?[-–—] ?| (?:{joins}) ", said):
        start, end = parse_hour(said[: match.start()]), parse_hour(said[match.end() :])
        if start is not None and end is not None:
            return start, end
    return None


def parse_zone(text: str) -> str | None:
    """Read a zone called by its name in the tz database: "Europe/Berlin", "america/new york", "utc"."""
    name = "_".join(text.split())
    if len(name) > _LONGEST:
        return None
    titled = re.sub(r"[a-z]+", lambda word: word[0].capitalize(), name.casefold())
    return next((spelled for spelled in (name, titled, name.upper()) if is_zone(spelled)), None)


def zones_showing(text: str, now: datetime) -> tuple[str, ...]:
    """The zones of a clock time that was typed and not tapped, also by a clock that is a little wrong."""
    at = parse_hour(text) if any(map(str.isdigit, text)) else None
    if at is None:
        return ()
    near = [choice.minutes for choice in clock_offsets(now) if apart(choice.local.time(), at) <= _WRONG_BY]
    each = _CITIES // max(len(near), 1)  # two, where it is the same time on different days
    return tuple(zone for minutes in near for zone in zones_with_clock(now, timedelta(minutes=minutes), limit=each))


_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u2800\ufe0e\ufe0f")  # what shows nothing, besides marks of format


def visible(text: str) -> str:
    """What can be seen of a text, in compatible characters: without marks of direction, joiners, and doubled spaces."""
    composed = unicodedata.normalize("NFKC", text)
    kept = (each for each in composed if each not in _UNSEEN and unicodedata.category(each) not in {"Cf", "Cs"})
    return " ".join("".join(kept).split())


def _plain(text: str) -> str:
    """Casefold, compose, turn any script's digits into 0-9, drop invisible marks and what surrounds."""
    digits = (str(unicodedata.decimal(character, character)) for character in visible(text))
    return "".join(digits).casefold().strip(" ,;!?…()\"'")


def _hour(said: str, words: Words) -> time | None:
    part, rest = _day_part(said, words)
    rest = " ".join(word for word in rest.split() if word not in words.hour_fillers)
    if part is None and (named := words.named_hours.get(re.sub(rf"^12 (?:{words.clock_words} )?", "", rest))):
        return named
    found = _spoken(rest, words) or _shown(rest, words)
    if found is None:
        return None
    hour, minutes = found
    hour_of_day = _on_day(hour, part)
    if hour_of_day is None:
        return None
    return time(*divmod((hour_of_day * 60 + minutes) % _DAY_MINUTES, 60))


def _day_part(said: str, words: Words) -> tuple[_Part | None, str]:
    """Take "in the evening" or "pm" out of what was said."""
    phrases: dict[_Part, tuple[str, ...]] = {
        "morning": words.morning,
        "evening": words.evening,
        "night": words.night,
    }
    for part, known in phrases.items():
        for phrase in known:
            rest, count = re.subn(rf"\b{phrase}\b", " ", said)
            if count:
                return part, rest
    match = re.fullmatch(r"(.*[\d ]) ?([ap])(?:\.? ?m\.?)?", said)
    if match:
        return "morning" if match[2] == "a" else "evening", match[1]
    return None, said


@lru_cache
def _number(words: str) -> str:
    return rf"(\d{{1,2}}|{words})"


def _value(found: str, words: Words) -> int:
    return words.numbers[found] if found in words.numbers else int(found)


def _spoken(said: str, words: Words) -> tuple[int, int] | None:
    """Read "quarter to 8" as an hour and minutes from it, which may be negative."""
    number = _number("|".join(words.numbers))
    for pattern, minutes, sign in words.spoken:
        match = re.fullmatch(pattern.replace("#", number), said)
        if match:
            *first, hour = (_value(group, words) for group in match.groups())
            if first and first[0] not in range(1, 60):
                return None
            return hour, minutes + sign * sum(first)
    return None


def _shown(said: str, words: Words) -> tuple[int, int] | None:
    """Read "7:45", "20h15", "19 Uhr 30", "0730", "7 45", "8 o'clock", "eight"."""
    clock, number = words.clock_words, _number("|".join(words.numbers))
    match = re.fullmatch(
        rf"{number}(?: ?(?:[:.,h]|{clock}) ?([0-5]\d)(?::[0-5]\d)?(?: ?min)?)?(?: ?(?:{clock}|h))?", said
    ) or re.fullmatch(rf"(\d{{1,2}}) ?([0-5]\d)(?: ?(?:{clock}|h))?", said)
    if match is None:
        return None
    hour, minutes = _value(match[1], words), int(match[2] or 0)
    if hour > _HOURS or (hour == _HOURS and minutes):
        return None
    return hour, minutes


def _on_day(hour: int, part: _Part | None) -> int | None:
    """Return the hour of the 24-hour clock, or None if it doesn't fit the part of the day."""
    if part is None:
        return hour % _HOURS if hour <= _HOURS else None
    if hour > _NOON:
        return hour if part != "morning" and hour < _HOURS else None
    if hour == 0:
        return 0 if part != "evening" else None
    if part == "evening" or (part == "night" and 6 <= hour < _NOON):  # noqa: PLR2004 - nights begin about six
        return hour % _NOON + _NOON
    return hour % _NOON


# --- a day -----------------------------------------------------------------------------------------------------------


def parse_day(text: str, today: date, language: str) -> date | None:
    """Read a day: "2026-12-24", "24.12.", "12/24", "24 Dec", "the 24th", "tomorrow", "Friday", "in 3 days".

    `today` is the user's local date and `language` a code such as "de" or "en-GB". Without a year the coming one is
    meant (today itself counts); a weekday is the next after today. With a year the day may be past: the caller
    decides. With dots the day stands first; with slashes the language's convention holds (English: month first, as in
    CLDR's "en", save in regions such as en-GB), or the one order that makes sense. A weekday beside a date that is
    another one ("Friday in two weeks", said on a Monday) is no day: it is better asked again than got wrong.
    """
    if len(text) > _LONGEST:
        return None
    said = _plain(text)
    base, _, region = language.casefold().replace("_", "-").partition("-")
    own = LANGUAGES.get(base)
    month_first = own is not None and own.month_first and region not in own.day_first_regions
    for words in sorted(LANGUAGES.values(), key=lambda words: words is not own):
        try:
            found = _said_day(said, today, words, month_first=month_first)
        except (ValueError, OverflowError):  # no such date, or one too far to write down
            continue
        if found is not None:
            return found
    return None


def _said_day(said: str, today: date, words: Words, *, month_first: bool) -> date | None:
    weekdays = {name: number for number, names in enumerate(words.weekdays) for name in names}
    kept = [
        word for word in said.replace(",", " ").split() if word not in words.day_fillers or word.strip(".") in weekdays
    ]
    if said in words.days or " ".join(kept) in words.days:
        return today + timedelta(words.days.get(said, words.days.get(" ".join(kept), 0)))
    weekday = weekdays.get(kept[0].strip(".")) if kept else None
    if weekday is not None:
        if len(kept) == 1:
            return today + timedelta((weekday - today.weekday() - 1) % 7 + 1)
        kept = kept[1:]
    rest = " ".join(kept)
    found = (
        _numeric(rest, today, month_first=month_first)
        or _named_month(rest, today, words)
        or _ahead(rest, today, words)
        or _day_of_month(rest, today, words)
    )
    return found if found and weekday in {None, found.weekday()} else None


def _numeric(said: str, today: date, *, month_first: bool) -> date | None:
    if match := re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", said):
        return date(int(match[1]), int(match[2]), int(match[3]))
    match = re.fullmatch(r"(\d{1,2}) ?([-./]) ?(\d{1,2})(?: ?\2 ?(\d{4}|\d{2})?|\. ?(\d{4}))?", said)
    if match is None:
        return None
    day, month, year = int(match[1]), int(match[3]), match[4] or match[5]
    orders = [(day, month)]
    if match[2] != ".":
        orders.insert(0 if month_first else 1, (month, day))
    for day, month in orders:
        if month <= _MONTHS and day <= monthrange(2000, month or 1)[1]:  # 2000 was a leap year
            return _dated(day, month, year, today)
    return None


def _named_month(said: str, today: date, words: Words) -> date | None:
    months = {name: number for number, names in enumerate(words.months, 1) for name in names}
    name = "|".join(sorted(months, key=len, reverse=True))
    day = rf"(\d{{1,2}})(?:\.|{words.ordinal})?"
    if match := re.fullmatch(rf"{day} ?({name})\.?(?: (\d{{4}}|'?\d{{2}}))?", said):
        return _dated(int(match[1]), months[match[2]], match[3], today)
    if match := re.fullmatch(rf"({name})\.? ?{day}(?: (\d{{4}}|'\d{{2}}))?", said):
        return _dated(int(match[2]), months[match[1]], match[3], today)
    return None


def _dated(day: int, month: int, year: str | None, today: date) -> date:
    """Return that date; without a year the first from today on. ValueError if there is none."""
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
    number = _number("|".join([*words.numbers, *words.single, r"\d{3,4}"]))
    match = re.fullmatch(rf"{number} ?({'|'.join(words.units)})", said)
    if match is None:
        return None
    count = 1 if match[1] in words.single else _value(match[1], words)
    unit = words.units[match[2]]
    if unit == "month":
        years, month = divmod(today.month - 1 + count, _MONTHS)
        return date(today.year + years, month + 1, min(today.day, monthrange(today.year + years, month + 1)[1]))
    return today + timedelta(count * (7 if unit == "week" else 1))


def _day_of_month(said: str, today: date, words: Words) -> date | None:
    match = re.fullmatch(rf"(\d{{1,2}})(?:\.|{words.ordinal})", said)
    if match is None:
        return None
    day, first = int(match[1]), today.replace(day=1)
    for ahead in range(8):  # no day of a month is missing for longer than February's
        years, month = divmod(first.month - 1 + ahead, _MONTHS)
        if 1 <= day <= monthrange(first.year + years, month + 1)[1]:
            found = date(first.year + years, month + 1, day)
            if found >= today:
                return found
    return None


# --- a line ----------------------------------------------------------------------------------------------------------

LINE_LIMIT: Final = 300
"""Code points of a folded line, counted as Telegram counts."""

_INVISIBLE: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that show nothing


def fold_line(text: str) -> str:
    """Return what was typed as one line, its words as they were.

    Each run of line breaks, of any kind, becomes one space, as does a tab; the ends are trimmed; control characters
    and halves of surrogate pairs (which no UTF-8 can hold) are dropped. Joiners, variation selectors and marks of
    direction stay, and nothing is normalized. Text with nothing visible in it becomes "".
    """
    parts = (part.replace("\t", " ").strip() for part in text.splitlines())
    line = " ".join(part for part in parts if part)
    line = "".join(character for character in line if unicodedata.category(character) not in {"Cc", "Cs"}).strip()
    return line if any(_shows(character) for character in line) else ""


def _shows(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZM" and character not in _INVISIBLE


def first_300(text: str) -> str:
    """Return the longest beginning of a folded line within LINE_LIMIT that breaks no character as people see it.

    Emoji sequences, flags, letters with their marks and Hangul syllables stay whole (a subset of Unicode's Annex 29,
    which the standard library doesn't have). Only a single "character" longer than the limit is cut inside.
    """
    return beginning(text, LINE_LIMIT)
