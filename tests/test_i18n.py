"""Languages: chosen, complete, and said right."""

import ast
import subprocess
import sys
from datetime import date, time
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from bot.i18n import BASE, Markup, languages, negotiate, say_in

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


def test_the_template_is_fresh(extracted: Catalog) -> None:
    """`make texts` was run after the last change of a text."""
    kept = _catalog(ROOT / "locales" / "bot.pot")
    assert {message.id for message in extracted} == {message.id for message in kept}


def test_no_text_is_hidden_from_the_catalogs(extracted: Catalog) -> None:
    """What stands within an f-string is not extracted: it would be said in English to everybody."""
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


def test_every_text_has_a_comment_for_translators(extracted: Catalog) -> None:
    assert not [message.id for message in extracted if message.id and not message.auto_comments]


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_is_complete(language: str, extracted: Catalog) -> None:
    catalog = _catalog(ROOT / "locales" / language / "LC_MESSAGES" / "bot.po")
    missing = []
    for message in extracted:
        found = catalog.get(message.id) if message.id else None
        if message.id and (found is None or found.fuzzy or not found.string or not all(found.string)):
            missing.append(message.id)
    assert not missing


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_fit(language: str, tmp_path: Path) -> None:
    source = ROOT / "locales" / language / "LC_MESSAGES" / "bot.po"
    done = subprocess.run(
        [PYBABEL, "compile", "-i", str(source), "-o", str(tmp_path / "bot.mo"), "-l", language],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr


@pytest.mark.parametrize("language", [BASE, *OTHERS])
def test_the_words_we_never_use(language: str) -> None:
    """Rule 7 of the constitution, for every language: no exclamation marks, nothing clinical."""
    if language == BASE:
        texts = [str(message.id) for message in _catalog(ROOT / "locales" / "bot.pot")]
    else:
        catalog = _catalog(ROOT / "locales" / language / "LC_MESSAGES" / "bot.po")
        texts = [str(message.string) for message in catalog]
    for text in texts[1:]:
        assert "!" not in text
        for word in ("journey", "trauma", "vulnerab", "heal ", "healing"):
            assert word not in text.lower()


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
def test_the_nearest_language_is_chosen(wanted: str | None, given: str) -> None:
    assert negotiate(wanted) == given


def test_values_are_escaped_but_markup_is_not() -> None:
    say = say_in("en")
    assert say("%(name)s", name='<b>&"') == '&lt;b&gt;&amp;"'
    assert say("%(name)s", name=Markup("<b>")) == "<b>"


def test_what_a_catalog_lacks_is_said_in_english() -> None:
    assert say_in("de")("no such text %(n)s", n=3) == "no such text 3"


def test_times_and_days_are_in_the_users_language() -> None:
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
