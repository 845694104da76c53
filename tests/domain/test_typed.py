"""What people type: an hour, a day, a line."""

import unicodedata
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.characters import is_boundary
from bot.domain.time_words import LANGUAGES
from bot.domain.typed import LINE_LIMIT, first_300, fold_line, parse_day, parse_hour, parse_zone

# --- an hour ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "typed"),
    [
        ("07:45", ["7:45", "07:45", "7.45", "7,45", "7 45", "0745", "745", "7h45", "7 h 45", "7:45h", "7:45:30"]),
        ("07:45", ["7:45 Uhr", "7.45 Uhr", "um 7:45", "7 Uhr 45", " 7:45 ", "7:45.", "7:45!", "(7:45)", "7:45am"]),
        ("07:45", ["７：４５", "٧:٤٥", "۷:۴۵", "७:४५", "\u200f7:45\u200f"]),
        ("07:45", ["quarter to 8", "a quarter to eight", "Viertel vor acht", "dreiviertel 8", "drei Viertel acht"]),
        ("07:30", ["half past 7", "half seven", "halb 8", "halb acht", "um halb acht", "0730", "730"]),
        ("07:15", ["quarter past 7", "Viertel nach sieben", "viertel acht"]),
        ("07:50", ["ten to eight", "10 minutes to 8", "zehn vor acht"]),
        ("07:25", ["fünf vor halb acht", "5 vor halb 8"]),
        ("07:35", ["fünf nach halb acht"]),
        ("08:00", ["8", "08", "8:00", "8 am", "8am", "8a", "8 a.m.", "8 o'clock", "8 o’clock", "eight", "acht Uhr"]),
        ("08:00", ["at 8", "about 8", "gegen 8", "so gegen acht", "8 in the morning", "8 Uhr morgens", "früh um 8"]),
        ("08:00", ["8 h", "8h", "in the morning at 8", "am Morgen um 8", "8 am Morgen"]),
        ("20:00", ["8pm", "8 pm", "8 p.m.", "8PM", "8p", "20", "20:00", "20h", "20 h", "20 Uhr", "20:00pm"]),
        ("20:00", ["8 in the evening", "8 Uhr abends", "abends um 8", "8 am Abend", "tonight at 8", "8 at night"]),
        ("20:15", ["20h15", "20 Uhr 15", "20.15 Uhr", "8:15 pm", "2015", "quarter past 8 pm"]),
        ("12:00", ["12", "noon", "12 noon", "midday", "at noon", "12 pm", "mittags", "12 Uhr mittags", "12:00"]),
        ("00:00", ["0", "24", "24:00", "0:00", "midnight", "Mitternacht", "12 am", "12 at night"]),
        ("00:30", ["12:30 am", "half past 12 at night", "0030"]),
        ("02:00", ["2 at night", "2 Uhr nachts", "nachts um 2"]),
        ("15:30", ["3:30 in the afternoon", "halb 4 nachmittags", "3.30pm"]),
        ("23:59", ["23:59", "11:59 pm", "23h59"]),
    ],
)
def test_hours(hour: str, typed: list[str]) -> None:
    assert {text: parse_hour(text) for text in typed} == dict.fromkeys(typed, time.fromisoformat(hour))


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            " ",
            "hello",
            "🙂",
            "25",
            "25:00",
            "24:30",
            "7:60",
            "7:5",
            "13 am",
            "0 pm",
            "20 in the morning",
            "-7",
            "+7",
        ),
        *(
            "7-9",
            "7 or 8",
            "7 oder 8",
            "in 2 hours",
            "2 hours",
            "a",
            "at",
            "um",
            "70 to 8",
            "0 to 8",
            "12345",
            "7:45 8:30",
        ),
        *("tomorrow", "8 ammm", "8 x", "1e1", "½", "morning", "abends", "tonight", "25 pm", "8:15 Uhr 30", "9" * 5000),
    ],
)
def test_unclear_hours_are_asked_again(typed: str) -> None:
    assert parse_hour(typed) is None


@given(st.times())
def test_every_minute_is_read_as_it_is_written(at: time) -> None:
    at = at.replace(second=0, microsecond=0)
    assert parse_hour(at.strftime("%H:%M")) == parse_hour(at.strftime("%H%M")) == at
    assert parse_hour(at.strftime("%I:%M %p")) == parse_hour(at.strftime("%H Uhr %M")) == at


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    parse_hour(text)
    for language in ("en", "de", "xx"):
        parse_day(text, date(2026, 11, 22), language)


# --- a day -----------------------------------------------------------------------------------------------------------

SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize("language", ["en", "de", "en-GB", "uk"])
@pytest.mark.parametrize(
    ("day", "typed"),
    [
        ("2026-12-24", ["2026-12-24", "2026/12/24", "2026.12.24", "24.12.", "24.12", "24.12.2026", "24. 12. 2026"]),
        ("2026-12-24", ["24.12.26", "24/12", "12/24", "24-12-2026", "12/24/2026", "２４.１２.", "٢٤.١٢."]),
        (
            "2026-12-24",
            ["24 Dec", "Dec 24", "24 December", "December 24th", "24th of December", "the 24th of December"],
        ),
        ("2026-12-24", ["Dec. 24, 2026", "24 December 2026", "24. Dezember", "24 Dez", "am 24. Dezember 2026"]),
        ("2026-12-24", ["Thursday, 24 December", "Do., 24.12.", "until 24 Dec", "bis zum 24. Dezember", "24dec"]),
        ("2026-11-22", ["today", "heute", "22.11.", "22 Nov", "the 22nd", "22."]),
        ("2026-11-23", ["tomorrow", "Tomorrow!", "morgen", "bis morgen", "Monday", "Mo", "Mon.", "in a day", "1 day"]),
        (
            "2026-11-24",
            ["the day after tomorrow", "übermorgen", "u\u0308bermorgen", "Tuesday", "the 24th", "24.", "am 24."],
        ),
        (
            "2026-11-25",
            ["in 3 days", "in three days", "3 days", "in 3 Tagen", "in drei Tagen", "Wednesday", "Mittwoch"],
        ),
        ("2026-11-27", ["Friday", "on Friday", "next Friday", "Freitag", "bis Freitag", "nächsten Freitag", "Fr"]),
        (
            "2026-11-29",
            ["Sunday", "Sonntag", "So", "in a week", "in einer Woche", "next week", "nächste Woche", "7 days"],
        ),
        ("2026-12-06", ["in 2 weeks", "in two weeks", "in zwei Wochen", "14 days"]),
        ("2026-12-22", ["in a month", "in einem Monat", "1 month"]),
        ("2027-11-21", ["21.11.", "21 Nov", "21. November", "21/11", "Nov 21st"]),
        ("2027-01-03", ["3.1.", "3 January", "3. Jänner", "03.01.2027", "3 Jan 2027", "Jan 3 '27"]),
        ("2028-02-29", ["29 Feb", "29.2.", "29. Februar", "2028-02-29", "29/2"]),
        ("2026-12-31", ["31.", "the 31st", "Dec 31", "Thursday, Dec 31", "Do 31.12.", "Thursday the 31st"]),
        ("2020-01-01", ["2020-01-01", "1.1.2020"]),
    ],
)
def test_days(day: str, typed: list[str], language: str) -> None:
    found = {text: parse_day(text, SUNDAY, language) for text in typed}
    assert found == dict.fromkeys(typed, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("language", "day"),
    [
        *(("en", "2027-03-04"), ("en-US", "2027-03-04"), ("en-GB", "2027-04-03"), ("en_AU", "2027-04-03")),
        *(("de", "2027-04-03"), ("de-AT", "2027-04-03"), ("fr", "2027-04-03")),
    ],
)
def test_three_slash_four_is_what_the_language_says(language: str, day: str) -> None:
    assert parse_day("3/4", SUNDAY, language) == date.fromisoformat(day)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "typed",
    [
        *("", "hello", "5", "0", "0.", "32.", "31.2.", "31/2", "12.24.", "0.0.", "30 Feb", "2026-13-01", "2026-02-30"),
        *("29.2.2027", "in 99999 days", "in 9999999999 days", "in -3 days", "may", "week", "this week", "0000-01-01"),
        *("Friday in two weeks", "Freitag in zwei Wochen", "Friday 6 March", "Freitag, 6. März", "Mo 24.12.2026"),
        *("8:00", "24.12.2026 8:00", "🙂", "in 9999 weeks 9999", "1.2.3.4", "in 3 hours", "24 12", "9" * 5000),
    ],
)
def test_unclear_days_are_asked_again(typed: str, language: str) -> None:
    assert parse_day(typed, SUNDAY, language) is None


def test_a_month_ahead_ends_with_the_month() -> None:
    assert parse_day("in 3 months", date(2026, 11, 30), "en") == date(2027, 2, 28)


def test_the_end_of_time_is_no_error() -> None:
    last = date(9999, 12, 31)
    for typed in ("tomorrow", "Friday", "in 3 days", "in a month", "24 Dec", "the 1st"):
        assert parse_day(typed, last, "en") is None


@given(st.dates(date(2026, 1, 1), date(2060, 12, 31)), st.sampled_from(sorted(LANGUAGES)))
def test_every_day_is_read_as_it_is_written(day: date, language: str) -> None:
    names = LANGUAGES[language].months[day.month - 1]
    for name in names:
        assert parse_day(f"{day.day}. {name.title()} {day.year}", SUNDAY, language) == day
    assert parse_day(day.isoformat(), SUNDAY, language) == day
    assert parse_day(f"{day.day}.{day.month}.{day.year}", SUNDAY, language) == day
    assert parse_day(f"{day:%d.%m.%y}", SUNDAY, language) == day


@given(st.dates(date(2026, 1, 1), date(2060, 12, 31)), st.dates(date(2026, 1, 1), date(2060, 12, 31)))
def test_a_day_without_a_year_is_the_coming_one(today: date, day: date) -> None:
    found = parse_day(f"{day.day}.{day.month}.", today, "de")
    assert found is not None
    assert (found.day, found.month) == (day.day, day.month)
    assert found >= today
    assert found.year - today.year <= (1 if (day.month, day.day) != (2, 29) else 8)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_word_stands_for_two_things(language: str) -> None:
    words = LANGUAGES[language]
    months = [name for names in words.months for name in names]
    weekdays = [name for names in words.weekdays for name in names]
    assert (len(words.months), len(words.weekdays)) == (12, 7)
    every = [*months, *weekdays, *words.days, *words.units]
    assert len(every) == len(set(every))
    assert all(word == unicodedata.normalize("NFKC", word).casefold() for word in (*every, *words.numbers))


# --- a line ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line_break", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", " \n\n\t\n "]
)
def test_line_breaks_of_all_kinds_fold_into_one_space(line_break: str) -> None:
    assert fold_line(f"{line_break}wound up{line_break}and tired {line_break}") == "wound up and tired"


def test_what_was_typed_stays_as_it_was() -> None:
    for line in (
        "two  spaces, e\u0301 and é",
        "👩\u200d❤️\u200d👨 🏳️\u200d🌈",
        "\u200fשלום\u200e, \u2067hi\u2069",
        "می\u200cخواهم",
        "ﬁne",
        "a\u00a0b",
    ):
        assert fold_line(line) == line


def test_control_characters_and_broken_halves_go() -> None:
    assert fold_line("a\tb\x00c\x1b[0m\x7f\ud83d") == "a bc[0m"
    fold_line("\ud83d x").encode()


@pytest.mark.parametrize(
    "typed", ["", " ", "\n\n", "\u200b\u200d", "\u2800", "\u3164", "\ufe0f", "\x00", "\ud83d", "\u0301"]
)
def test_text_with_nothing_to_see_is_no_line(typed: str) -> None:
    assert fold_line(typed) == ""


@given(st.text(st.characters()))
def test_a_folded_line_is_one_line_and_stays_the_same(text: str) -> None:
    line = fold_line(text)
    assert line.splitlines() in ([], [line])
    assert line == line.strip()
    assert fold_line(line) == line
    line.encode()
    assert line == "" or all(character in line for character in text if character.isalnum())


FAMILY = "👨\u200d👩\u200d👧\u200d👦"
WHOLE = [
    *(
        FAMILY,
        "👍🏽",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ),
    *("e\u0301", "क्ष", "कि", "กำ", "각", "\u1100\u1161\u11a8", "ﾊﾟ", "🏳\ufe0f\u200d🌈", "\u0600\u0661", "o\u0308\u0323"),
]


@pytest.mark.parametrize("whole", WHOLE)
def test_a_character_as_people_see_it_is_not_cut(whole: str) -> None:
    for fits in range(len(whole)):
        start = "x" * (LINE_LIMIT - fits)
        assert first_300(start + whole + "y") == start
    start = "x" * (LINE_LIMIT - len(whole))
    assert first_300(start + whole + "y") == start + whole


def test_flags_are_cut_between_two_and_not_within_one() -> None:
    assert first_300("x" + "🇩🇪🇫🇷" * 100) == "x" + "🇩🇪🇫🇷" * 74 + "🇩🇪"
    assert first_300("🇩🇪" * 151) == "🇩🇪" * 150


def test_one_endless_character_is_cut_all_the_same() -> None:
    assert first_300("e" + "\u0301" * 400) == "e" + "\u0301" * 299


def test_the_first_300_end_without_a_space() -> None:
    assert first_300("x" * 299 + " and more") == "x" * 299
    assert first_300("x" * 298 + " and more") == "x" * 298 + " a"


@given(st.lists(st.sampled_from([*WHOLE, "a", "ß", "字", " ", "."]), max_size=200))
def test_the_first_300_of_anything(characters: list[str]) -> None:
    text = "x" + "".join(characters)
    cut = first_300(text)
    assert text.startswith(cut)
    assert len(cut) <= LINE_LIMIT
    if len(text) <= LINE_LIMIT:
        assert cut == text
    else:
        # No longer piece of whole characters would have fitted.
        assert len(cut) > LINE_LIMIT - 20 or text[len(cut)] == " "
        assert is_boundary(text, len(cut))


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
        ("utc", "UTC"),
        ("Berlin", None),
        ("CET", None),
        ("Europe/Nowhere", None),
        ("../etc/passwd", None),
        ("Europe/" + "x" * 100, None),
        ("", None),
    ],
)
def test_a_zone_by_its_own_name(text: str, zone: str | None) -> None:
    assert parse_zone(text) == zone
