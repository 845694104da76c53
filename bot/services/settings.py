"""The settings: each use case changes one thing and returns to the screen on which it was changed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any, Final, TypeVar

from bot.domain.content import Sensitivity
from bot.domain.days import read_weekdays
from bot.domain.hours import hour_alone, means_nothing, parse_hours
from bot.domain.model import DEEPEST, Dialog, Waiting
from bot.domain.moments import looks_like_time
from bot.domain.pairing import NAME_LIMIT, clean_name
from bot.domain.prompts import may_mute
from bot.domain.results import (
    CeilingSetting,
    DaysSetting,
    EmptyText,
    HourSetting,
    LanguageSetting,
    LastDay,
    LastTheme,
    NameSetting,
    QuietSetting,
    Result,
    SettingsClosed,
    SettingsShown,
    SwitchSetting,
    ThemesSetting,
)
from bot.domain.times import EVERY_DAY
from bot.domain.typed import fold_line
from bot.i18n import language_called
from bot.library import Library
from bot.services.lines import Typed
from bot.services.planning import replan
from bot.services.visit import Visit

T = TypeVar("T")

_ON_OFF: Final = (False, True)
SWITCHES: Final[Mapping[str, tuple[Any, ...]]] = {
    "soft_reminder": _ON_OFF,
    "callbacks": _ON_OFF,
    "weekly_recap": _ON_OFF,
    "partnered": _ON_OFF,
    "discreet": _ON_OFF,
    "silent": _ON_OFF,
}
"""Settings with a few positions, each a fact of the User by this name. Buttons carry a position's index."""
_LONGEST_HOUR: Final = 30
_AWAITED_FOR: Final = timedelta(minutes=10)
"""For how long we take a text as the value we asked for. It is short, since the next Ask's answer isn't one."""


def position(switch: str, facts: object) -> Any:
    """Return the position of a switch, by the facts of a User or a profile.

    Until the user decides, the weekly recap is on, and Callbacks are off.
    """
    value = getattr(facts, switch)
    return value if value in SWITCHES[switch] else switch == "weekly_recap"


class Settings:
    """Use cases around the settings, for users who have finished setting up."""

    def __init__(self, library: Library) -> None:
        self._prompts = tuple(library.prompts.values())
        self._themes = frozenset(theme.id for theme in library.themes)
        self.typed: dict[Waiting, Typed] = {
            Waiting.HOUR: self.hour_typed,
            Waiting.QUIET: self.quiet_typed,
            Waiting.QUIET_CHOICE: self.quiet_typed,
            Waiting.DAYS: self.days_typed,
            Waiting.NAME: self.name_typed,
        }

    async def show(self, visit: Visit) -> Result:
        """Show all settings, and stop waiting for a text for any of them."""
        await visit.rows.dialogs.forget(visit.user.id)
        return SettingsShown()

    async def close(self, visit: Visit) -> Result:
        await visit.rows.dialogs.forget(visit.user.id)
        return SettingsClosed()

    # The hour and the days

    async def hour(self, visit: Visit, *, unclear: bool = False) -> Result:
        await _await(visit, Waiting.HOUR)
        return HourSetting(unclear=unclear)

    async def set_hour(self, visit: Visit, at: time) -> Result:
        """Set another hour. No date is asked twice, and none whose Ask was still to come is lost."""
        await replan(visit, ask_at=at, receives_only=False)
        await visit.rows.dialogs.forget(visit.user.id)
        return HourSetting(moved=True)

    async def hour_said(self, visit: Visit, words: str) -> Result:
        at = hour_alone(words)
        return await self.set_hour(visit, at) if at else await self.hour(visit, unclear=True)

    async def hour_typed(self, visit: Visit, _awaited: Dialog, words: str, _message_id: int) -> Result | None:
        if at := hour_alone(words):
            return await self.set_hour(visit, at)
        return None if len(words) > _LONGEST_HOUR else await self.hour(visit, unclear=True)

    async def days(self, visit: Visit, *, unclear: bool = False) -> Result:
        """Show the weekdays. They can be tapped or typed."""
        await _await(visit, Waiting.DAYS)
        return DaysSetting(unclear=unclear)

    async def days_said(self, visit: Visit, words: str) -> Result:
        days = read_weekdays(words)
        return await self.set_days(visit, days) if days else await self.days(visit, unclear=True)

    async def days_typed(self, visit: Visit, _awaited: Dialog, words: str, _message_id: int) -> Result | None:
        is_meant = read_weekdays(words) is not None or looks_like_time(words)
        return await self.days_said(visit, words) if is_meant else None

    async def set_day(self, visit: Visit, day: int, *, on: bool) -> Result:
        return await self.set_days(visit, _switched(visit.user.days, day, on=on))

    async def set_days(self, visit: Visit, days: frozenset[int]) -> Result:
        if not days & EVERY_DAY:
            return LastDay()
        await replan(visit, days=days & EVERY_DAY)
        return await self.days(visit)

    # What is asked, and in which language

    async def language(self, visit: Visit) -> Result:
        await visit.rows.dialogs.forget(visit.user.id)
        return LanguageSetting()

    async def set_language(self, visit: Visit, language: str, *, chosen: bool) -> Result:
        """Use this language from now on, either `chosen` here or as Telegram reports it."""
        await visit.rows.users.change(visit.user, language=language, language_chosen=chosen)
        return LanguageSetting()

    async def language_said(self, visit: Visit, words: str) -> Result:
        if (language := language_called(words)) is None:
            return LanguageSetting(unclear=True)
        return await self.set_language(visit, language, chosen=True)

    async def ceiling_said(self, visit: Visit, words: str) -> Result:
        depths = {str(depth): depth for depth in range(1, DEEPEST + 1)}
        return await self.set_ceiling(visit, depths[words]) if words in depths else CeilingSetting(unclear=True)

    async def ceiling(self, visit: Visit) -> Result:
        await visit.rows.dialogs.forget(visit.user.id)
        return CeilingSetting()

    async def set_ceiling(self, visit: Visit, ceiling: int) -> Result:
        """Set the deepest depth that we ever ask or offer. Only the user changes it; the bot never does."""
        ceiling = min(max(ceiling, 1), DEEPEST)
        facts: dict[str, Any] = {"ceiling": ceiling}
        if ceiling >= visit.user.ceiling:  # depths that weren't taken can be offered again
            facts |= {"offered_depth": None, "refused_depth": None}
        if visit.user.depth > ceiling:
            facts |= {"depth": ceiling, "comfortable": 0}
        await visit.rows.users.change(visit.user, **facts)
        return CeilingSetting()

    async def themes(self, visit: Visit) -> Result:
        await visit.rows.dialogs.forget(visit.user.id)
        return ThemesSetting()

    async def set_theme(self, visit: Visit, theme: str, *, on: bool) -> Result:
        """Ask about a theme, or leave it out. A theme that is no longer in the library changes nothing."""
        muted = (
            _switched(visit.user.muted_themes, theme, on=not on) if theme in self._themes else visit.user.muted_themes
        )
        return await self._mute(visit, muted_themes=muted)

    async def set_sensitivity(self, visit: Visit, sensitivity: str, *, on: bool) -> Result:
        known, muted = set(map(str, Sensitivity)), visit.user.muted_sensitivities
        muted = _switched(muted, sensitivity, on=not on) if sensitivity in known else muted
        return await self._mute(visit, muted_sensitivities=muted)

    async def _mute(self, visit: Visit, **facts: frozenset[str]) -> Result:
        if not may_mute(self._prompts, replace(visit.user, **facts)):  # type: ignore[arg-type]
            return LastTheme()
        await visit.rows.users.change(visit.user, **facts)
        return ThemesSetting()

    # Quiet hours, switches, the name

    async def quiet(self, visit: Visit) -> Result:
        """Show the quiet hours. They can be tapped or typed."""
        await _await(visit, Waiting.QUIET_CHOICE)
        return QuietSetting()

    async def quiet_wanted(self, visit: Visit, *, unclear: bool = False) -> Result:
        await _await(visit, Waiting.QUIET)
        return QuietSetting(typed=True, unclear=unclear)

    async def set_quiet(self, visit: Visit, hours: tuple[time, time] | None) -> Result:
        """Set the start and end of quiet hours; None for no quiet hours."""
        start, end = hours if hours and hours[0] != hours[1] else (None, None)
        await visit.rows.users.change(visit.user, quiet_from=start, quiet_to=end)
        return await self.quiet(visit)

    async def quiet_said(self, visit: Visit, words: str) -> Result:
        if means_nothing(words):
            return await self.set_quiet(visit, None)
        hours = parse_hours(words)
        if hours and hours[0] != hours[1]:
            return await self.set_quiet(visit, hours)
        return await self.quiet_wanted(visit, unclear=True)

    async def quiet_typed(self, visit: Visit, awaited: Dialog, words: str, _message_id: int) -> Result | None:
        hours = parse_hours(words)
        if hours and hours[0] != hours[1]:  # hardly anybody means a whole day, and there is a button for "none"
            return await self.set_quiet(visit, hours)
        may_be_some = awaited.waiting is Waiting.QUIET or hours or looks_like_time(words)
        if not may_be_some or len(words) > 2 * _LONGEST_HOUR:
            return None
        return await self.quiet_wanted(visit, unclear=True)

    async def switch(self, visit: Visit, switch: str) -> Result:
        await visit.rows.dialogs.forget(visit.user.id)
        return SwitchSetting(switch)

    async def flip(self, visit: Visit, switch: str, index: int | None) -> Result:
        """Set one of SWITCHES to the position at `index`. An old button, which carries none, only shows the screen."""
        if index is not None and index < len(SWITCHES[switch]):
            await replan(visit, **{switch: SWITCHES[switch][index]})
        return SwitchSetting(switch)

    async def name(self, visit: Visit, *, unclear: bool = False) -> Result:
        await _await(visit, Waiting.NAME)
        return NameSetting(unclear=unclear, paired=await visit.rows.pairs.looks_active_to(visit.user.id))

    async def name_typed(self, visit: Visit, _awaited: Dialog, words: str, _message_id: int) -> Result | None:
        return await self.name_said(visit, words)

    async def name_said(self, visit: Visit, words: str) -> Result:
        words = fold_line(words)
        if not words:
            return EmptyText()
        if len(words) > NAME_LIMIT:
            return await self.name(visit, unclear=True)
        await visit.rows.users.set_name(visit.user.id, clean_name(words))
        return await self.show(visit)

    async def unname(self, visit: Visit) -> Result:
        """Remove the name, unless a partner sees it, or the user hasn't heard yet that the partner has left."""
        if await visit.rows.pairs.looks_active_to(visit.user.id):
            return await self.name(visit)
        await visit.rows.users.set_name(visit.user.id, None)
        return await self.show(visit)


def _switched(among: frozenset[T], one: T, *, on: bool) -> frozenset[T]:
    return among | {one} if on else among - {one}


async def _await(visit: Visit, waiting: Waiting) -> None:
    await visit.rows.dialogs.await_(visit.user.id, Dialog(waiting, 0, visit.now + _AWAITED_FOR))
