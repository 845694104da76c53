"""Read hours as people type them. Pure text in, plain values out; None means unclear, so ask again kindly.

We understand all our languages at once. The words themselves are in `time_words`. We tried a library for this: it read
three out of ten hours, and returned a single guess whether there were two meanings or none.
"""

import re
from collections.abc import Iterator
from datetime import time
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from bot.domain.time_words import ELSEWHERE, LANGUAGES, Words
from bot.domain.typed import plain

_Half = Literal["morning", "evening", "night"]

_NOON: Final = 12
_HOURS: Final = 24
_DAY_MINUTES: Final = 24 * 60
LONGEST: Final = 60
"""In characters: no hour or day takes more to say."""
_WORDS_WITHIN: Final = 6
_MOST_NUMBERS: Final = 5
_WORDS_BESIDE: Final = 3
"""With more words than this around the hour, the text is about something else."""
_AGAINST: Final = frozenset(word for words in LANGUAGES.values() for word in words.against | words.ahead)
_POLITE: Final = frozenset(word for words in LANGUAGES.values() for word in words.polite)
_TRAILING: Final = "|".join(words.trailing for words in LANGUAGES.values())
_NUMBERS: Final = frozenset(word for words in LANGUAGES.values() for word in words.numbers)
_TELLING: Final = _NUMBERS | {name for words in LANGUAGES.values() for name in words.named_hours}
"""A text with neither a digit nor one of these words contains no hour."""


class Hour(NamedTuple):
    """A time of day as it was said."""

    at: time
    open: bool = False
    """Whether it could also be twelve hours later: "8:30" and "half past eight", but not "08:30" or "8:30 am"."""
    spoken: bool = False
    """Whether it was said in words, which nobody does with a 24-hour clock."""
    next_day: bool = False
    """Whether it is the end of its day: 24:00."""


def parse_hour(text: str) -> time | None:
    """Read a time of day: "7:45", "19.30", "8 pm", "20h15", "0730", "half past 7", "Viertel vor acht", "noon".

    A bare number is a full hour of the 24-hour clock ("8" is 08:00), and 24:00 is midnight. Digits can be of any
    script. One clear time among a few other words or symbols is accepted: "kl. 20.30", "20:30 👍".
    """
    found = read_hour(text) or _among_words(text)
    return found.at if found else None


def hour_alone(text: str) -> time | None:
    """Read a time of day from a text that is nothing else: not from "Dinner at 8 pm", which may be about something."""
    found = read_hour(text)
    return found.at if found else None


def read_hour(text: str) -> Hour | None:
    """Read a text that is a time of day and nothing else."""
    if len(text) > LONGEST:
        return None
    said = without_courtesy(plain(text)).strip(" .,")
    if not any(map(str.isdigit, said)) and _TELLING.isdisjoint(re.split(r"[ -]", said)):
        return None
    readings = (_hour(said, words) for words in LANGUAGES.values())
    return next((found for found in readings if found is not None), None)


def shows_clock(text: str) -> bool:
    """Return whether a text is nothing but a time of day, even one that doesn't exist: "8 pm", "noon", "25:00"."""
    return read_hour(text) is not None or re.fullmatch(r"\d{1,2}[:.h]\d{2}(?: ?[ap]m)?", plain(text)) is not None


def parse_hours(text: str) -> tuple[time, time] | None:
    """Read a part of the day: "22:30-7", "10 pm to 6:45", "von 23 Uhr bis 8 Uhr"."""
    if len(text) > 2 * LONGEST:
        return None
    joins = "|".join(join for words in LANGUAGES.values() for join in words.joins)
    begins = "|".join(begin for words in LANGUAGES.values() for begin in words.begins)
    said = re.sub(rf"^(?:{begins}) ", "", without_courtesy(plain(text)))
    for match in re.finditer(rf" ?[-–—] ?| (?:{joins}) ", said):
        start, end = parse_hour(said[: match.start()]), parse_hour(said[match.end() :])
        if start is not None and end is not None:
            return start, end
    return None


def means_nothing(text: str) -> bool:
    """Return whether the text means "no hours at all": "off", "none"."""
    said = without_courtesy(plain(text))
    return any(said in words.nothing for words in LANGUAGES.values())


def without_courtesy(said: str) -> str:
    """Remove "please" and the like, "or so", and a foreign "at" before a number."""
    kept = " ".join(word for word in said.split() if word.strip(",.!") not in _POLITE)
    return re.sub(rf" (?:{_TRAILING})$|\b(?:{ELSEWHERE})\.? ?(?=\d)", "", kept)


def _among_words(text: str) -> Hour | None:
    """Return the only unmistakable hour in the text, unless a word beside it changes its meaning."""
    tokens = plain(text).split() if len(text) <= LONGEST else []
    if len(tokens) > _WORDS_WITHIN + _WORDS_BESIDE or has_many_numbers(tokens):
        return None
    for length in range(min(len(tokens), _WORDS_WITHIN), 0, -1):
        windows = range(len(tokens) - length + 1)
        found = [(at, hour) for at in windows if (hour := _plainly(" ".join(tokens[at : at + length])))]
        if found:
            at, hour = found[0]
            beside = [word.strip(".,:;!?") for word in tokens[:at] + tokens[at + length :]]
            return hour if len(found) == 1 and _says_nothing(beside) else None
    return None


def _plainly(said: str) -> Hour | None:
    """Read an hour that can't mean anything else: one with minutes, "pm" or "o'clock"."""
    is_bare = re.fullmatch(r"\d+", said) or not any(map(str.isdigit, said))
    return None if is_bare else read_hour(said)


def _says_nothing(words: list[str]) -> bool:
    meant = [word for word in words if word]
    return len(meant) <= _WORDS_BESIDE and not any(_says_more(word) for word in meant)


def _says_more(word: str) -> bool:
    return word in _AGAINST or word in _NUMBERS or any(map(str.isdigit, word)) or set(word) <= set("-–—/+")


def _hour(said: str, words: Words) -> Hour | None:
    half, rest = _half(said, words)
    rest = " ".join(word for word in rest.split() if word not in words.hour_fillers)
    if half is None and (named := words.named_hours.get(re.sub(rf"^12 (?:{words.clock_words} )?", "", rest))):
        return Hour(named, spoken=True)
    found = _spoken(rest, words) or _shown(rest, words)
    if found is None:
        return None
    hour, minutes = found
    hour_of_day = _on_day(hour, half)
    if hour_of_day is None:
        return None
    return Hour(
        time(*divmod((hour_of_day * 60 + minutes) % _DAY_MINUTES, 60)),
        open=half is None and 1 <= hour <= _NOON and not re.match(r"0|\d{4}\b", rest),
        spoken=not any(map(str.isdigit, rest)),
        next_day=hour == _HOURS,
    )


def _half(said: str, words: Words) -> tuple[_Half | None, str]:
    """Take "in the evening" or "pm" out of what was said."""
    phrases: dict[_Half, tuple[str, ...]] = {
        "morning": words.morning,
        "evening": words.evening,
        "night": words.night,
    }
    for half, known in phrases.items():
        for phrase in known:
            rest, count = re.subn(rf"\b{phrase}\b", " ", said)
            if count:  # a "pm" beside it only repeats that
                return half, re.sub(rf"(?<=\d) ?{'a' if half == 'morning' else 'p'}\.? ?m\b\.?", " ", rest)
    match = re.fullmatch(r"(.*[\d ]) ?([ap])(?:\.? ?m\.?)?", said)
    if match:
        return "morning" if match[2] == "a" else "evening", match[1]
    return None, said


@lru_cache
def number(words: str) -> str:
    """Return a pattern for a number in digits or as one of these words."""
    return rf"(\d{{1,2}}|{words})"


def value(found: str, words: Words) -> int:
    """Return the value of what a `number` pattern matched."""
    return words.numbers[found] if found in words.numbers else int(found)


def _spoken(said: str, words: Words) -> tuple[int, int] | None:
    """Read "quarter to 8" as an hour and the minutes from it, which can be negative."""
    pattern_of_number = number("|".join(words.numbers))
    for pattern, minutes, sign in words.spoken:
        match = re.fullmatch(pattern.replace("#", pattern_of_number), said)
        if match:
            *first, hour = (value(group, words) for group in match.groups())
            if first and first[0] not in range(1, 60):
                return None
            return (hour, minutes + sign * sum(first)) if hour <= _HOURS else None
    return None


def _shown(said: str, words: Words) -> tuple[int, int] | None:
    """Read "7:45", "20h15", "19 Uhr 30", "0730", "7 45", "8 o'clock", "eight", "eight thirty"."""
    for pattern in _patterns(words.clock_words, "|".join(words.numbers)):
        if match := re.fullmatch(pattern, said):
            hour, minutes = value(match[1], words), value(match[2] or "0", words)
            return (hour, minutes) if hour < _HOURS or (hour == _HOURS and not minutes) else None
    return None


@lru_cache
def _patterns(clock: str, numbers: str) -> tuple[str, ...]:
    return (
        rf"{number(numbers)}(?: ?(?:[:.,h]|{clock}) ?([0-5]\d)(?::[0-5]\d)?(?: ?min)?)?(?: ?(?:{clock}|h))?",
        rf"(\d{{1,2}}) ?([0-5]\d)(?: ?(?:{clock}|h))?",
        rf"{number(numbers)} (?:{clock} )?({numbers})",
    )


def _on_day(hour: int, half: _Half | None) -> int | None:
    """Return the hour of the 24-hour clock, or None if it doesn't fit the half of the day."""
    if half is None:
        return hour % _HOURS
    if hour > _NOON:
        return hour if half != "morning" and hour < _HOURS else None
    if hour == 0:
        return 0 if half != "evening" else None
    if half == "evening" or (half == "night" and 6 <= hour < _NOON):  # noqa: PLR2004 - nights begin at about six
        return hour % _NOON + _NOON
    return hour % _NOON


def has_many_numbers(tokens: list[str]) -> bool:
    """Return whether there are more numbers than a date with its year and an hour with its minutes have."""
    return sum(any(map(str.isdigit, token)) for token in tokens) > _MOST_NUMBERS


def windows(tokens: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each run of consecutive words, the longest first, and the words around it."""
    for length in range(min(len(tokens) - 1, _WORDS_WITHIN), 0, -1):
        for at in range(len(tokens) - length + 1):
            yield " ".join(tokens[at : at + length]), " ".join(tokens[:at] + tokens[at + length :])
