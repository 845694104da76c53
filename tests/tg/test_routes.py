"""Every command and action leads somewhere, once; the start names whatever is missing or duplicate."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from bot.domain.model import User, Waiting
from bot.domain.notices import NoticeKind
from bot.domain.undecided import Waits
from bot.i18n import say_in
from bot.library import Library
from bot.services.settings import SWITCHES
from bot.services.use_cases import OF_LINES, DuplicateService, make_use_cases, merge, notice_handlers_of
from bot.storage.store import Rows
from bot.tg import actions
from bot.tg.actions import NotOurs
from bot.tg.check import Incomplete, check
from bot.tg.handlers.always import help_
from bot.tg.handlers.start import StartHandlers
from bot.tg.routes import Command, Routes, tap_by_anybody
from bot.tg.screens.setting_words import switch_words
from bot.tg.table import make_routes
from bot.tg.turn import Turn
from bot.tg.updates import Update

ROOT = Path(__file__).parent.parent.parent
USE = make_use_cases(Library.of([], []))
ROUTES = make_routes(USE, StartHandlers(USE))
DELIVERED = {
    *notice_handlers_of(USE),
    NoticeKind.ANSWER,
    NoticeKind.EXPORT,
    NoticeKind.TAKE_IN,
    NoticeKind.MENU,
    NoticeKind.HIDE,
}


NOT_CAUSES = re.compile(
    r"\b(?:cancel|cancel_all|hasten|is_open|last|unsaid|was_tried)\((?:[\w.]+, )?NoticeKind\.\w+"
    r"|(?:is|==|!=) NoticeKind\.\w+"
)
"""What names a Notice without putting it into the outbox."""


def sources_of(*folders: str) -> str:
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def test_nothing_is_missing() -> None:
    check(ROUTES, DELIVERED, {*USE.typed, *OF_LINES}, USE.deciding.ask_again)


@pytest.mark.parametrize("user", [None, User(1, "en")])
async def test_tap_during_the_start_is_refused(user: User | None) -> None:
    """A forged button: nobody who is still at the start has one."""
    turn = Turn(Update(1), cast("Rows", None), 1, user, "en", datetime(2026, 11, 22, tzinfo=UTC))
    with pytest.raises(NotOurs):
        await ROUTES.taps["settings"].handler(turn, actions.SETTINGS())


def test_missing_route_is_named() -> None:
    routes = Routes([Command("help", help_)], [])
    with pytest.raises(Incomplete) as incomplete:
        check(routes, DELIVERED - {NoticeKind.GUEST}, set(Waiting) - {Waiting.CODE}, set(Waits) - {Waits.SHARE})
    said = str(incomplete.value)
    for name in (
        "the command today",
        "the action share_at",
        "the Notice guest",
        "the awaited text code",
        "what is undecided, share",
    ):
        assert f"{name} has no " in said
    assert "command help" not in said


def test_forgotten_half_of_a_switch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {switch: values for switch, values in SWITCHES.items() if switch != "silent"}
    monkeypatch.setattr("bot.tg.check.SWITCHES", {**known, "loud": (False, True)})
    with pytest.raises(Incomplete, match="the switch loud has no words; the switch silent has no positions"):
        check(ROUTES, DELIVERED, set(Waiting), set(Waits))


def test_every_notice_is_caused_by_something() -> None:
    """A kind that is declared, treated and spoken, but never put into the outbox, would be silence for good."""
    named = set(re.findall(r"NoticeKind\.([A-Z_]+)\b(?!:)", NOT_CAUSES.sub("", sources_of("bot"))))
    assert {kind.name for kind in NoticeKind} - named == set()


def test_every_switch_has_words_for_each_position() -> None:
    for switch, values in SWITCHES.items():
        words = switch_words(say_in("en"))[switch]
        assert len(words.positions) == len(set(words.positions)) == len(values), switch
        assert len(words.choices) == len(set(words.choices)) == len(values), switch


def test_every_switch_has_an_effect() -> None:
    """One that nothing asks for could be turned on, and would do nothing."""
    asked_for = set(re.findall(r"\b(?:user|self)\.([a-z_]+)\b", sources_of("bot/domain", "bot/services", "bot/tg")))
    assert set(SWITCHES) - asked_for == set()


def test_duplicate_command_is_an_error() -> None:
    with pytest.raises(DuplicateService, match="help"):
        Routes([Command("help", help_), Command("help", help_)], [])


def test_duplicate_action_is_an_error() -> None:
    route = tap_by_anybody(actions.TODAY, help_)
    with pytest.raises(DuplicateService, match="today"):
        Routes([], [route, route])


def test_duplicate_text_service_is_an_error() -> None:
    with pytest.raises(DuplicateService, match="code"):
        merge([{Waiting.CODE: 1}, {Waiting.CODE: 2}])
