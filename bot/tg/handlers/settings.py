"""/settings, /time, /language, and the buttons of the settings."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.domain.model import Step, User
from bot.domain.results import (
    CeilingSetting,
    CityWanted,
    LanguageSetting,
    Outdated,
    RegionWanted,
    RegionZones,
    Result,
    ZoneChanged,
)
from bot.domain.times import zones_with_clock
from bot.domain.typed import fold_line
from bot.domain.zones import Region
from bot.i18n import language_called, languages
from bot.services.profile import Profile
from bot.services.settings import SWITCHES
from bot.services.settings import Settings as SettingsService
from bot.tg.callbacks import NotOurs
from bot.tg.handlers.start import read_hour, read_minutes
from bot.tg.turn import Handler, Turn

ForUser = Callable[[Turn, User], Awaitable[Result]]
"""A handler for somebody who is through with the start."""


def when_ready(profile: Profile, handler: ForUser) -> Handler:
    """For commands: whoever is still at the start is led on there."""

    async def handle(turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return profile.next_step(turn.user, turn.now)
        return await handler(turn, turn.user)

    return handle


def of_the_ready(handler: ForUser) -> Handler:
    """For taps: nobody else has such a button."""

    async def handle(turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return Outdated()
        return await handler(turn, turn.user)

    return handle


class Settings:
    """Handlers of the settings."""

    def __init__(self, settings: SettingsService, profile: Profile) -> None:
        self._settings = settings
        self.commands: dict[str, Handler] = {
            "settings": when_ready(profile, self.show),
            "time": when_ready(profile, self.hour_said),
            "language": when_ready(profile, self.language_said),
            "zone": when_ready(profile, self.zone_said),
            "quiet": when_ready(profile, self.quiet_said),
            "depth": when_ready(profile, self.ceiling_said),
            "ceiling": when_ready(profile, self.ceiling_said),
            "days": when_ready(profile, self.days_said),
            "name": when_ready(profile, self.name_said),
        }
        taps: dict[str, ForUser] = {
            "settings": self.show,
            "settings_done": self.close,
            "my_hour": self.hour,
            "set_hour": self.set_hour,
            "my_days": self.days,
            "toggle_day": self.toggle_day,
            "set_days": self.set_days,
            "my_clocks": self.clocks,
            "my_clock": self.clock,
            "my_places": self.place,
            "my_zone": self.set_zone,
            "my_place": self.set_place,
            "regions": self.regions,
            "region": self.region,
            "language": self.language,
            "set_language": self.set_language,
            "ceiling": self.ceiling,
            "set_ceiling": self.set_ceiling,
            "themes": self.themes,
            "toggle_theme": self.toggle_theme,
            "toggle_sensitivity": self.toggle_sensitivity,
            "quiet": self.quiet,
            "set_quiet": self.set_quiet,
            "quiet_other": self.quiet_other,
            "switch": self.switch,
            "flip": self.flip,
            "name": self.name,
            "unname": self.unname,
        }
        self.taps: dict[str, Handler] = {action: of_the_ready(handler) for action, handler in taps.items()}

    async def show(self, turn: Turn, user: User) -> Result:
        return await self._settings.show(turn.rows, user)

    async def close(self, turn: Turn, user: User) -> Result:
        return await self._settings.close(turn.rows, user)

    async def hour_said(self, turn: Turn, user: User) -> Result:
        """/time, also with the hour: a command with a value acts on it, or says that it is unclear."""
        if turn.argument:
            return await self._settings.hour_said(turn.rows, user, turn.argument, turn.now)
        return await self._settings.hour(turn.rows, user, turn.now)

    async def zone_said(self, turn: Turn, user: User) -> Result:
        if turn.argument:
            return await self._settings.place_said(turn.rows, user, turn.argument, turn.now)
        return await self._settings.clock(turn.rows, user, turn.now)

    async def quiet_said(self, turn: Turn, user: User) -> Result:
        if turn.argument:
            return await self._settings.quiet_said(turn.rows, user, turn.argument, turn.now)
        return await self._settings.quiet(turn.rows, user, turn.now)

    async def days_said(self, turn: Turn, user: User) -> Result:
        if turn.argument:
            return await self._settings.days_said(turn.rows, user, turn.argument, turn.now)
        return await self._settings.days(turn.rows, user, turn.now)

    async def name_said(self, turn: Turn, user: User) -> Result:
        if words := fold_line(turn.argument):
            return await self._settings.name_said(turn.rows, user, words, turn.now)
        return await self._settings.name(turn.rows, user, turn.now)

    async def ceiling_said(self, turn: Turn, user: User) -> Result:
        if not turn.argument:
            return await self._settings.ceiling(turn.rows, user)
        if turn.argument not in set("12345"):
            return CeilingSetting(unclear=True)
        return await self._settings.set_ceiling(turn.rows, user, int(turn.argument))

    async def language_said(self, turn: Turn, user: User) -> Result:
        if not turn.argument:
            return await self._settings.language(turn.rows, user)
        if (language := language_called(turn.argument)) is None:
            return LanguageSetting(unclear=True)
        return await self._settings.set_language(turn.rows, user, language, chosen=True)

    async def hour(self, turn: Turn, user: User) -> Result:
        return await self._settings.hour(turn.rows, user, turn.now)

    async def set_hour(self, turn: Turn, user: User) -> Result:
        return await self._settings.set_hour(turn.rows, user, read_hour(about(turn)), turn.now)

    async def days(self, turn: Turn, user: User) -> Result:
        return await self._settings.days(turn.rows, user, turn.now)

    async def toggle_day(self, turn: Turn, user: User) -> Result:
        day, on = _switched(turn)
        if on is None:
            return await self._settings.days(turn.rows, user, turn.now)
        return await self._settings.set_day(turn.rows, user, _one_of(day, range(7)), turn.now, on=on)

    async def set_days(self, turn: Turn, user: User) -> Result:
        days = frozenset(_one_of(digit, range(7)) for digit in about(turn))
        return await self._settings.set_days(turn.rows, user, days, turn.now)

    async def clocks(self, turn: Turn, user: User) -> Result:
        return await self._settings.clock(turn.rows, user, turn.now)

    async def clock(self, turn: Turn, user: User) -> Result:
        minutes = read_minutes(about(turn))
        zones = zones_with_clock(turn.now, timedelta(minutes=minutes))
        if not zones:
            return await self._settings.clock(turn.rows, user, turn.now)
        return CityWanted(tuple(zones), settings=True)

    async def place(self, turn: Turn, user: User) -> Result:
        return await self._settings.place(turn.rows, user, turn.now)

    async def set_zone(self, turn: Turn, user: User) -> Result:
        return await self._settings.set_zone(turn.rows, user, about(turn), turn.now)

    async def set_place(self, turn: Turn, user: User) -> Result:
        result = await self._settings.set_zone(turn.rows, user, about(turn), turn.now)
        return ZoneChanged(sought=True) if isinstance(result, ZoneChanged) else result

    async def regions(self, turn: Turn, user: User) -> Result:
        await self._settings.clock(turn.rows, user, turn.now)
        return RegionWanted()

    async def region(self, turn: Turn, _user: User) -> Result:
        region, _, page = about(turn).partition(".")
        if region not in set(Region) or len(page) > 2:  # noqa: PLR2004  # no list has a hundred pages
            raise NotOurs
        return RegionZones(region, _number(page))

    async def language(self, turn: Turn, user: User) -> Result:
        return await self._settings.language(turn.rows, user)

    async def set_language(self, turn: Turn, user: User) -> Result:
        wanted = about(turn)
        if wanted == "telegram":
            return await self._settings.set_language(turn.rows, user, turn.language, chosen=False)
        if wanted not in languages():
            raise NotOurs
        return await self._settings.set_language(turn.rows, user, wanted, chosen=True)

    async def ceiling(self, turn: Turn, user: User) -> Result:
        return await self._settings.ceiling(turn.rows, user)

    async def set_ceiling(self, turn: Turn, user: User) -> Result:
        return await self._settings.set_ceiling(turn.rows, user, _one_of(about(turn), range(1, 6)))

    async def themes(self, turn: Turn, user: User) -> Result:
        return await self._settings.themes(turn.rows, user)

    async def toggle_theme(self, turn: Turn, user: User) -> Result:
        theme, on = _switched(turn)
        if on is None:
            return await self._settings.themes(turn.rows, user)
        return await self._settings.set_theme(turn.rows, user, theme, on=on)

    async def toggle_sensitivity(self, turn: Turn, user: User) -> Result:
        sensitivity, on = _switched(turn)
        if on is None:
            return await self._settings.themes(turn.rows, user)
        return await self._settings.set_sensitivity(turn.rows, user, sensitivity, on=on)

    async def quiet(self, turn: Turn, user: User) -> Result:
        return await self._settings.quiet(turn.rows, user, turn.now)

    async def set_quiet(self, turn: Turn, user: User) -> Result:
        hours = about(turn)
        if hours == "none":
            return await self._settings.set_quiet(turn.rows, user, None, None, turn.now)
        start, end = read_hour(hours[:4]), read_hour(hours[4:])
        return await self._settings.set_quiet(turn.rows, user, start, end, turn.now)

    async def quiet_other(self, turn: Turn, user: User) -> Result:
        return await self._settings.quiet_wanted(turn.rows, user, turn.now)

    async def switch(self, turn: Turn, user: User) -> Result:
        return await self._settings.switch(turn.rows, user, _one_of_switches(about(turn)))

    async def flip(self, turn: Turn, user: User) -> Result:
        switch, on = _switched(turn)
        if on is None:
            return await self._settings.switch(turn.rows, user, _one_of_switches(switch))
        return await self._settings.flip(turn.rows, user, _one_of_switches(switch), on=on)

    async def name(self, turn: Turn, user: User) -> Result:
        return await self._settings.name(turn.rows, user, turn.now)

    async def unname(self, turn: Turn, user: User) -> Result:
        return await self._settings.unname(turn.rows, user, turn.now)


def about(turn: Turn) -> str:
    """What stands on the button that was tapped. Raises NotOurs."""
    if turn.tap is None:
        raise NotOurs
    return turn.tap.about


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise NotOurs
    return int(text)


def _one_of(text: str, numbers: range) -> int:
    if len(text) > 2 or (number := _number(text)) not in numbers:  # noqa: PLR2004  # digits
        raise NotOurs
    return number


def _one_of_switches(text: str) -> str:
    if text not in SWITCHES:
        raise NotOurs
    return text


def _switched(turn: Turn) -> tuple[str, bool | None]:
    """What a button switches, and to which state; None on one of before, which said only that it changes it."""
    what, _, state = about(turn).partition(".")
    if state not in {"on", "off", ""}:
        raise NotOurs
    return what, {"on": True, "off": False}.get(state)
