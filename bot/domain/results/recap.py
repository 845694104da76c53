"""Results about the recap. None of them contains a word, or how many there are."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class RecapShown(Result):
    """The last eight weeks, as a picture."""

    kind: ClassVar = "RecapShown"
    by_itself: bool = False
    """Whether it is the weekly one rather than asked for; then its words are hidden until tapped."""
    first: bool = False
    """Whether it is the first weekly one, which says that more will come."""


@dataclass(frozen=True, slots=True)
class RecapStopped(Result):
    """No weekly recap comes any more."""

    kind: ClassVar = "RecapStopped"
