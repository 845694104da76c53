"""What translators work with is up to date, and every shipped language is complete."""

import re
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from bot.domain.content import (
    LONGEST_CUE,
    LONGEST_EXAMPLE,
    LONGEST_PROMPT,
    LONGEST_SHELF_LINE,
    LONGEST_SHELF_WORD,
    LONGEST_STEM,
    Format,
)
from bot.library import content_folder, load

ROOT: Final = Path(__file__).parents[2]
LIBRARY: Final = load(content_folder())
PO_FILES: Final = sorted((ROOT / "locales").glob("*/LC_MESSAGES/content.po"))
ROOM_FOR_OTHER_LANGUAGES: Final = 1.3
"""German needs about a fifth more letters than English."""

LIMITS: Final = {
    **{theme.title: 24 for theme in LIBRARY.themes},
    **{prompt.text: LONGEST_PROMPT for prompt in LIBRARY.prompts.values()},
    **{example: LONGEST_EXAMPLE for prompt in LIBRARY.prompts.values() for example in prompt.examples},
    **{cue.text: LONGEST_CUE for cue in LIBRARY.cues},
    **{stem.text: LONGEST_STEM for stem in LIBRARY.stems},
    **{word.text: LONGEST_SHELF_WORD for word in LIBRARY.shelf.values()},
    **{word.line: LONGEST_SHELF_LINE for word in LIBRARY.shelf.values()},
}

every_language = pytest.mark.parametrize("path", PO_FILES, ids=[path.parent.parent.name for path in PO_FILES])


def catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def said(path: Path) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in catalog(path) if message.id}


def texts(found: Catalog) -> dict[str, list[str]]:
    return {str(message.id): list(message.auto_comments) for message in found if message.id}


def test_german_is_shipped() -> None:
    assert "de" in [path.parent.parent.name for path in PO_FILES]


def test_template_is_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise: run the first command of content/README.md, under "Languages"."""
    monkeypatch.chdir(ROOT)
    fresh = tmp_path / "content.pot"
    CommandLineInterface().run(  # type: ignore[no-untyped-call]
        ["pybabel", "-q", "extract", "-F", "babel.cfg", "--sort-by-file", "-w", "120", "-o", str(fresh), "content"]
    )
    assert texts(catalog(fresh)) == texts(catalog(ROOT / "locales" / "content.pot"))


def test_template_matches_the_library() -> None:
    assert set(texts(catalog(ROOT / "locales" / "content.pot"))) == set(LIMITS)


@every_language
def test_language_is_complete_without_extras(path: Path) -> None:
    assert {msgid for msgid, text in said(path).items() if text.strip()} == set(LIMITS)
    assert [message.id for message in catalog(path) if message.id and message.fuzzy] == []
    assert not catalog(path).obsolete


@every_language
def test_translations_fit(path: Path) -> None:
    too_long = {
        msgid: len(text)
        for msgid, text in said(path).items()
        if len(text) > LIMITS[msgid] * (ROOM_FOR_OTHER_LANGUAGES if msgid not in _examples() else 1)
    }
    assert too_long == {}


@every_language
def test_translations_are_tidy_without_exclamation_marks(path: Path) -> None:
    untidy = [text for text in said(path).values() if text != " ".join(text.split()) or "!" in text]
    assert untidy == []


@every_language
def test_translated_prompts_keep_their_format(path: Path) -> None:
    language = said(path)
    for prompt in LIBRARY.prompts.values():
        text = language[prompt.text]
        assert text.endswith("?"), text
        assert text.count("?") == 1, text
        assert ("…" in text) == (prompt.format is Format.FINISH_THE_LINE), text
        for example in prompt.examples:
            assert language[example].startswith("… ") == example.startswith("… "), example


@every_language
def test_no_two_texts_are_the_same(path: Path) -> None:
    language = list(said(path).values())
    assert len({" ".join(text.casefold().split()) for text in language}) == len(language)


NOT_OURS_IN_GERMAN: Final = re.compile(
    r"\b(heil(en|ung|sam)\w*|therap\w*|trauma\w*|verletzlich\w*|verwundbar\w*|diagnos\w*|symptom\w*|achtsam\w*|trigger\w*"
    r"|lebensreise|inneres kind|schatz|liebling\w*|ehemann|ehefrau|gatt(e|in)|freundin|partner(in)?"
    r"|sie haben|ihnen|\w+:in(nen)?|\w+\*in(nen)?|\w+Innen)\b"
)


def test_german_uses_our_words() -> None:
    """Informal, plain, gender-neutral without signs that cannot be read aloud."""
    found = {text: match[0] for text in said(_german()).values() if (match := NOT_OURS_IN_GERMAN.search(text.lower()))}
    assert found == {}


def test_german_uses_german_quotes() -> None:
    assert [text for text in said(_german()).values() if re.search(r'["”]|“(?=\w)', text)] == []


def _german() -> Path:
    return ROOT / "locales" / "de" / "LC_MESSAGES" / "content.po"


def _examples() -> set[str]:
    return {example for prompt in LIBRARY.prompts.values() for example in prompt.examples}
