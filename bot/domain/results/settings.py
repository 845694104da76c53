"""The settings: one message, edited in place, from which each value can be changed."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class SettingsShown(Result):
    """All values in words."""

    kind: ClassVar = "SettingsShown"

    keyboard: bool = False
    """A keyboard for the location is on the screen, which is needed no more; so for all of them."""


@dataclass(frozen=True, slots=True)
class SettingsClosed(Result):
    kind: ClassVar = "SettingsClosed"
    keyboard: bool = False


@dataclass(frozen=True, slots=True)
class HourSetting(Result):
    kind: ClassVar = "HourSetting"
    unclear: bool = False
    moved: bool = False
    """Another hour was set just now."""


@dataclass(frozen=True, slots=True)
class DaysSetting(Result):
    kind: ClassVar = "DaysSetting"
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class LastDay(Result):
    """The last weekday can't be taken out."""

    kind: ClassVar = "LastDay"


@dataclass(frozen=True, slots=True)
class ZoneChanged(Result):
    """The zone was chosen: what time it is there now, and when the next question comes."""

    kind: ClassVar = "ZoneChanged"

    sought: bool = False
    """By a place that was typed or shared, or after one was asked for: a keyboard for the location may be there."""


@dataclass(frozen=True, slots=True)
class RegionWanted(Result):
    """Which part of the world."""

    kind: ClassVar = "RegionWanted"


@dataclass(frozen=True, slots=True)
class RegionZones(Result):
    """The places of a region, a page of them."""

    kind: ClassVar = "RegionZones"

    region: str
    page: int


@dataclass(frozen=True, slots=True)
class LanguageSetting(Result):
    kind: ClassVar = "LanguageSetting"
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class CeilingSetting(Result):
    kind: ClassVar = "CeilingSetting"
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class ThemesSetting(Result):
    kind: ClassVar = "ThemesSetting"


@dataclass(frozen=True, slots=True)
class LastTheme(Result):
    """Without this one nothing would be left to ask."""

    kind: ClassVar = "LastTheme"


@dataclass(frozen=True, slots=True)
class QuietSetting(Result):
    kind: ClassVar = "QuietSetting"
    typed: bool = False
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class SwitchSetting(Result):
    """One of the things that are on or off."""

    kind: ClassVar = "SwitchSetting"

    switch: str


@dataclass(frozen=True, slots=True)
class NameSetting(Result):
    kind: ClassVar = "NameSetting"
    unclear: bool = False
    paired: bool = False
    """Then it can be changed, but not removed: a partner sees some name."""
