"""Days as people type them."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.date_order import day_leads
from bot.domain.days import Habits, counted_days, is_at_once, is_endless, read_day, read_weekdays
from bot.domain.time_words import LANGUAGES

SUNDAY = date(2026, 11, 22)


BRITISH, AMERICAN, GERMAN = Habits("en", day_leads=True), Habits("en", day_leads=False), Habits("de", day_leads=True)
UNKNOWN = Habits("en")


def read(text: str, habits: Habits = BRITISH, today: date = SUNDAY) -> list[str]:
    return [day.isoformat() for day in read_day(text, today, habits)]


@pytest.mark.parametrize("habits", [BRITISH, AMERICAN, GERMAN, UNKNOWN, Habits("uk", day_leads=True)])
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
            ["next Sunday", "nächsten Sonntag", "in a week", "in einer Woche", "next week", "nächste Woche", "7 days"],
        ),
        ("2026-12-06", ["in 2 weeks", "in two weeks", "in zwei Wochen", "14 days"]),
        ("2026-12-22", ["in a month", "in einem Monat", "1 month"]),
        ("2027-11-21", ["21.11.", "21 Nov", "21. November", "21/11", "Nov 21st"]),
        ("2027-01-03", ["3.1.", "3 January", "3. Jänner", "03.01.2027", "3 Jan 2027", "Jan 3 '27"]),
        ("2029-01-03", ["3 Jan 2029", "January 3, 2029", "Jan 3 '29", "3.1.29"]),
        ("2027-03-02", ["in 100 days", "100 Tage"]),
        ("2028-02-29", ["29 Feb", "29.2.", "29. Februar", "2028-02-29", "29/2"]),
        ("2026-12-31", ["31.", "the 31st", "Dec 31", "Thursday, Dec 31", "Do 31.12.", "Thursday the 31st"]),
        ("2020-01-01", ["2020-01-01", "1.1.2020"]),
    ],
)
def test_typed_day_is_read(day: str, typed: list[str], habits: Habits) -> None:
    assert {text: read(text, habits) for text in typed} == {text: [day] for text in typed}


def test_slash_follows_habit_or_is_queried() -> None:
    assert read("4/5", BRITISH) == read("4-5", GERMAN) == ["2027-05-04"]
    assert read("4/5", AMERICAN) == ["2027-04-05"]
    assert read("4/5", UNKNOWN) == read("04/05", UNKNOWN) == read("4-5", UNKNOWN) == ["2027-04-05", "2027-05-04"]
    assert read("4/5/2027", UNKNOWN) == ["2027-04-05", "2027-05-04"]
    assert read("5/5", UNKNOWN) == ["2027-05-05"]
    assert read("4.5.", UNKNOWN) == read("4.5.", AMERICAN) == ["2027-05-04"], "with dots the day leads everywhere"


@pytest.mark.parametrize(
    ("tag", "country", "leads"),
    [
        *(("en-US", "DE", False), ("en-GB", "US", True), ("en_US", "DE", False), ("en-IN", None, True)),
        *(("en-Latn-US", "DE", False), ("en-150", "US", False), ("en-u", "US", False)),
        *(("en", "US", False), ("en", "GB", True), ("en", "DE", True), ("en", "PH", False), ("en", None, None)),
        *(("en", "JP", None), ("en", "HU", None), ("en-GB", "JP", True), ("en-US", "KR", False), ("de", "JP", True)),
        *(("en", "CA", None), ("en-CA", "US", None), ("fr-CA", "CA", None), ("fr", "CA", True)),
        *(
            ("de", "US", True),
            ("de-AT", None, True),
            ("pt-br", "BR", True),
            ("ja", "JP", False),
            ("zh-hans", "DE", False),
        ),
        *(("zh-Hans-CN", None, False), ("hu", None, False), ("sv", "SE", True), ("", None, True), ("xx", None, True)),
    ],
)
def test_order_of_a_date(tag: str, country: str | None, leads: bool | None) -> None:
    assert day_leads(tag, country) is leads


def test_next_friday_is_ambiguous() -> None:
    thursday = date(2026, 11, 26)
    for typed in ("next Friday", "nächsten Freitag", "until next Friday", "bis zum nächsten Freitag", "next Fri"):
        assert read(typed, today=thursday) == ["2026-11-27", "2026-12-04"]
    for typed in ("Friday", "this Friday", "kommenden Freitag", "diesen Freitag", "Fr."):
        assert read(typed, today=thursday) == ["2026-11-27"]
    assert read("next Wednesday", today=thursday) == ["2026-12-02"], "this week's is over"
    assert read("next Thursday", today=thursday) == ["2026-12-03"]
    assert read("next Friday") == ["2026-11-27"], "on a Sunday, next week begins tomorrow"


def test_todays_weekday_is_ambiguous() -> None:
    assert read("Sunday") == read("So") == read("am Sonntag") == ["2026-11-22", "2026-11-29"]
    assert read("this Sunday") == ["2026-11-22"]
    assert read("next Sunday") == ["2026-11-29"]


def test_weekday_of_next_week() -> None:
    thursday = date(2026, 11, 26)
    for typed in (
        "Monday next week",
        "next week Monday",
        "Montag nächste Woche",
        "nächste Woche Montag",
        "Mo. nächste Woche",
    ):
        assert read(typed, today=thursday) == ["2026-11-30"]
    assert read("Friday next week", today=thursday) == ["2026-12-04"]


@pytest.mark.parametrize("habits", [BRITISH, AMERICAN, GERMAN, UNKNOWN])
@pytest.mark.parametrize(
    "typed",
    [
        *("", "hello", "5", "0", "0.", "32.", "31.2.", "31/2", "12.24.", "0.0.", "30 Feb", "2026-13-01", "2026-02-30"),
        *(
            "29.2.2027",
            "some Friday",
            "this next Friday",
            "next Friday Monday",
            "in 99999 days",
            "in 9999999999 days",
            "in -3 days",
            "may",
            "week",
            "this week",
            "0000-01-01",
        ),
        *("Friday in two weeks", "Freitag in zwei Wochen", "Friday 6 March", "Freitag, 6. März", "Mo 24.12.2026"),
        *("8:00", "24.12.2026 8:00", "🙂", "in 9999 weeks 9999", "1.2.3.4", "in 3 hours", "24 12", "9" * 5000),
    ],
)
def test_unclear_days_are_none(typed: str, habits: Habits) -> None:
    assert read(typed, habits) == []


def test_month_ahead_ends_with_the_month() -> None:
    assert read("in 3 months", today=date(2026, 11, 30)) == ["2027-02-28"]
    assert read("in 3 months", today=date(2027, 11, 30)) == ["2028-02-29"]


def test_day_of_a_month_is_the_next_one_there_is() -> None:
    february = date(2027, 2, 10)
    for typed, day in (("the 28th", "2027-02-28"), ("the 29th", "2027-03-29"), ("31.", "2027-03-31")):
        assert read(typed, today=february) == [day]
    assert read("the 29th", today=date(2028, 2, 10)) == ["2028-02-29"]
    assert read("the 1st", today=date(2026, 12, 10)) == read("am 1.", today=date(2026, 12, 10)) == ["2027-01-01"]


def test_end_of_time_is_no_error() -> None:
    last = date(9999, 12, 31)
    for typed in ("tomorrow", "Friday", "in 3 days", "in a month", "24 Dec", "the 1st"):
        assert read(typed, today=last) in ([], ["9999-12-31"])


@given(st.dates(date(2026, 1, 1), date(2060, 12, 31)), st.sampled_from(sorted(LANGUAGES)))
def test_every_written_day_is_read(day: date, language: str) -> None:
    names = LANGUAGES[language].months[day.month - 1]
    for name in names:
        assert read_day(f"{day.day}. {name.title()} {day.year}", SUNDAY, Habits(language)) == (day,)
    for written in (day.isoformat(), f"{day.day}.{day.month}.{day.year}", f"{day:%d.%m.%y}"):
        assert read_day(written, SUNDAY, Habits(language)) == (day,)
    assert read_day(f"{day:%d/%m/%Y}", SUNDAY, BRITISH) == read_day(f"{day:%m/%d/%Y}", SUNDAY, AMERICAN) == (day,)
    assert day in read_day(f"{day:%d/%m/%Y}", SUNDAY, UNKNOWN)


@given(st.dates(date(2026, 1, 1), date(2060, 12, 31)), st.dates(date(2026, 1, 1), date(2060, 12, 31)))
def test_day_without_a_year_is_upcoming(today: date, day: date) -> None:
    (found,) = read_day(f"{day.day}.{day.month}.", today, GERMAN)
    assert (found.day, found.month) == (day.day, day.month)
    assert found >= today
    assert found.year - today.year <= (1 if (day.month, day.day) != (2, 29) else 8)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_word_has_two_meanings(language: str) -> None:
    words = LANGUAGES[language]
    months = [name for names in words.months for name in names]
    weekdays = [name for names in words.weekdays for name in names]
    assert (len(words.months), len(words.weekdays)) == (12, 7)
    every = [*months, *weekdays, *words.days, *words.units]
    assert len(every) == len(set(every))
    assert words.day_fillers.isdisjoint(every)
    assert all(word == unicodedata.normalize("NFKC", word).casefold() for word in (*every, *words.numbers))


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        *(("3 days", 3), ("3", 3), ("for 3 days", 3), ("three days", 3), ("drei Tage", 3), ("3 Tage bitte", 3)),
        *(("a week", 7), ("eine Woche", 7), ("für eine Woche", 7), ("2 weeks", 14), ("zwei Wochen", 14), ("1 day", 1)),
        *(("100 days", 100), ("100", 100)),
        *(("in 3 days", None), ("Friday", None), ("0", None), ("0 days", None), ("2 hours", None), ("", None)),
    ],
)
def test_number_of_days(typed: str, days: int | None) -> None:
    assert counted_days(typed) == days


@pytest.mark.parametrize("typed", ["until I say so", "Bis auf Weiteres", "forever", "unbegrenzt", "Until I say so!"])
def test_pause_without_an_end(typed: str) -> None:
    assert is_endless(typed)
    assert not is_endless("until Friday")


@pytest.mark.parametrize("typed", ["now", "Right now!", "jetzt", "sofort bitte"])
def test_pause_ends_at_once(typed: str) -> None:
    assert is_at_once(typed)
    assert not is_at_once("not now")
    assert not is_at_once("tomorrow")


@given(st.text())
def test_no_text_breaks_the_day_reader(text: str) -> None:
    for language in ("en", "de", "xx"):
        read_day(text, SUNDAY, Habits(language))
    counted_days(text)


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("mon-fri", "01234"),
        ("Mon – Fri", "01234"),
        ("Monday to Friday please", "01234"),
        ("from Monday through Friday", "01234"),
        ("Mo bis Fr", "01234"),
        ("Mo.-Fr.", "01234"),
        ("Tues. & Thurs.", "13"),
        ("von Montag bis Freitag", "01234"),
        ("weekdays", "01234"),
        ("werktags", "01234"),
        ("fri-mon", "0456"),
        ("Mondays", "0"),
        ("on Tuesdays and Thursdays", "13"),
        ("Mo, Mi, Fr", "024"),
        ("Di/Do", "13"),
        ("mon wed fri", "024"),
        ("mon-wed, sat", "0125"),
        ("weekdays and sat", "012345"),
        ("weekends", "56"),
        ("am Wochenende", "56"),
        ("every day", "0123456"),
        ("täglich", "0123456"),
        ("sun-sat", "0123456"),
    ],
)
def test_weekdays_are_read(typed: str, days: str) -> None:
    assert read_weekdays(typed) == frozenset(map(int, days))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "mon-",
        "not on Sunday",
        "every day except Sunday",
        "mon-fri-sun",
        "Monday 8",
        "mon or fri",
        "the dog",
        "on",
        "-",
    ],
)
def test_invalid_weekdays(typed: str) -> None:
    assert read_weekdays(typed) is None
