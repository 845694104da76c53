"""Results about the settings: one message, edited in place, from which each value can be changed."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class SettingsShown(Result):
    """All settings in words."""

    kind: ClassVar = "SettingsShown"


@dataclass(frozen=True, slots=True)
class SettingsClosed(Result):
    kind: ClassVar = "SettingsClosed"


@dataclass(frozen=True, slots=True)
class HourSetting(Result):
    kind: ClassVar = "HourSetting"
    unclear: bool = False
    moved: bool = False
    """Whether another hour was set just now."""


@dataclass(frozen=True, slots=True)
class DaysSetting(Result):
    kind: ClassVar = "DaysSetting"
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class LastDay(Result):
    """The last weekday can't be taken out."""

    kind: ClassVar = "LastDay"


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
    """The last theme can't be muted: nothing would be left to ask."""

    kind: ClassVar = "LastTheme"


@dataclass(frozen=True, slots=True)
class QuietSetting(Result):
    kind: ClassVar = "QuietSetting"
    typed: bool = False
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class SwitchSetting(Result):
    """A setting with a few positions, mostly on and off."""

    kind: ClassVar = "SwitchSetting"

    switch: str


@dataclass(frozen=True, slots=True)
class NameSetting(Result):
    kind: ClassVar = "NameSetting"
    unclear: bool = False
    paired: bool = False
    """Whether the name can be changed but not removed, since a partner has to see some name."""
