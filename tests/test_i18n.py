"""Languages: chosen, complete and correct."""

import ast
import re
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from babel import Locale
from babel.localedata import locale_identifiers
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.date_order import day_leads
from bot.domain.days import Habits, read_day
from bot.domain.moments import Clock, read_moment
from bot.domain.time_words import LANGUAGES
from bot.domain.times import is_zone
from bot.domain.zones import KNOWN_ZONES
from bot.i18n import BASE, Markup, country_of, languages, likely_zones, negotiate, say_in, zones_named
from bot.library import content_folder, load

ROOT = Path(__file__).parent.parent
PYBABEL = str(Path(sys.executable).parent / "pybabel")
OTHERS = [language for language in languages() if language != BASE]


def _catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    pot = tmp_path_factory.mktemp("pot") / "bot.pot"
    how = ["-F", "babel.cfg", "-s", "-k", "say", "-k", "plural:1,2", "-c", "Translators:"]
    subprocess.run(
        [PYBABEL, "-q", "extract", *how, "-o", str(pot), "bot/tg"],
        cwd=ROOT,
        check=True,
    )
    return _catalog(pot)


def test_german_is_there() -> None:
    assert "de" in OTHERS


@pytest.mark.parametrize("language", languages())
def test_language_is_complete_outside_catalogs(language: str) -> None:
    """Without it the bot works too, but falls back to English or does less, which nobody would notice."""
    library = load(content_folder())
    needed = {
        "LANGUAGES in bot/domain/time_words.py": LANGUAGES,
        "content/hints/": library.hints,
        "content/policy/": library.policy,
        "content/safety/": library.safety,
        "unwanted.txt in its folder": {file.parent.name for file in (ROOT / "locales").glob("*/unwanted.txt")},
    }
    assert [place for place, has in needed.items() if language not in has] == []


def test_template_is_fresh(extracted: Catalog) -> None:
    """`make texts` was run after the last change of a text."""
    kept = _catalog(ROOT / "locales" / "bot.pot")
    assert {message.id for message in extracted} == {message.id for message in kept}


def test_every_text_reaches_the_catalogs(extracted: Catalog) -> None:
    """The text of an f-string isn't extracted, so everybody would get it in English."""
    found = {text for message in extracted for text in ([message.id] if isinstance(message.id, str) else message.id)}
    said = {text for path in (ROOT / "bot" / "tg").rglob("*.py") for text in _said(ast.parse(path.read_text("utf-8")))}
    assert len(said) > 200
    assert said - found == set()


def _said(tree: ast.AST) -> set[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    ways = {"say": 1, "plural": 2}
    return {
        argument.value
        for call in calls
        for argument in call.args[: ways.get(getattr(call.func, "attr", getattr(call.func, "id", "")), 0)]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def test_every_text_has_a_comment(extracted: Catalog) -> None:
    assert not [message.id for message in extracted if message.id and not message.auto_comments]


@pytest.mark.parametrize("language", OTHERS)
def test_catalog_is_complete(language: str, extracted: Catalog) -> None:
    catalog = _catalog(ROOT / "locales" / language / "LC_MESSAGES" / "bot.po")
    missing = []
    for message in extracted:
        found = catalog.get(message.id) if message.id else None
        if message.id and (found is None or found.fuzzy or not found.string or not all(found.string)):
            missing.append(message.id)
    assert not missing


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_match(language: str, tmp_path: Path) -> None:
    source = ROOT / "locales" / language / "LC_MESSAGES" / "bot.po"
    done = subprocess.run(
        [PYBABEL, "compile", "-i", str(source), "-o", str(tmp_path / "bot.mo"), "-l", language],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr


def _unwanted(language: str) -> re.Pattern[str]:
    """Return what no text in this language says."""
    lines = (ROOT / "locales" / language / "unwanted.txt").read_text("utf-8").splitlines()
    return re.compile("|".join(line for line in lines if not line.startswith("#")), re.IGNORECASE)


@pytest.mark.parametrize("language", [BASE, *OTHERS])
def test_forbidden_words_are_not_used(language: str) -> None:
    """Rule 7 of the constitution, for every language: no exclamation marks, nothing clinical."""
    if language == BASE:
        texts = [str(message.id) for message in _catalog(ROOT / "locales" / "bot.pot")]
    else:
        catalog = _catalog(ROOT / "locales" / language / "LC_MESSAGES" / "bot.po")
        texts = [str(message.string) for message in catalog]
    unwanted = _unwanted(language)
    for text in texts[1:]:
        assert "!" not in text
        for word in ("journey", "trauma", "vulnerab", "heal ", "healing"):
            assert word not in text.lower()
        assert not unwanted.search(text), text


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE", "de"),
        ("en-GB", "en"),
        ("tlh", "en"),
        ("", "en"),
        (None, "en"),
        ("-", "en"),
    ],
)
def test_nearest_language_is_chosen(wanted: str | None, given: str) -> None:
    assert negotiate(wanted) == given


def test_only_plain_values_are_escaped() -> None:
    say = say_in("en")
    assert say("%(name)s", name='<b>&"') == '&lt;b&gt;&amp;"'
    assert say("%(name)s", name=Markup("<b>")) == "<b>"


def test_missing_translation_falls_back_to_english() -> None:
    assert say_in("de")("no such text %(n)s", n=3) == "no such text 3"


def test_times_and_days_are_localized() -> None:
    assert say_in("en").clock(time(7, 5)) == "07:05"
    assert say_in("de").weekday(date(2026, 11, 22)) == "Sonntag"
    assert say_in("de").date(date(2026, 11, 22)) == "Sonntag, 22. November"
    assert say_in("en").date(date(2026, 11, 22)) == "Sunday, November 22"
    assert say_in("de").date(date(2026, 11, 22), year=True) == "Sonntag, 22. November 2026"
    assert say_in("en").date(date(2026, 11, 22), year=True) == "Sunday, November 22, 2026"
    assert say_in("de").city("Europe/Lisbon") == "Lissabon"
    assert say_in("en").city("America/Argentina/Buenos_Aires") == "Buenos Aires"
    assert say_in("de").city("Atlantic/Reykjavik") == "Reykjavík"  # without the hyphens that CLDR hides in it
    assert say_in("de").town("Lisbon", "Europe/Lisbon") == "Lissabon"
    assert say_in("de").town("Porto", "Europe/Lisbon") == "Porto"


def test_plurals() -> None:
    say = say_in("en")
    assert say.plural("%(n)s line", "%(n)s lines", 1) == "1 line"
    assert say.plural("%(n)s line", "%(n)s lines", 2) == "2 lines"


# --- what people type is read with CLDR data -------------------------------------------------------------------------

_TELEGRAMS = {
    *("ar", "be", "ca", "cs", "da", "de", "en", "es", "fa", "fi", "fr", "he", "hr", "hu", "id", "it", "ja", "ko"),
    *("lt", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sr", "sv", "tr", "uk", "uz", "vi", "zh"),
}
"""Languages that Telegram's own apps can be set to."""
_OTHERWISE = {"en-ZA", "en-CA", "fr-CA", "zh-HK", "zh-MO", "en-BI", "es-PA", "es-PR", "ar-EG", "uz-AF"}
"""Locales where people write both ways, so that we ask, or where the CLDR's pattern is for another script."""


def _cldr_says(tag: str) -> bool:
    pattern = re.sub(r"'[^']*'", "", str(Locale.parse(tag, sep="-").datetime_skeletons["Md"].pattern))
    return pattern.index("d") < re.search("[ML]", pattern).start()  # type: ignore[union-attr]  # it has both


def test_date_order_is_the_cldr_one() -> None:
    tags = [each.replace("_", "-") for each in locale_identifiers()]
    known = [tag for tag in tags if tag.split("-")[0] in _TELEGRAMS and len(tag) in {2, 5} and tag not in _OTHERWISE]
    assert len(known) > 200
    wrong = {tag: day_leads(tag, None) for tag in known if tag != "en" and day_leads(tag, None) is not _cldr_says(tag)}
    assert not {tag: leads for tag, leads in wrong.items() if leads is not None}
    assert len(wrong) < 3


@given(st.dates(date(2026, 1, 1), date(2046, 12, 31)), st.sampled_from(languages()))
def test_formatted_day_is_read_back(day: date, language: str) -> None:
    today, say = day - timedelta(days=3), say_in(language)
    assert read_day(say.date(day), today, Habits(language)) == (day,)
    assert read_day(say.date(day, year=True), today, Habits(language)) == (day,)
    assert read_day(say.weekday(day), today, Habits(language)) == (day,)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    ("label", "clock"),
    [
        *(("In 15 minutes (%(clock)s)", "15:43"), ("In an hour (%(clock)s)", "16:28"), ("In an hour", "16:28")),
        *(("Tonight (%(clock)s)", "20:30"), ("Tonight", "20:30"), ("Tomorrow morning (%(clock)s)", "08:00")),
        *(("Tomorrow morning", "08:00"), ("today at %(clock)s", "21:15"), ("tomorrow at %(clock)s", "21:15")),
    ],
)
def test_formatted_time_is_read_back(label: str, clock: str, language: str) -> None:
    now = datetime(2026, 11, 26, 15, 28, tzinfo=UTC)
    moments = read_moment(say_in(language)(label, clock=clock), Clock(now, "UTC"), Habits(language))
    assert [f"{moment:%H:%M}" for moment in moments] == [clock]


# --- zones by name ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first"),
    [
        *(("US/Eastern", "America/New_York"), ("us/pacific", "America/Los_Angeles"), ("Japan", "Asia/Tokyo")),
        *(("GB", "Europe/London"), ("Asia/Calcutta", "Asia/Kolkata"), ("EST5EDT", "America/New_York")),
        *(("British Summer Time", "Europe/London"), ("India Standard Time", "Asia/Kolkata")),
    ],
)
def test_zone_by_other_names(name: str, first: str) -> None:
    assert zones_named(name)[0] == first


@pytest.mark.parametrize("name", ["MEZ", "mesz", "Central European Time", "Mitteleuropäische Zeit"])
def test_central_europe_by_its_names(name: str) -> None:
    assert {"Europe/Berlin", "Europe/Paris"} <= set(zones_named(name))


def test_every_zone_name_is_usable() -> None:
    for name in ("GMT", "UTC", "Zulu", "MST", "HST", "Pacific time", "nowhere", ""):
        assert all(is_zone(zone) for zone in zones_named(name))


def test_every_known_zone_has_its_country() -> None:
    assert all(country_of(zone) for zone in KNOWN_ZONES)
    assert country_of("UTC") is None
    assert country_of("Europe/Zurich") == "CH"


def test_likely_zones_speak_the_language() -> None:
    assert likely_zones("de") == {"Europe/Berlin", "Europe/Vienna", "Europe/Zurich"}
    assert "Europe/London" in likely_zones("en-GB")
