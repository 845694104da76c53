"""The privacy policy as a file: whole, in its reader's language, with who runs the bot, and on its own."""

import pytest

from bot.domain.model import POLICY_VERSION
from bot.domain.results.privacy import PolicySent, PolicyShown
from bot.i18n import languages, say_in
from bot.tg.screens import Operator, View, show
from bot.tg.screens.privacy import policy_sent
from tests.services.conftest import LIBRARY
from tests.tg.test_export_page import LOADS_NOTHING, NOW, TRICKY, Reader

RUN_BY = Operator(TRICKY, "@robin")


def read(language: str) -> Reader:
    screen = policy_sent(View(say_in(language), NOW, LIBRARY, operator=RUN_BY), PolicySent())
    assert screen.file
    reader = Reader()
    reader.feed(screen.file.content().decode())
    return reader


@pytest.mark.parametrize("language", languages())
def test_policy_file_is_complete(language: str) -> None:
    texts = read(language).texts
    for section in LIBRARY.policy[language]:
        assert section.heading in texts
        assert section.text % {"name": TRICKY, "contact": "@robin"} in texts
    assert any(str(POLICY_VERSION) in text for text in texts)


@pytest.mark.parametrize("language", languages())
def test_policy_file_is_self_contained(language: str) -> None:
    reader = read(language)
    assert ("lang", language) in reader.attributes
    assert LOADS_NOTHING in reader.attributes
    assert not {"script", "img", "link", "iframe", "object"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name in {"src", "href", "style"} or name.startswith("on")]


def test_policy_file_reveals_nothing() -> None:
    """Neither the name nor the caption says which bot it is from: they are what a notification shows."""
    screens = [
        show(View(say_in("en"), NOW, LIBRARY, operator=RUN_BY), result) for result in (PolicySent(), PolicyShown())
    ]
    sent, shown = screens
    assert sent
    assert sent.file
    assert sent.file.name == "privacy.html"
    assert "ajar" not in sent.text.lower()
    assert shown
    assert [button.text for row in shown.rows for button in row] == ["As a file"]
