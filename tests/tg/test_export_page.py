"""The page of an export: what it shows, that nothing in it can run, and that it needs nothing from elsewhere."""

from datetime import UTC, date, datetime, time, timedelta
from html.parser import HTMLParser

import pytest

from bot import export_document as document
from bot.i18n import say_in
from bot.services.settings import SWITCHES
from bot.tg.pages.export import page, worded
from bot.tg.screens import View
from tests.services.conftest import LIBRARY

NOW = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
TRICKY = '<script>alert(1)</script> & "quotes" {{ 7*7 }} \u202eback'
QUESTION = next(iter(LIBRARY.prompts.values()))
LOADS_NOTHING = ("content", "default-src 'none'; style-src 'unsafe-inline'")
"""What each page tells the browser, should anything get into it all the same."""


class Reader(HTMLParser):
    """Collects tags, attributes and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def view(language: str) -> View:
    return View(say_in(language), NOW, LIBRARY)


def made(language: str = "en", **facts: object) -> document.Document:
    """A document with something of every kind."""
    profile = document.Profile(
        name=TRICKY, language=language, language_chosen=False, since=NOW, ask_at=time(20, 30), zone="Europe/Lisbon",
        days=[1, 2, 3, 4, 5, 6, 7], receives_only=False, soft_reminder=False, discreet=False, depth=1, ceiling=2,
        comfortable=0, hour_offered=False, muted_themes=["money"], muted_sensitivities=[], rhythm="daily", unanswered=0,
    )  # fmt: skip
    line = document.Line(
        number=1, date=date(2026, 10, 3), kept_at=NOW, changed_at=NOW, words=TRICKY,
        question=document.Question(id=QUESTION.id),
        feelings=[document.Feeling(shelf="heavy"), document.Feeling(word="<b>hollow</b>")],
    )  # fmt: skip
    later = line.model_copy(update={"number": 2, "date": date(2026, 11, 4), "words": "יום טוב"})
    lines = worded(view(language), [line, later])
    return document.Document.model_validate(
        {
            "made_at": NOW, "account": 1001, "profile": profile, "lines": lines,
            "reflections": [
                document.Reflection(
                    state="shared", line=1, words="Shared words.", wish="listen", drafted_at=NOW, shared_at=NOW,
                    expected="laughed_at", came="fine",
                ),
                document.Reflection(state="draft", line=1, words="A draft.", drafted_at=NOW),
            ],
            "remarks": [document.Remark(shared_at=NOW, landed=False, follow_up="The hardest was the door.")],
            "responses": [
                document.Response(answer="thanks", sent_at=NOW),
                document.Response(answer="line", words="Me."),
            ],
            "kept_questions": [document.KeptQuestion(question="hardest", due_at=NOW)],
            "drafts": [document.Draft(sent_at=NOW, reason="second", words="Undecided.")],
            **facts,
        }
    )  # fmt: skip


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_page_is_complete_and_inert() -> None:
    reader = read(page(view("en"), made()))
    for expected in (
        TRICKY, "יום טוב", QUESTION.text, "<b>hollow</b>", "Heavy".lower(), "Shared words.", "A draft.", "Not shared.",
        "Your wish: Just listen.", "You expected: Laughed at.", "What came: It's fine.", "The hardest was the door.",
        "Thank you for telling me", "Me.", "Undecided.", "October 2026", "November 2026", "20:30", "Lisbon",
    ):  # fmt: skip
        assert expected in reader.texts, expected
    assert LOADS_NOTHING in reader.attributes
    assert "script" not in reader.tags
    assert "49" not in reader.texts
    assert not {name for name, _ in reader.attributes if name.startswith("on") or name in {"src", "href", "srcset"}}
    assert "url(" not in page(view("en"), made())


@pytest.mark.parametrize("language", ["en", "de"])
def test_page_is_in_its_owners_language(language: str) -> None:
    reader = read(page(view(language), made(language)))
    assert ("lang", language) in reader.attributes
    assert (say_in(language)("What you answered")) in reader.texts
    assert say_in(language).title(QUESTION.text) in reader.texts


def test_page_without_lines_says_so() -> None:
    assert "There are no lines yet." in read(page(view("en"), made(lines=[]))).texts


def test_parts_are_numbered() -> None:
    first = read(page(view("en"), made(last=False)))
    second = read(page(view("en"), made(part=2, profile=None)))
    assert "Settings" in first.texts
    assert "Settings" not in second.texts
    assert any(text.endswith("Part 2.") for text in second.texts)


def test_every_switch_is_on_it() -> None:
    profile = made().profile
    assert profile
    for switch, positions in SWITCHES.items():
        pages = {page(view("en"), made(profile=profile.model_copy(update={switch: each}))) for each in positions}
        assert len(pages) == len(positions), switch


def test_ten_thousand_lines_take_a_moment() -> None:
    """A page is made in a thread; it still must not take seconds."""
    one = made().lines[0]
    many = [one.model_copy(update={"date": date(2000, 1, 1) + timedelta(days=day)}) for day in range(10_000)]
    assert len(page(view("en"), made(lines=many))) > 10_000 * len(TRICKY)
