"""The words in which people say an hour or a day, language by language: data for `typed`, which knows none itself.

A further language is one more entry in LANGUAGES.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Final


@dataclass(frozen=True)
class Words:
    """A language's words for hours and days, casefolded. In patterns a number stands as `#`."""

    numbers: Mapping[str, int]
    single: frozenset[str]  # "a" in "in a week"
    morning: tuple[str, ...]  # phrases, longest first
    evening: tuple[str, ...]
    night: tuple[str, ...]
    named_hours: Mapping[str, time]
    clock_words: str  # a pattern for "o'clock", also between hour and minutes
    spoken: tuple[tuple[str, int, int], ...]  # pattern; minutes from the hour (the last number); sign of a first number
    months: tuple[tuple[str, ...], ...]
    weekdays: tuple[tuple[str, ...], ...]
    days: Mapping[str, int]  # days from today, for whole phrases
    units: Mapping[str, str]  # "day", "week", "month"
    ordinal: str  # a pattern for what follows a day's number
    hour_fillers: frozenset[str]
    day_fillers: frozenset[str]
    begins: tuple[str, ...]  # "from" in "from 10 to 7"
    joins: tuple[str, ...]  # "to"
    month_first: bool = False  # in 3/4; with dots the day is first everywhere
    day_first_regions: frozenset[str] = frozenset()  # though `month_first`


LANGUAGES: Final[Mapping[str, Words]] = {
    "en": Words(
        numbers={
            "one": 1,
            "two": 2,
            "three": 3,
            "four": 4,
            "five": 5,
            "six": 6,
            "seven": 7,
            "eight": 8,
            "nine": 9,
            "ten": 10,
            "eleven": 11,
            "twelve": 12,
            "twenty": 20,
        },
        single=frozenset({"a", "an"}),
        morning=("in the morning", "this morning", "morning"),
        evening=("in the afternoon", "in the evening", "this evening", "afternoon", "evening", "tonight"),
        night=("at night", "night"),
        named_hours={"noon": time(12), "midday": time(12), "midnight": time(0)},
        clock_words=r"o ?['’]? ?clock",
        spoken=(
            ("half (?:past )?#", 30, 0),
            ("(?:a )?quarter (?:past|after) #", 15, 0),
            ("(?:a )?quarter (?:to|before|of) #", -15, 0),
            ("# (?:minutes? )?(?:past|after) #", 0, 1),
            ("# (?:minutes? )?(?:to|before) #", 0, -1),
        ),
        months=(
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        weekdays=(
            ("monday", "mon"),
            ("tuesday", "tues", "tue"),
            ("wednesday", "wed"),
            ("thursday", "thurs", "thur", "thu"),
            ("friday", "fri"),
            ("saturday", "sat"),
            ("sunday", "sun"),
        ),
        days={"today": 0, "tomorrow": 1, "day after tomorrow": 2, "next week": 7},
        units={"day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month", "months": "month"},
        ordinal="st|nd|rd|th",
        hour_fillers=frozenset({"at", "about", "around", "by", "from"}),
        day_fillers=frozenset({"on", "the", "of", "until", "till", "next", "this", "in"}),
        begins=("from", "between"),
        joins=("to", "until", "till", "and"),
        month_first=True,
        day_first_regions=frozenset({"gb", "ie", "au", "nz", "in", "za", "sg", "hk", "mt", "ng", "ke"}),
    ),
    "de": Words(
        numbers={
            "ein": 1,
            "eins": 1,
            "zwei": 2,
            "zwo": 2,
            "drei": 3,
            "vier": 4,
            "fünf": 5,
            "sechs": 6,
            "sieben": 7,
            "acht": 8,
            "neun": 9,
            "zehn": 10,
            "elf": 11,
            "zwölf": 12,
            "zwanzig": 20,
        },
        single=frozenset({"einem", "einer", "eine"}),
        morning=("am vormittag", "am morgen", "vormittags", "morgens", "in der früh", "früh"),
        evening=("am nachmittag", "nachmittags", "am abend", "abends", "heute abend"),
        night=("in der nacht", "nachts"),
        named_hours={"mittag": time(12), "mittags": time(12), "mitternacht": time(0)},
        clock_words="uhr",
        spoken=(
            ("# (?:minuten? )?vor halb #", -30, -1),
            ("# (?:minuten? )?nach halb #", -30, 1),
            ("halb #", -30, 0),
            ("viertel nach #", 15, 0),
            ("viertel vor #", -15, 0),
            ("(?:dreiviertel|drei viertel) #", -15, 0),
            ("viertel #", -45, 0),
            ("# (?:minuten? )?nach #", 0, 1),
            ("# (?:minuten? )?vor #", 0, -1),
        ),
        months=(
            ("januar", "jänner", "jan"),
            ("februar", "feber", "feb"),
            ("märz", "maerz", "mär", "mrz"),
            ("april", "apr"),
            ("mai",),
            ("juni", "jun"),
            ("juli", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("oktober", "okt"),
            ("november", "nov"),
            ("dezember", "dez"),
        ),
        weekdays=(
            ("montag", "mo"),
            ("dienstag", "di"),
            ("mittwoch", "mi"),
            ("donnerstag", "do"),
            ("freitag", "fr"),
            ("samstag", "sonnabend", "sa"),
            ("sonntag", "so"),
        ),
        days={"heute": 0, "morgen": 1, "übermorgen": 2, "uebermorgen": 2, "nächste woche": 7},
        units={
            **dict.fromkeys(("tag", "tage", "tagen"), "day"),
            **dict.fromkeys(("woche", "wochen"), "week"),
            **dict.fromkeys(("monat", "monate", "monaten"), "month"),
        },
        ordinal="ter|ten|te",
        hour_fillers=frozenset({"um", "gegen", "ab", "so", "ca", "ca.", "circa", "etwa"}),
        day_fillers=frozenset(
            {"am", "den", "der", "dem", "bis", "zum", "in", "nächsten", "nächster", "nächste", "kommenden", "diesen"}
        ),
        begins=("von", "zwischen", "ab"),
        joins=("bis", "und"),
    ),
}
