"""A day and an hour as people type them, by their own clock."""

import time as stopwatch
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.days import Habits
from bot.domain.hours import parse_hour
from bot.domain.moments import Clock, is_at_ritual, looks_like_time, read_later, read_moment, read_span
from bot.domain.times import local, tomorrow_morning, tonight

BERLIN = "Europe/Berlin"
THURSDAY = datetime(2026, 11, 26, 15, 28, tzinfo=UTC)  # 16:28 in Berlin
MOMENTS = st.integers(0, 10 * 365 * 24 * 60).map(lambda minutes: THURSDAY + timedelta(minutes=minutes))
ENGLISH, GERMAN = Habits("en", day_leads=True), Habits("de", day_leads=True)


def read(text: str, now: datetime = THURSDAY, habits: Habits = ENGLISH, least: int = 10) -> list[str]:
    moments = read_moment(text, Clock(now, BERLIN, timedelta(minutes=least)), habits)
    return [f"{local(moment, BERLIN):%a %d %H:%M}" for moment in moments]


@pytest.mark.parametrize("habits", [ENGLISH, GERMAN])
@pytest.mark.parametrize(
    ("moment", "typed"),
    [
        # The texts on our buttons.
        ("Thu 26 20:30", ["Tonight", "Tonight (20:30)", "Heute Abend"]),
        ("Thu 26 20:30", ["tonite", "kl. 20.30", "kl.20.30", "à 20h30", "om 20:30", "20:30 or so", "um 20:30 :)"]),
        ("Thu 26 21:00", ["tonight, 9pm", "tonight 9 pm", "9pm tonight", "heute Abend, kl. 21"]),
        ("Thu 26 20:30", ["heute abend (20:30)", "this evening", "heut Abend"]),
        ("Fri 27 08:00", ["Tomorrow morning", "Tomorrow morning (08:00)", "Morgen früh", "morgen Vormittag"]),
        ("Thu 26 17:28", ["In an hour", "In an hour (17:28)", "In einer Stunde", "in 1 hour", "in 60 min", "in 1h"]),
        ("Thu 26 16:43", ["In 15 minutes", "In 15 minutes (16:43)", "in 15 Minuten", "in a quarter of an hour"]),
        ("Thu 26 16:43", ["in einer Viertelstunde", "15 min", "15 minutes", "in fifteen minutes"]),
        # A day and a part of it.
        ("Mon 30 20:30", ["Monday evening", "Montagabend"]),
        ("Mon 30 20:30", ["Montag Abend", "am Montagabend", "on Monday in the evening"]),
        ("Fri 27 20:30", ["Freitagabend", "tomorrow evening", "morgen Abend", "Friday evening", "morgen abend 👍"]),
        ("Sat 28 08:00", ["Saturday morning", "Samstagmorgen", "Samstag früh", "Samstag morgen", "Sa vormittags"]),
        ("Sun 29 15:00", ["Sunday afternoon", "Sonntagnachmittag", "Sonntag am Nachmittag", "afternoon of the 29th"]),
        ("Fri 27 12:00", ["tomorrow noon", "morgen Mittag", "Friday at lunch", "Freitagmittag"]),
        ("Fri 27 22:00", ["Friday night", "Freitagnacht", "Freitag in der Nacht"]),
        ("Sat 28 20:30", ["day after tomorrow evening", "übermorgen Abend", "in 2 days in the evening"]),
        # A day and an hour.
        ("Thu 26 20:30", ["heute um halb neun", "today at half past eight"]),
        ("Thu 26 20:30", ["heute 8:30", "8:30 today", "tonight at 8:30"]),
        ("Thu 26 20:00", ["heute um acht", "today at 8", "tonight at 8"]),
        ("Thu 26 20:00", ["heute Abend um 8", "at 8 tonight", "heute 20 Uhr"]),
        ("Fri 27 08:30", ["morgen um halb neun", "tomorrow 8:30", "8:30 tomorrow", "morgen früh um halb neun"]),
        ("Fri 27 20:30", ["tomorrow evening at 8:30", "at 8:30 tomorrow evening"]),
        ("Fri 27 20:30", ["morgen abend halb neun", "Fr 20:30"]),
        ("Fri 27 19:30", ["Friday 19:30", "19:30 on Friday", "Friday, 19:30", "Freitag um 19:30 Uhr", "friday 7.30pm"]),
        ("Sat 28 00:00", ["Freitag 24 Uhr", "Friday 24:00"]),
        ("Thu 24 12:00", ["24 Dec at noon", "noon on 24 Dec"]),
        ("Thu 24 12:00", ["24.12. mittags", "24. Dezember um 12 Uhr", "24/12 12:00"]),
        ("Sun 20 20:30", ["20.12. 20.30", "20.12 um 20.30"]),
        ("Sun 20 20:30", ["20 Dec 20:30 please", "am 20. Dezember um 20:30 Uhr bitte"]),
        ("Mon 30 08:00", ["Monday next week at 8", "nächste Woche Montag um 8", "Montag nächste Woche 8 Uhr"]),
        # An hour alone: the next one.
        ("Thu 26 20:15", ["20:15", "20.15 Uhr", "8:15 pm", "um 20:15"]),
        ("Fri 27 08:15", ["08:15", "8:15 am"]),
        ("Thu 26 20:30", ["half past eight", "halb neun", "um halb neun", "evening", "abends", "in the evening"]),
        ("Fri 27 08:00", ["in the morning", "morgens", "früh"]),
        # Relative to now.
        ("Thu 26 18:28", ["in 2 hours", "in two hours", "2 hours", "in 2 hours or so", "in about two hours"]),
        ("Thu 26 18:28", ["two hours from now", "in ca. 2 Stunden", "in 2 Stunden oder so"]),
        ("Thu 26 18:28", ["in 2h", "in zwei Stunden", "2 Stunden", "in 120 min"]),
        ("Thu 26 16:58", ["in half an hour", "half an hour"]),
        ("Thu 26 16:58", ["in einer halben Stunde", "in 30 Minuten", "in 0,5 Stunden"]),
        ("Thu 26 18:28", ["in 2 Std.", "2 Std", "2 std"]),
        ("Thu 26 17:58", ["in an hour and a half", "in anderthalb Stunden", "in 1.5 hours", "in 1 h 30", "in 1h30min"]),
        ("Thu 26 17:58", ["in 1 hour and 30 minutes", "in 1 Stunde und 30 Minuten", "in eineinhalb Stunden"]),
    ],
)  # fmt: skip
def test_typed_moment_is_read(moment: str, typed: list[str], habits: Habits) -> None:
    assert {text: read(text, habits=habits) for text in typed} == {text: [moment] for text in typed}


@pytest.mark.parametrize(
    ("typed", "moments"),
    [
        ("8:30", ["Thu 26 20:30", "Fri 27 08:30"]),
        ("8", ["Thu 26 20:00", "Fri 27 08:00"]),
        ("next Friday at 8pm", ["Fri 27 20:00", "Fri 04 20:00"]),
        ("nächsten Freitagabend", ["Fri 27 20:30", "Fri 04 20:30"]),
        ("Thursday evening", ["Thu 26 20:30", "Thu 03 20:30"]),
        ("Friday at midnight", ["Fri 27 00:00", "Sat 28 00:00"]),
        ("12", ["Fri 27 00:00", "Fri 27 12:00"]),
    ],
)
def test_ambiguous_moment_returns_both(typed: str, moments: list[str]) -> None:
    assert read(typed) == moments


def test_unknown_slash_order_is_asked_back() -> None:
    assert read("4/5 8pm", habits=Habits("en")) == ["Mon 05 20:00", "Tue 04 20:00"]
    assert read("4/5 8pm", habits=Habits("en", day_leads=False)) == ["Mon 05 20:00"]


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "tomorrow",
            "Friday",
            "morgen",
            "24.12.",
            "in 3 days",
            "next week",
            "the moon is up",
            "soon",
            "later",
            "🙂",
            "2 Stdn",
            "in 3 stdx",
        ),
        *(
            "not tonight",
            "Friday or Saturday at 8",
            "in 0 hours",
            "in 2 hours or 3",
            "in 2 hours 3 days",
            "half",
            "at",
            "25:00 tomorrow",
        ),
        *("I met him on Friday at 8pm and we talked for a long while", "Friday 6 March at 8", "9" * 500),
    ],
)
def test_text_that_is_no_moment(typed: str) -> None:
    assert read(typed) == []


def test_past_hour_today_is_reported() -> None:
    assert read("today at 15:00") == ["Thu 26 15:00"]
    assert read("today at 08:30") == ["Thu 26 08:30"]
    assert read("this morning") == ["Thu 26 08:00"]


def test_bare_hour_today_is_the_one_to_come() -> None:
    at_seven = THURSDAY.replace(hour=6, minute=0)
    assert read("today at 9", at_seven) == ["Thu 26 09:00"]
    assert read("today at 9", at_seven + timedelta(hours=2)) == ["Thu 26 21:00"], "it is nine now"


def test_this_very_minute_is_not_to_come() -> None:
    assert read("Thursday 16:28") == ["Thu 03 16:28"]
    assert read_later("today at 16:28", Clock(THURSDAY, BERLIN), ENGLISH) == ()


def test_part_of_the_day_is_as_far_away_as_it_has_to_be() -> None:
    assert read("in the morning", THURSDAY.replace(hour=6, minute=50)) == ["Thu 26 08:00"]
    assert read("in the morning", THURSDAY.replace(hour=6, minute=51)) == ["Fri 27 08:00"]
    assert read("tonight", THURSDAY.replace(hour=19, minute=0)) == ["Thu 26 20:30"]


def test_span_ends_on_a_full_minute() -> None:
    """Clocks show no seconds."""
    for late in (timedelta(seconds=1), timedelta(microseconds=1), timedelta(seconds=59, microseconds=999_999)):
        (moment,) = read_moment("in 15 minutes", Clock(THURSDAY + late, BERLIN), ENGLISH)
        assert moment == THURSDAY + timedelta(minutes=16)


def test_date_that_never_was_has_no_moments() -> None:
    assert read_moment("30.12.2011 20:00", Clock(THURSDAY, "Pacific/Apia"), ENGLISH) == ()


def test_late_tonight_is_later_tonight() -> None:
    late = THURSDAY.replace(hour=20)  # 21:00 in Berlin
    assert read("tonight", late) == read("heute Abend", late) == ["Thu 26 22:00"]
    assert read("evening", late) == ["Thu 26 22:00"]
    assert read("tonight", late.replace(minute=55)) == ["Thu 26 22:00"], "too soon, which is for the caller to say"


def test_tomorrow_after_midnight_may_be_today() -> None:
    night = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)  # 01:30 in Berlin
    assert read("tomorrow morning", night) == read("morgen früh", night) == ["Thu 26 08:00", "Fri 27 08:00"]
    assert read("tomorrow at 20:00", night) == ["Thu 26 20:00", "Fri 27 20:00"]
    assert read("Friday at 20:00", night) == ["Fri 27 20:00"]
    assert read("tomorrow at 20:00", night.replace(hour=3, minute=0)) == ["Fri 27 20:00"], "the night is over"


def test_skipped_moment_follows_the_clock_change() -> None:
    assert read("28.3.2027 2:30", habits=GERMAN) == ["Sun 28 03:00"]


@pytest.mark.parametrize("typed", ["at our moment", "Zum Moment", "beim Ritual", "At our moment 👍"])
def test_at_the_ritual(typed: str) -> None:
    assert is_at_ritual(typed)
    assert not is_at_ritual(f"{typed} or tomorrow")


@given(st.integers(1, 99), st.sampled_from([("minutes", 1), ("hours", 60), ("Minuten", 1), ("Stunden", 60)]))
def test_every_span_is_read(count: int, unit: tuple[str, int]) -> None:
    name, minutes = unit
    wanted = timedelta(minutes=count * minutes)
    assert read_span(f"in {count} {name}") == read_span(f"{count} {name}") == wanted


@given(MOMENTS)
def test_buttons_do_what_they_say(now: datetime) -> None:
    clock = Clock(now, BERLIN, timedelta(hours=1))
    if (moment := tonight(now, BERLIN)) is not None:
        assert read_moment("Tonight", clock, ENGLISH) == (moment,)
    assert tomorrow_morning(now, BERLIN) in read_moment("Tomorrow morning", clock, ENGLISH)


@given(MOMENTS, st.times())
def test_24_hour_time_is_the_next(now: datetime, at: time) -> None:
    (moment,) = read_moment(f"{at:%H%M}", Clock(now, "UTC"), ENGLISH)
    assert (moment.hour, moment.minute) == (at.hour, at.minute)
    assert timedelta() < moment - now <= timedelta(days=1)


def test_no_text_takes_long() -> None:
    """Any text is read between the answers to others. Measured in processor time, since the machine may be busy."""
    for text in (
        "1 2 3 4 5 6 7 8 9",
        "a 1 b 2 c 3 d 4 5",
        "the dog went out on a very long walk then home again",
        "9" * 4096,
    ):
        took = []
        for _ in range(9):
            start = stopwatch.process_time()
            read(text)
            parse_hour(text)
            took.append(stopwatch.process_time() - start)
        assert sorted(took)[4] < 0.02


@given(st.text(), MOMENTS)
def test_no_text_breaks_the_moment_reader(text: str, now: datetime) -> None:
    for moment in read_moment(text, Clock(now, BERLIN), ENGLISH):
        assert moment.utcoffset() is not None
    read_span(text)
    is_at_ritual(text)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2 hours", "Thu 26 18:28"),
        ("in 2 hours", "Thu 26 18:28"),
        ("90 Minuten", "Thu 26 17:58"),
        ("21:15", "Thu 26 21:15"),
        ("tonight", "Thu 26 20:30"),
        ("tomorrow", "Fri 27 08:00"),
        ("am Montag", "Mon 30 08:00"),
        ("Sunday evening", "Sun 29 20:30"),
        ("yesterday", None),
        ("today", None),
        ("25:30", None),
        ("not today", None),
    ],
)
def test_typed_snooze_is_read(typed: str, moment: str | None) -> None:
    found = read_later(typed, Clock(THURSDAY, BERLIN), ENGLISH)
    assert [f"{local(each, BERLIN):%a %d %H:%M}" for each in found[:1]] == ([moment] if moment else [])


@pytest.mark.parametrize(
    "typed",
    [
        "25:30",
        "the 45th",
        "31 February",
        "at 99",
        "some Friday",
        "tomorrow?",
        "Freitag vielleicht",
        "Monday-ish",
        "maybe next Friday",
        "Friday, maybe",
        "٣٤:٠٠",
    ],
)
def test_text_like_a_time_is_queried(typed: str) -> None:
    assert looks_like_time(typed)


@pytest.mark.parametrize(
    "typed",
    ["The dog", "quiet", "a hard day", "On Friday the dog waited at the door", "My boss, two hours too long", ""],
)
def test_mentioned_time_is_left_alone(typed: str) -> None:
    assert not looks_like_time(typed)
