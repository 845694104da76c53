"""The settings: each use case changes one thing and comes back to the screen it was changed on."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, Final, TypeVar

from bot.domain.content import Sensitivity
from bot.domain.days import read_weekdays
from bot.domain.hours import means_nothing, parse_hour, parse_hours
from bot.domain.model import DEEPEST, Dialog, User, Waiting
from bot.domain.moments import seems_a_time
from bot.domain.pairing import NAME_LIMIT, clean_name
from bot.domain.prompts import may_mute
from bot.domain.results import (
    CeilingSetting,
    CityWanted,
    ClockWanted,
    DaysSetting,
    HourSetting,
    LanguageSetting,
    LastDay,
    LastTheme,
    NameSetting,
    PlaceSought,
    PlaceWanted,
    QuietSetting,
    Result,
    SettingsClosed,
    SettingsShown,
    SwitchSetting,
    ThemesSetting,
    ZoneChanged,
)
from bot.domain.times import EVERY_DAY, is_zone
from bot.library import Library
from bot.services.calendar import replan
from bot.services.lines import Typed
from bot.services.zones import zones_meant
from bot.storage.store import Rows

T = TypeVar("T")

SWITCHES: Final = ("soft_reminder",)
"""What is on or off. `User.discreet` and `User.recap` are kept for when they do something."""
_LONGEST_PLACE: Final = 80
_LONGEST_HOUR: Final = 30
_PATIENCE: Final = timedelta(minutes=10)
"""So long a text is taken as the value that was asked for: short, since the next question's answer is none."""


class Settings:
    """Use cases around the settings, for users who are through with the start."""

    def __init__(self, library: Library) -> None:
        self._prompts = tuple(library.prompts.values())
        self._themes = frozenset(theme.id for theme in library.themes)
        self.typed: dict[Waiting, Typed] = {
            Waiting.HOUR: self.hour_typed,
            Waiting.ZONE: self.place_typed,
            Waiting.PLACE: self.place_typed,
            Waiting.QUIET: self.quiet_typed,
            Waiting.QUIET_CHOICE: self.quiet_typed,
            Waiting.DAYS: self.days_typed,
            Waiting.NAME: self.name_typed,
        }
        self.readers = {SettingsShown: self.words, NameSetting: self.words, ZoneChanged: self.words}

    async def show(self, rows: Rows, user: User) -> Result:
        """All values. What was awaited for one of them is awaited no more."""
        return SettingsShown(keyboard=await _leave(rows, user))

    async def close(self, rows: Rows, user: User) -> Result:
        return SettingsClosed(keyboard=await _leave(rows, user))

    async def words(self, rows: Rows, user: User, _result: Result) -> dict[str, str]:
        """The name, for the screens that show it."""
        name = await rows.users.name(user.id)
        return {"name": name} if name else {}

    # The hour and the days

    async def hour(self, rows: Rows, user: User, now: datetime, *, unclear: bool = False) -> Result:
        await _await(rows, user, Waiting.HOUR, now)
        return HourSetting(unclear=unclear)

    async def set_hour(self, rows: Rows, user: User, at: time, now: datetime) -> Result:
        """Another hour. No date is asked twice, and one whose Ask was still to come isn't lost."""
        await replan(rows, user, now, ask_at=at)
        await rows.dialogs.forget(user.id)
        return HourSetting(moved=True)

    async def hour_said(self, rows: Rows, user: User, words: str, now: datetime) -> Result:
        at = parse_hour(words)
        return await self.set_hour(rows, user, at, now) if at else await self.hour(rows, user, now, unclear=True)

    async def hour_typed(
        self, rows: Rows, user: User, _awaited: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        if at := parse_hour(words):
            return await self.set_hour(rows, user, at, now)
        return None if len(words) > _LONGEST_HOUR else await self.hour(rows, user, now, unclear=True)

    async def days(self, rows: Rows, user: User, now: datetime, *, unclear: bool = False) -> Result:
        """The weekdays. They can be tapped, or typed."""
        await _await(rows, user, Waiting.DAYS, now)
        return DaysSetting(unclear=unclear)

    async def days_said(self, rows: Rows, user: User, words: str, now: datetime) -> Result:
        days = read_weekdays(words)
        return await self.set_days(rows, user, days, now) if days else await self.days(rows, user, now, unclear=True)

    async def days_typed(
        self, rows: Rows, user: User, _awaited: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        is_meant = read_weekdays(words) is not None or seems_a_time(words)
        return await self.days_said(rows, user, words, now) if is_meant else None

    async def set_day(self, rows: Rows, user: User, day: int, now: datetime, *, on: bool) -> Result:
        return await self.set_days(rows, user, _switched(user.days, day, on=on), now)

    async def set_days(self, rows: Rows, user: User, days: frozenset[int], now: datetime) -> Result:
        if not days & EVERY_DAY:
            return LastDay()
        await replan(rows, user, now, days=days & EVERY_DAY)
        return await self.days(rows, user, now)

    # The zone

    async def clock(self, rows: Rows, user: User, now: datetime, *, unclear: bool = False) -> Result:
        await _await_place(rows, user, now)
        return ClockWanted(unclear=unclear, settings=True)

    async def place(self, rows: Rows, user: User, now: datetime) -> Result:
        """A city to be typed, or a location shared, for which there is a keyboard from now on."""
        await _await(rows, user, Waiting.PLACE, now)
        return PlaceWanted(settings=True)

    async def place_said(self, rows: Rows, user: User, words: str, now: datetime) -> Result:
        if len(words) > _LONGEST_PLACE:
            return await self.clock(rows, user, now, unclear=True)
        await _await_place(rows, user, now)
        zones = zones_meant(words, now, user.language)
        return CityWanted(zones, settings=True, called=True) if zones else PlaceSought(settings=True)

    async def place_typed(
        self, rows: Rows, user: User, awaited: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        if len(words) > _LONGEST_PLACE:
            return None
        await _await(rows, user, awaited.waiting, now)
        zones = zones_meant(words, now, user.language)
        return CityWanted(zones, settings=True, called=True) if zones else PlaceSought(settings=True)

    async def set_zone(self, rows: Rows, user: User, zone: str, now: datetime) -> Result:
        if not is_zone(zone):
            return await self.clock(rows, user, now, unclear=True)
        had_keyboard = await _leave(rows, user)
        await replan(rows, user, now, zone=zone)
        return ZoneChanged(sought=had_keyboard)

    # What is asked, and in which language

    async def language(self, rows: Rows, user: User) -> Result:
        await rows.dialogs.forget(user.id)
        return LanguageSetting()

    async def set_language(self, rows: Rows, user: User, language: str, *, chosen: bool) -> Result:
        """From now on this one; `chosen` here, or following Telegram's."""
        await rows.users.change(user, language=language, language_chosen=chosen)
        return LanguageSetting()

    async def ceiling(self, rows: Rows, user: User) -> Result:
        await rows.dialogs.forget(user.id)
        return CeilingSetting()

    async def set_ceiling(self, rows: Rows, user: User, ceiling: int) -> Result:
        """The deepest depth that is ever asked or offered. Only its owner comes here."""
        ceiling = min(max(ceiling, 1), DEEPEST)
        facts: dict[str, Any] = {"ceiling": ceiling}
        if ceiling >= user.ceiling:  # what was not taken may be offered once more
            facts |= {"offered_depth": None, "refused_depth": None}
        if user.depth > ceiling:
            facts |= {"depth": ceiling, "comfortable": 0}
        await rows.users.change(user, **facts)
        return CeilingSetting()

    async def themes(self, rows: Rows, user: User) -> Result:
        await rows.dialogs.forget(user.id)
        return ThemesSetting()

    async def set_theme(self, rows: Rows, user: User, theme: str, *, on: bool) -> Result:
        """Ask about a theme, or leave it out; one that isn't in the library any more changes nothing."""
        muted = _switched(user.muted_themes, theme, on=not on) if theme in self._themes else user.muted_themes
        return await self._mute(rows, user, muted_themes=muted)

    async def set_sensitivity(self, rows: Rows, user: User, sensitivity: str, *, on: bool) -> Result:
        known, muted = set(map(str, Sensitivity)), user.muted_sensitivities
        muted = _switched(muted, sensitivity, on=not on) if sensitivity in known else muted
        return await self._mute(rows, user, muted_sensitivities=muted)

    async def _mute(self, rows: Rows, user: User, **facts: frozenset[str]) -> Result:
        if not may_mute(self._prompts, replace(user, **facts)):  # type: ignore[arg-type]
            return LastTheme()
        await rows.users.change(user, **facts)
        return ThemesSetting()

    # Quiet hours, switches, the name

    async def quiet(self, rows: Rows, user: User, now: datetime) -> Result:
        """The quiet hours. They can be tapped, or typed."""
        await _await(rows, user, Waiting.QUIET_CHOICE, now)
        return QuietSetting()

    async def quiet_wanted(self, rows: Rows, user: User, now: datetime, *, unclear: bool = False) -> Result:
        await _await(rows, user, Waiting.QUIET, now)
        return QuietSetting(typed=True, unclear=unclear)

    async def set_quiet(self, rows: Rows, user: User, start: time | None, end: time | None, now: datetime) -> Result:
        """The hours in which the bot never writes first; none of them, where both are the same or None."""
        if start is None or end is None or start == end:
            start = end = None
        await rows.users.change(user, quiet_from=start, quiet_to=end)
        return await self.quiet(rows, user, now)

    async def quiet_said(self, rows: Rows, user: User, words: str, now: datetime) -> Result:
        if means_nothing(words):
            return await self.set_quiet(rows, user, None, None, now)
        hours = parse_hours(words)
        if hours and hours[0] != hours[1]:
            return await self.set_quiet(rows, user, *hours, now)
        return await self.quiet_wanted(rows, user, now, unclear=True)

    async def quiet_typed(
        self, rows: Rows, user: User, awaited: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        hours = parse_hours(words)
        if hours and hours[0] != hours[1]:  # a whole day is hardly meant, and none of it has a button
            return await self.set_quiet(rows, user, *hours, now)
        may_be_some = awaited.waiting is Waiting.QUIET or hours or seems_a_time(words)
        if not may_be_some or len(words) > 2 * _LONGEST_HOUR:
            return None
        return await self.quiet_wanted(rows, user, now, unclear=True)

    async def switch(self, rows: Rows, user: User, switch: str) -> Result:
        await rows.dialogs.forget(user.id)
        return SwitchSetting(switch)

    async def flip(self, rows: Rows, user: User, switch: str, *, on: bool) -> Result:
        """Turn one of SWITCHES on or off."""
        await rows.users.change(user, **{switch: on})
        return SwitchSetting(switch)

    async def name(self, rows: Rows, user: User, now: datetime, *, unclear: bool = False) -> Result:
        await _await(rows, user, Waiting.NAME, now)
        return NameSetting(unclear=unclear, paired=await rows.pairs.seems_active(user.id))

    async def name_typed(
        self, rows: Rows, user: User, _awaited: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        return await self.name_said(rows, user, words, now)

    async def name_said(self, rows: Rows, user: User, words: str, now: datetime) -> Result:
        if len(words) > NAME_LIMIT or not (name := clean_name(words)):
            return await self.name(rows, user, now, unclear=True)
        await rows.users.set_name(user.id, name)
        return await self.show(rows, user)

    async def unname(self, rows: Rows, user: User, now: datetime) -> Result:
        """Remove the name, unless there is a partner who sees it, or the user hasn't heard that there is none."""
        if await rows.pairs.seems_active(user.id):
            return await self.name(rows, user, now)
        await rows.users.set_name(user.id, None)
        return await self.show(rows, user)


def _switched(among: frozenset[T], one: T, *, on: bool) -> frozenset[T]:
    return among | {one} if on else among - {one}


async def _await(rows: Rows, user: User, waiting: Waiting, now: datetime) -> None:
    await rows.dialogs.await_(user.id, Dialog(waiting, 0, now + _PATIENCE))


async def _await_place(rows: Rows, user: User, now: datetime) -> None:
    """Await a place; where a keyboard for the location is on the screen, that stays known."""
    has_keyboard = await rows.dialogs.awaited(user.id, now) is Waiting.PLACE
    await _await(rows, user, Waiting.PLACE if has_keyboard else Waiting.ZONE, now)


async def _leave(rows: Rows, user: User) -> bool:
    """Await nothing any more. Whether a keyboard for the location is on the screen."""
    has_keyboard = await rows.dialogs.forget(user.id, only=(Waiting.PLACE,))
    await rows.dialogs.forget(user.id)
    return has_keyboard
