"""Handlers of the settings, where a button needs more than a use case."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from bot.domain.model import Step
from bot.domain.results import LanguageSetting, Preface, Result
from bot.i18n import negotiate
from bot.services.settings import Settings
from bot.services.start import next_step
from bot.services.visit import Visit
from bot.tg.turn import Turn

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Switching(Protocol[T_contra]):
    """A use case that turns something on or off."""

    def __call__(self, visit: Visit, what: T_contra, /, *, on: bool) -> Awaitable[Result]: ...


def switched(
    switch: Switching[T], show: Callable[[Visit, T], Awaitable[Result]]
) -> Callable[[Visit, T, bool | None], Awaitable[Result]]:
    """Turn something on or off. An old button, which doesn't say which, only shows the current state."""

    async def handle(visit: Visit, what: T, on: bool | None, /) -> Result:  # a button's value
        return await show(visit, what) if on is None else await switch(visit, what, on=on)

    return handle


def shown(show: Callable[[Visit], Awaitable[Result]]) -> Callable[[Visit, object], Awaitable[Result]]:
    """Show a screen that is the same whatever value the button carries."""

    async def handle(visit: Visit, _what: object, /) -> Result:
        return await show(visit)

    return handle


class SettingsHandlers:
    """Handlers of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def language(self, turn: Turn) -> Result:
        """Handle /language, which also works during the start and then repeats the current question."""
        if turn.user is None:
            return replace(await next_step(turn.rows, turn.user, turn.now), preface=Preface.NOT_YET)
        await turn.rows.dialogs.forget(turn.user_id)
        if not turn.argument:
            return await self._settings.language(turn.visit)
        return await _then_the_start(turn, await self._settings.language_said(turn.visit, turn.argument))

    async def set_language(self, turn: Turn, language: str | None) -> Result:
        """Set the language that was tapped; None means to follow the language of the user's Telegram."""
        person = turn.update.effective_user
        wanted = language or negotiate(person.language_code if person else None)
        return await _then_the_start(
            turn, await self._settings.set_language(turn.visit, wanted, chosen=language is not None)
        )


async def _then_the_start(turn: Turn, result: Result) -> Result:
    """If the user has set their language during the start, return the next step of the start instead."""
    user = await turn.rows.users.find(turn.user_id)
    is_set = isinstance(result, LanguageSetting) and not result.unclear
    if user is None or user.step is Step.READY or not is_set:
        return result
    return replace(await next_step(turn.rows, user, turn.now), preface=Preface.LANGUAGE_SET)
