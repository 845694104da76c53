"""Results that are possible in every state, or when nothing else fits."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Help(Result):
    kind: ClassVar = "Help"
    paired: bool = False
    """Whether the user is in a Pair, or hasn't heard of its end. It decides which commands are shown."""


@dataclass(frozen=True, slots=True)
class Support(Result):
    kind: ClassVar = "Support"


@dataclass(frozen=True, slots=True)
class Cancelled(Result):
    kind: ClassVar = "Cancelled"
    something: bool


@dataclass(frozen=True, slots=True)
class ArgumentUnclear(Result):
    """There was text after a command that takes none; nothing was done."""

    kind: ClassVar = "ArgumentUnclear"

    command: str


@dataclass(frozen=True, slots=True)
class CommandStands(Result):
    """A command's message was edited, but the command counts as it was first sent; nothing was done."""

    kind: ClassVar = "CommandStands"

    command: str


@dataclass(frozen=True, slots=True)
class StopWanted(Result):
    """/stop was sent: asks what should stop."""

    kind: ClassVar = "StopWanted"

    paired: bool
    """As far as the user knows."""


@dataclass(frozen=True, slots=True)
class UnknownCommand(Result):
    kind: ClassVar = "UnknownCommand"


@dataclass(frozen=True, slots=True)
class Outdated(Result):
    """An old button: what it asks for is no longer possible."""

    kind: ClassVar = "Outdated"


@dataclass(frozen=True, slots=True)
class NothingHere(Result):
    """A button between two people leads to something that isn't there, or no longer is; we don't say why."""

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
