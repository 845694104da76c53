"""The words in which people say an hour, a day or a span of time: data for `hours`, `days` and `moments`.

Those modules contain no words themselves. To support another language, add an entry to LANGUAGES.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """A part of the day."""

    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"


@dataclass(frozen=True)
class Words:
    """A language's words for hours and days, casefolded. In patterns `#` stands for a number."""

    numbers: Mapping[str, int]
    single: frozenset[str]  # "a" in "in a week"
    polite: frozenset[str]  # courtesies around an hour or a day
    trailing: str  # a pattern for words after an hour or a span that don't change it: "or so"
    against: frozenset[str]  # words that change what an hour beside them means: "not at 8", "after 8", "8 or 9"

    morning: tuple[str, ...]  # phrases within an hour ("8 in the morning"), longest first
    evening: tuple[str, ...]  # also for the afternoon
    night: tuple[str, ...]
    named_hours: Mapping[str, time]
    clock_words: str  # a pattern for "o'clock", also between hour and minutes
    spoken: tuple[tuple[str, int, int], ...]  # pattern; minutes from the hour (the last number); sign of a first number
    hour_fillers: frozenset[str]
    begins: tuple[str, ...]  # "from" in "from 10 to 7"
    joins: tuple[str, ...]  # "to"

    months: tuple[tuple[str, ...], ...]
    weekdays: tuple[tuple[str, ...], ...]
    days: Mapping[str, int]  # days from today, for whole phrases
    next_week: tuple[str, ...]  # patterns that occur beside a weekday
    following: frozenset[str]  # "next" before a weekday: the coming one, or the one in next week
    coming: frozenset[str]  # "this" before a weekday: the coming one, today's included
    ordinal: str  # a pattern for what follows a day's number
    day_fillers: frozenset[str]

    parts: Mapping[str, Part]  # whole phrases beside a day: "in the evening" in "on Monday in the evening"
    rewritten: tuple[tuple[str, str], ...]  # patterns for words that combine a day and a part of it
    ahead: frozenset[str]  # "in" before a span
    units: Mapping[str, str]  # "minute", "hour", "day", "week", "month"
    spans: Mapping[str, timedelta]  # "half an hour"
    endless: frozenset[str]  # a pause without an end
    at_once: frozenset[str]  # the end of a pause: "/resume now"
    week_groups: Mapping[str, frozenset[int]]  # "weekends"
    week_fillers: frozenset[str]  # words that can occur beside weekdays
    through: str  # a pattern for "to" in "Monday to Friday"
    at_ritual: frozenset[str]  # at the pair's weekly moment
    nothing: frozenset[str]  # no hours at all: "/quiet off"

    before_place: str  # patterns for words before and after the name of a place
    after_place: str


ELSEWHERE: Final = "kl|klo|klockan|klokken|às|à|a las|alle|om"
"""A pattern for "at" before an hour in languages that we otherwise don't support."""
_HALF, _QUARTER, _HOUR = timedelta(minutes=30), timedelta(minutes=15), timedelta(hours=1)
_WEEK, _WORKDAYS, _WEEKEND = frozenset(range(7)), frozenset(range(5)), frozenset({5, 6})


def _english_numbers() -> dict[str, int]:
    small = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ]
    numbers = {word: number for number, word in enumerate(small, 1)}
    for tens, word in ((20, "twenty"), (30, "thirty"), (40, "forty"), (50, "fifty")):
        numbers[word] = tens
        numbers |= {f"{word}{joint}{small[unit - 1]}": tens + unit for unit in range(1, 10) for joint in "- "}
    return numbers


def _german_numbers() -> dict[str, int]:
    small = [
        "eins",
        "zwei",
        "drei",
        "vier",
        "fünf",
        "sechs",
        "sieben",
        "acht",
        "neun",
        "zehn",
        "elf",
        "zwölf",
        "dreizehn",
        "vierzehn",
        "fünfzehn",
        "sechzehn",
        "siebzehn",
        "achtzehn",
        "neunzehn",
    ]
    numbers = {word: number for number, word in enumerate(small, 1)} | {"ein": 1, "zwo": 2}
    for tens, word in ((20, "zwanzig"), (30, "dreißig"), (40, "vierzig"), (50, "fünfzig")):
        units = ("ein", *small[1:9])
        numbers[word] = tens
        numbers |= {f"{unit}und{word}": tens + number for number, unit in enumerate(units, 1)}
    plain = {word.replace("ü", "ue").replace("ö", "oe"): number for word, number in numbers.items()}
    return {word.casefold(): number for word, number in (numbers | plain).items()}  # ß becomes ss, as typed texts do


_GERMAN_WEEKDAY = "montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag"
_GERMAN_PART = "morgen|früh|frueh|vormittag|mittag|nachmittag|abend|nacht"


LANGUAGES: Final[Mapping[str, Words]] = {
    "en": Words(
        numbers=_english_numbers(),
        single=frozenset({"a", "an"}),
        polite=frozenset({"please", "pls", "thanks", "thx", "ok", "okay", "yes", "sorry", "hi", "hello", "then"}),
        trailing="or so|or thereabouts|sharp|from now",
        against=frozenset(
            {"not", "no", "never", "don't", "dont", "before", "after", "until", "till", "or", "between", "except"}
        ),
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
        hour_fillers=frozenset({"at", "about", "around", "by", "from"}),
        begins=("from", "between"),
        joins=("to", "until", "till", "and"),
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
        next_week=("next week",),
        following=frozenset({"next"}),
        coming=frozenset({"this", "coming"}),
        ordinal="st|nd|rd|th",
        day_fillers=frozenset({"on", "the", "of", "until", "till", "in", "for"}),
        parts={
            **dict.fromkeys(("morning", "in the morning"), Part.MORNING),
            **dict.fromkeys(("lunchtime", "at lunchtime", "lunch", "at lunch"), Part.NOON),
            **dict.fromkeys(("afternoon", "in the afternoon"), Part.AFTERNOON),
            **dict.fromkeys(("evening", "in the evening"), Part.EVENING),
            **dict.fromkeys(("night", "at night"), Part.NIGHT),
        },
        rewritten=(
            (r"\b(?:tonight|tonite|this evening)\b", "today evening"),
            (r"\bthis (morning|afternoon)\b", r"today \1"),
            (r"\b(?:tmr|tmrw|tomorow|tommorow|tommorrow)\b", "tomorrow"),
        ),
        ahead=frozenset({"in"}),
        units={
            **dict.fromkeys(("minute", "minutes", "min", "mins"), "minute"),
            **dict.fromkeys(("hour", "hours", "hr", "hrs", "h"), "hour"),
            **dict.fromkeys(("day", "days"), "day"),
            **dict.fromkeys(("week", "weeks"), "week"),
            **dict.fromkeys(("month", "months"), "month"),
        },
        spans={
            **dict.fromkeys(("half an hour", "a half hour", "half hour"), _HALF),
            **dict.fromkeys(("a quarter of an hour", "quarter of an hour", "a quarter hour"), _QUARTER),
            "three quarters of an hour": 3 * _QUARTER,
            **dict.fromkeys(("an hour and a half", "one and a half hours", "1 and a half hours"), _HOUR + _HALF),
            **dict.fromkeys(("two and a half hours", "2 and a half hours"), 2 * _HOUR + _HALF),
        },
        at_once=frozenset({"now", "right now", "at once", "immediately"}),
        week_groups={
            **dict.fromkeys(("every day", "everyday", "daily", "all", "all days", "each day", "always"), _WEEK),
            **dict.fromkeys(("weekdays", "workdays", "working days", "weekday"), _WORKDAYS),
            **dict.fromkeys(("weekends", "weekend", "at weekends", "on weekends", "at the weekend"), _WEEKEND),
        },
        week_fillers=frozenset({"on", "and", "every", "each", "only", "from", "just"}),
        through="to|through|thru|until|till",
        endless=frozenset({"until i say so", "forever", "indefinitely", "until further notice", "for good"}),
        at_ritual=frozenset({"at our moment", "our moment", "at the ritual", "ritual"}),
        nothing=frozenset({"none", "off", "no", "never", "no quiet hours"}),
        before_place="(?:i live |i am |i'm )?(?:in|near) (?:the )?",
        after_place=" (?:local )?(?:time|timezone|time zone)",
    ),
    "de": Words(
        numbers=_german_numbers(),
        single=frozenset({"einem", "einer", "eine", "einen"}),
        polite=frozenset({"bitte", "danke", "ok", "okay", "ja", "gern", "gerne", "hallo", "dann", "doch"}),
        trailing="oder so|herum|ab jetzt|von jetzt an",
        against=frozenset(
            {"nicht", "kein", "keine", "nie", "vor", "nach", "bis", "oder", "zwischen", "außer", "ausser"}
        ),
        morning=("am vormittag", "am morgen", "vormittags", "morgens", "in der früh", "früh"),
        evening=(*("am nachmittag", "nachmittags", "nachmittag", "am abend", "abends", "heute abend", "abend"),),
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
        hour_fillers=frozenset({"um", "gegen", "ab", "so", "ca", "ca.", "circa", "etwa", "rum"}),
        begins=("von", "zwischen", "ab"),
        joins=("bis", "und"),
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
        days={"heute": 0, "morgen": 1, "übermorgen": 2, "uebermorgen": 2, "nächste woche": 7, "naechste woche": 7},
        next_week=("(?:in der )?n(?:ä|ae)chsten? woche", "n(?:ä|ae)chster woche"),
        following=frozenset({"nächsten", "nächster", "nächste", "nächstem", "naechsten", "naechster", "naechste"}),
        coming=frozenset({"kommenden", "kommender", "kommende", "diesen", "dieser", "diese"}),
        ordinal="ter|ten|te",
        day_fillers=frozenset({"am", "den", "der", "dem", "bis", "zum", "in", "für", "fuer"}),
        parts={
            **dict.fromkeys(("morgen", "am morgen", "morgens", "früh", "frueh", "in der früh"), Part.MORNING),
            **dict.fromkeys(("vormittag", "am vormittag", "vormittags"), Part.MORNING),
            **dict.fromkeys(("mittag", "am mittag", "mittags"), Part.NOON),
            **dict.fromkeys(("nachmittag", "am nachmittag", "nachmittags"), Part.AFTERNOON),
            **dict.fromkeys(("abend", "am abend", "abends"), Part.EVENING),
            **dict.fromkeys(("nacht", "in der nacht", "nachts"), Part.NIGHT),
        },
        rewritten=(
            (rf"\b({_GERMAN_WEEKDAY})s?({_GERMAN_PART})s?\b", r"\1 \2"),
            (r"\bheut\b", "heute"),
        ),
        ahead=frozenset({"in"}),
        units={
            **dict.fromkeys(("minute", "minuten", "min"), "minute"),
            **dict.fromkeys(("stunde", "stunden", "std", "std.", "h"), "hour"),
            **dict.fromkeys(("tag", "tage", "tagen"), "day"),
            **dict.fromkeys(("woche", "wochen"), "week"),
            **dict.fromkeys(("monat", "monate", "monaten"), "month"),
        },
        spans={
            **dict.fromkeys(("einer halben stunde", "eine halbe stunde", "halbe stunde", "halben stunde"), _HALF),
            **dict.fromkeys(("einer viertelstunde", "eine viertelstunde", "viertelstunde"), _QUARTER),
            **dict.fromkeys(("einer dreiviertelstunde", "eine dreiviertelstunde", "dreiviertelstunde"), 3 * _QUARTER),
            **dict.fromkeys(("anderthalb stunden", "eineinhalb stunden"), _HOUR + _HALF),
            "zweieinhalb stunden": 2 * _HOUR + _HALF,
        },
        at_once=frozenset({"jetzt", "sofort", "gleich"}),
        week_groups={
            **dict.fromkeys(("jeden tag", "täglich", "taeglich", "alle", "alle tage", "immer"), _WEEK),
            **dict.fromkeys(("werktags", "werktage", "wochentags", "an werktagen", "unter der woche"), _WORKDAYS),
            **dict.fromkeys(("wochenende", "am wochenende", "wochenenden", "an wochenenden"), _WEEKEND),
        },
        week_fillers=frozenset({"am", "an", "und", "jeden", "nur", "von", "immer"}),
        through="bis",
        endless=frozenset({"bis auf weiteres", "bis ich mich melde", "für immer", "unbegrenzt", "unbefristet"}),
        at_ritual=frozenset({"zum moment", "unser moment", "zu unserem moment", "beim ritual"}),
        nothing=frozenset({"keine", "aus", "nie", "keine ruhezeit", "keine ruhezeiten"}),
        before_place="(?:ich wohne |ich bin |ich lebe )?(?:in|bei|nahe) (?:der |den )?",
        after_place="(?:er)? (?:zeit|ortszeit|zeitzone)",
    ),
}
