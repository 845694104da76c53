"""Turns a Result into a Screen at the last moment: private words are read right before they are shown."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.domain.model import DAMAGED, User
from bot.domain.results import Invited, Result
from bot.i18n import BASE, Say, say_in
from bot.library import Library
from bot.services.use_cases import UseCases
from bot.services.visit import Visit
from bot.storage.store import Rows, Store
from bot.tg.location_keyboard import taken_away
from bot.tg.screens import SCREENS, Operator, Screen, View, show
from bot.tg.screens.always import safety_card, with_preface
from bot.tg.screens.screen import for_its_user
from bot.tg.screens.undecided import undecided_button

_NOBODY: Final = User(0, BASE)
"""Stands in for somebody without consent, so that we can tell them who invites them."""


class Renderer:
    """Makes screens for the code that sends them."""

    def __init__(
        self, store: Store, library: Library, use: UseCases, bot: Callable[[], str], operator: Operator
    ) -> None:
        self._store = store
        self._library = library
        self._use = use
        self._bot = bot
        self._operator = operator

    async def words(self, rows: Rows, user: User | None, result: Result, now: datetime) -> Mapping[str, str]:
        """Return the users' words that the screen of a Result shows, as this transaction sees them."""
        entry = SCREENS.get(type(result))
        if entry is None or entry.words is None or (user is None and not isinstance(result, Invited)):
            return {}
        words = await entry.words(self._use)(Visit(rows, user or _NOBODY, now), result)
        return _legible(words, say_in(user.language)) if user and DAMAGED in words.values() else words

    def screen(
        self,
        result: Result,
        user: User | None,
        language: str,
        now: datetime,
        words: Mapping[str, str],
        places: tuple[tuple[str, str], ...] = (),
    ) -> Screen | None:
        """Return the screen of a Result in `language`, or None if there is nothing to say."""
        say = say_in(language)
        view = View(say, now, self._library, user, places, words, self._bot(), self._operator, swept=self._store.swept)
        screen = show(view, result)
        screen = with_preface(screen, view, result.preface) if screen and result.preface else screen
        if screen and result.undecided:
            screen = replace(screen, rows=(*screen.rows, (undecided_button(say),)))
        screen = for_its_user(screen, user, say) if screen else None
        return taken_away(screen, say) if screen and result.keyboard else screen

    def safety_card(self, user: User | None, language: str, now: datetime) -> Screen:
        """Return the Safety card."""
        say = say_in(language)
        return for_its_user(safety_card(View(say, now, self._library, user)), user, say)


def _legible(words: Mapping[str, str], say: Say) -> Mapping[str, str]:
    # Translators: stands in the place of somebody's words that can't be opened any more, as after a fault of the disk
    damaged = say("(damaged, can't be read any more)")
    return {name: damaged if text == DAMAGED else text for name, text in words.items()}
