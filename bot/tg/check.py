"""The startup check that nothing was forgotten: everything declared in one place is served in another."""

from collections.abc import Collection, Iterable

from bot.domain.model import Waiting
from bot.domain.notices import NoticeKind
from bot.domain.results import Silence, kinds
from bot.domain.undecided import Waits
from bot.i18n import say_in
from bot.services.settings import SWITCHES
from bot.tg.actions import ACTIONS
from bot.tg.routes import Routes
from bot.tg.screens import SCREENS
from bot.tg.screens.always import all_commands
from bot.tg.screens.setting_words import switch_words


class Incomplete(Exception):
    """Something is declared, but nothing serves it. The text names it."""


def check(
    routes: Routes, delivered: Collection[NoticeKind], typed: Collection[Waiting], asked_again: Collection[Waits]
) -> None:
    """Raise Incomplete, naming everything that is missing, unless the bot is complete."""
    missing = [
        *_missing("the command", (name for name, _ in all_commands(say_in("en"))), routes.commands, "route"),
        *_missing("the action", ACTIONS, routes.taps, "route"),
        *_missing("the Notice", set(NoticeKind) - {NoticeKind.UNKNOWN}, delivered, "handler"),
        *_missing("the awaited text", Waiting, typed, "use case"),
        *_missing("what is undecided,", Waits, asked_again, "use case that asks again"),
        *_missing("the Result", set(kinds()) - {Silence.kind}, {shown.kind for shown in SCREENS}, "screen"),
        *_missing("the switch", SWITCHES, switch_words(say_in("en")), "words"),
        *_missing("the switch", switch_words(say_in("en")), SWITCHES, "positions"),
    ]
    if missing:
        raise Incomplete("; ".join(missing))


def _missing(what: str, declared: Iterable[str], served: Collection[str], by: str) -> list[str]:
    return [f"{what} {name} has no {by}" for name in sorted(set(declared) - set(served))]
