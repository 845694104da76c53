"""What works in every state, and when nothing fits."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Help(Result):
    kind: ClassVar = "Help"
    paired: bool = False
    """Whether the user is in a Pair, or hasn't heard of its end: which commands are shown."""


@dataclass(frozen=True, slots=True)
class Support(Result):
    kind: ClassVar = "Support"


@dataclass(frozen=True, slots=True)
class Privacy(Result):
    """What is stored."""

    kind: ClassVar = "Privacy"

    before_agreeing: bool = False
    """Looked up from the greeting, in whose place it is shown."""

    @property
    def from_rows(self) -> bool:
        return not self.before_agreeing


@dataclass(frozen=True, slots=True)
class Cancelled(Result):
    kind: ClassVar = "Cancelled"
    something: bool


@dataclass(frozen=True, slots=True)
class ArgumentUnclear(Result):
    """Something stands behind a command that works by itself; nothing was done."""

    kind: ClassVar = "ArgumentUnclear"

    command: str


@dataclass(frozen=True, slots=True)
class CommandStands(Result):
    """The message of a command was edited that counts as it was sent; nothing was done."""

    kind: ClassVar = "CommandStands"

    command: str


@dataclass(frozen=True, slots=True)
class StopWanted(Result):
    """/stop: what of it shall stop."""

    kind: ClassVar = "StopWanted"

    paired: bool
    """As far as the user knows."""


@dataclass(frozen=True, slots=True)
class UnknownCommand(Result):
    kind: ClassVar = "UnknownCommand"


@dataclass(frozen=True, slots=True)
class Outdated(Result):
    """A button of another time: it asks for nothing that can be done now."""

    kind: ClassVar = "Outdated"


@dataclass(frozen=True, slots=True)
class NothingHere(Result):
    """What a button between two people was about is not there, or not any more; why, is not said."""

    kind: ClassVar = "NothingHere"


@dataclass(frozen=True, slots=True)
class Silence(Result):
    """There is nothing to say."""

    kind: ClassVar = "Silence"


@dataclass(frozen=True, slots=True)
class Sorry(Result):
    """Something went wrong on our side."""

    kind: ClassVar = "Sorry"

    incident: str
