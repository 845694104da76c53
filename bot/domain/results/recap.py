"""Results about the recap. None of them contains a word or how many there are."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class RecapShown(Result):
    """The last eight weeks, as a picture."""

    kind: ClassVar = "RecapShown"
    by_itself: bool = False
    """Whether it comes by itself: then its words are hidden until they are tapped."""
    first: bool = False
    """Whether it is the first one that comes by itself, and says so."""


@dataclass(frozen=True, slots=True)
class RecapStopped(Result):
    """No recap comes by itself any more."""

    kind: ClassVar = "RecapStopped"
