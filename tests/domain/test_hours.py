"""Hours as people type them."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.hours import Hour, hour_alone, means_nothing, parse_hour, parse_hours, read_hour, shows_clock
from bot.domain.time_words import _english_numbers, _german_numbers


@pytest.mark.parametrize(
    ("hour", "typed"),
    [
        ("07:45", ["7:45", "07:45", "7.45", "7,45", "7 45", "0745", "745", "7h45", "7 h 45", "7:45h", "7:45:30"]),
        ("07:45", ["7:45 Uhr", "7.45 Uhr", "um 7:45", "7 Uhr 45", " 7:45 ", "7:45.", "7:45!", "(7:45)", "7:45am"]),
        ("07:45", ["７：４５", "٧:٤٥", "۷:۴۵", "७:४५", "\u200f7:45\u200f"]),
        ("07:45", ["quarter to 8", "a quarter to eight", "Viertel vor acht", "dreiviertel 8", "drei Viertel acht"]),
        ("07:30", ["half past 7", "half seven", "halb 8", "halb acht", "um halb acht", "0730", "730"]),
        ("07:15", ["quarter past 7", "Viertel nach sieben", "viertel acht"]),
        ("07:59", ["1 minute to 8", "1 Minute vor acht"]),
        ("23:45", ["quarter to 24", "Viertel vor 24"]),
        ("07:50", ["ten to eight", "10 minutes to 8", "zehn vor acht"]),
        ("07:25", ["fünf vor halb acht", "5 vor halb 8"]),
        ("07:35", ["fünf nach halb acht"]),
        ("08:00", ["8", "08", "8:00", "8 am", "8am", "8a", "8 a.m.", "8 o'clock", "8 o’clock", "eight", "acht Uhr"]),
        (
            "08:00",
            [
                "at 8",
                "about 8",
                "gegen 8",
                "so gegen acht",
                "8 in the morning",
                "8 am in the morning",
                "8 Uhr morgens",
                "früh um 8",
            ],
        ),
        ("08:00", ["8 h", "8h", "in the morning at 8", "am Morgen um 8", "8 am Morgen"]),
        ("20:00", ["8pm", "8 pm", "8 p.m.", "8PM", "8p", "20", "20:00", "20h", "20 h", "20 Uhr", "20:00pm"]),
        (
            "20:00",
            [
                "8 in the evening",
                "8 p.m. in the evening",
                "8 Uhr abends",
                "abends um 8",
                "8 am Abend",
                "tonight at 8",
                "8 at night",
            ],
        ),
        ("20:15", ["20h15", "20 Uhr 15", "20.15 Uhr", "8:15 pm", "2015", "quarter past 8 pm"]),
        ("12:00", ["12", "noon", "12 noon", "midday", "at noon", "12 pm", "mittags", "12 Uhr mittags", "12:00"]),
        ("00:00", ["0", "24", "24:00", "0:00", "midnight", "Mitternacht", "12 am", "12 at night"]),
        ("00:30", ["12:30 am", "0:30 am", "half past 12 at night", "0 Uhr 30 nachts", "0030"]),
        ("18:00", ["6 at night", "6 Uhr abends"]),
        ("02:00", ["2 at night", "2 Uhr nachts", "nachts um 2"]),
        ("15:30", ["3:30 in the afternoon", "halb 4 nachmittags", "3.30pm"]),
        ("23:59", ["23:59", "11:59 pm", "23h59", "eleven fifty-nine pm", "dreiundzwanzig Uhr neunundfünfzig"]),
        ("20:30", ["kl. 20.30", "20:30 👍", "👉 20:30", "20:30 please", "bitte um 20:30", "ok 20:30", "20:30 👍🏽❤️"]),
        (
            "20:30",
            ["let's say 20:30", "I would like 20:30", "lieber 20:30 Uhr", "20:30 würde passen", "8:30 pm sounds good"],
        ),
        (
            "20:30",
            [
                "Friday 8:30pm",
                "eight thirty pm",
                "halb neun abends",
                "half past eight in the evening",
                "20 Uhr dreißig",
            ],
        ),
        ("20:00", ["at 8pm please", "8 👍 pm", "8pm!!", "so um 20 Uhr rum", "20 Uhr bitte", "２０ Uhr 🙂", "8️⃣ pm"]),
        ("08:00", ["8 👍", "8 please", "um acht bitte"]),
    ],
)
def test_typed_hour_is_read(hour: str, typed: list[str]) -> None:
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
            "60 to 8",
            "half past 25",
            "Viertel vor 25",
            "seven twenty-ten",
            "seven fifty-nineteen",
            "sieben Uhr zehnundzwanzig",
            "0 to 8",
            "12345",
            "7:45 8:30",
            "not 8pm",
            "nicht um 8 Uhr",
            "after 20:30",
            "vor 20:30",
            "bis 20 Uhr",
            "until, say, 20:30",
            "24 pm",
            "8pm or 9pm",
            "8pm or nine",
            "20:30 - 21:00",
            "in 2h",
            "in 2 hours at the latest",
            "20:30 in two weeks",
            "I met him at 8pm and we talked",
            "8pm is when the dog waited",
        ),
        *("tomorrow", "8 ammm", "8 x", "1e1", "½", "morning", "abends", "tonight", "25 pm", "8:15 Uhr 30", "9" * 5000),
    ],
)
def test_unclear_hours_are_none(typed: str) -> None:
    assert parse_hour(typed) is None


ENGLISH = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
GERMAN = (
    "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
)


def _minutes_said() -> dict[int, list[str]]:
    """Every minute but the full hour in words, in all the ways in which they are written."""
    english, german = ENGLISH.split(), GERMAN.split()
    said = {number: [one, other] for number, (one, other) in enumerate(zip(english, german, strict=True), 1)}
    for tens, (one, other) in enumerate(
        [("twenty", "zwanzig"), ("thirty", "dreißig"), ("forty", "vierzig"), ("fifty", "fünfzig")], 2
    ):
        said[10 * tens] = [one, other]
        for number, (unit, german_unit) in enumerate(zip(english[:9], ["ein", *german[1:9]], strict=True), 1):
            said[10 * tens + number] = [f"{one}-{unit}", f"{one} {unit}", f"{german_unit}und{other}"]
    for words in said.values():
        words += [word.replace("ß", "ss") for word in words]
        words += [word.replace("ü", "ue").replace("ö", "oe").replace("ß", "ss") for word in words]
    return said


def test_every_minute_in_words_is_read() -> None:
    said = [(word, number) for number, words in _minutes_said().items() for word in words]
    assert {word: parse_hour(f"seven {word}") or parse_hour(f"sieben Uhr {word}") for word, _ in said} == {
        word: time(7, number) for word, number in said
    }
    assert [parse_hour(word) for word in ("ein Uhr", "zwo Uhr", "ZWÖLF UHR DREISSIG")] == [
        time(1),
        time(2),
        time(12, 30),
    ]


def test_words_for_numbers_are_these_alone() -> None:
    said = {word.casefold(): number for number, words in _minutes_said().items() for word in words}
    assert _english_numbers() | _german_numbers() == said | {"ein": 1, "zwo": 2}


@given(st.times())
def test_every_written_minute_is_read(at: time) -> None:
    at = at.replace(second=0, microsecond=0)
    assert parse_hour(at.strftime("%H:%M")) == parse_hour(at.strftime("%H%M")) == at
    assert parse_hour(at.strftime("%I:%M %p")) == parse_hour(at.strftime("%H Uhr %M")) == at


@given(st.times(), st.sampled_from(["{} 👍", "kl. {}", "ok, {} bitte", "({})", "let's say {}!"]))
def test_clear_time_is_found_among_words(at: time, around: str) -> None:
    at = at.replace(second=0, microsecond=0)
    assert parse_hour(around.format(at.strftime("%H:%M"))) == at


@pytest.mark.parametrize(
    "typed", ["8 pm", "at 8 pm, please", "please, 8 pm", "20:30 👍", "(20:30)", "um halb neun", "noon"]
)
def test_text_that_is_a_time_alone_is_one(typed: str) -> None:
    assert hour_alone(typed) == parse_hour(typed) is not None


@pytest.mark.parametrize("typed", ["Dinner at 8 pm", "let's say 20:30!", "Essen um 20 Uhr", "25:00", "hello"])
def test_time_in_a_text_is_not_a_time_alone(typed: str) -> None:
    assert hour_alone(typed) is None


@given(st.times(), st.times())
def test_two_times_are_ambiguous(one: time, other: time) -> None:
    assert parse_hour(f"{one:%H:%M} {other:%H:%M}") is None
    assert parse_hour(f"{one:%H:%M}, or maybe {other:%H:%M}") is None


@pytest.mark.parametrize(
    ("typed", "hour"),
    [
        ("8:30", Hour(time(8, 30), open=True)),
        ("8", Hour(time(8), open=True)),
        ("8 Uhr", Hour(time(8), open=True)),
        ("12", Hour(time(12), open=True)),
        ("1:30", Hour(time(1, 30), open=True)),
        ("0:30 am", Hour(time(0, 30))),
        ("halb neun", Hour(time(8, 30), open=True, spoken=True)),
        ("half past eight", Hour(time(8, 30), open=True, spoken=True)),
        ("08:30", Hour(time(8, 30))),
        ("0830", Hour(time(8, 30))),
        ("8:30 am", Hour(time(8, 30))),
        ("20:30", Hour(time(20, 30))),
        ("24:00", Hour(time(0), next_day=True)),
        ("noon", Hour(time(12), spoken=True)),
    ],
)
def test_hour_without_am_pm_is_recognized(typed: str, hour: Hour) -> None:
    assert read_hour(typed) == hour


@pytest.mark.parametrize(
    "typed",
    ["22:30-7", "22:30 - 7", "10:30 pm to 7", "von 22:30 bis 7 Uhr", "22:30 to 7 please", "halb elf abends bis 7"],
)
def test_part_of_the_day(typed: str) -> None:
    assert parse_hours(typed) == (time(22, 30), time(7))


@pytest.mark.parametrize(
    "typed", ["from 22 to 7", "von 22 bis 7", "between 22 and 7", "zwischen 22 und 7", "ab 22 Uhr bis 7"]
)
def test_part_of_the_day_between_bare_hours(typed: str) -> None:
    assert parse_hours(typed) == (time(22), time(7))


@pytest.mark.parametrize("typed", ["22:30 - later", "from now to 7", "22:30", "to", ""])
def test_half_a_part_of_the_day_is_none(typed: str) -> None:
    assert parse_hours(typed) is None


@pytest.mark.parametrize(
    ("typed", "nothing"),
    [("off", True), ("None!", True), ("keine bitte", True), ("22:30-7", False), ("often", False), ("", False)],
)
def test_no_hours_at_all(typed: str, nothing: bool) -> None:
    assert means_nothing(typed) == nothing


@pytest.mark.parametrize(
    ("typed", "shows"),
    [
        *((typed, True) for typed in ("8 pm", "noon", "20:30", "25:00", "7.60", "9:75 PM", "12h99")),
        *((typed, False) for typed in ("dinner at 8 pm", "25", "at 25:00 sharp", "hello", "")),
    ],
)
def test_clock_time_that_does_not_exist_is_one_all_the_same(typed: str, shows: bool) -> None:
    assert shows_clock(typed) == shows


@given(st.text())
def test_no_text_breaks_the_hour_reader(text: str) -> None:
    parse_hour(text)
    parse_hours(text)
