"""Results about the journal. Its words, its questions and what it is limited to are read when it is shown."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class JournalPage(Result):
    """A page of the user's Lines, newest first."""

    kind: ClassVar = "JournalPage"

    lines: tuple[tuple[int, date], ...] = ()
    newer: int | None = None
    """Lines that were kept after this one are on the page before."""
    older: int | None = None
    """Lines that were kept before this one are on the next page."""
    limited: bool = False
    """Whether a filter is set."""
    changed: bool = False
    """Whether one of the Lines was changed just now."""
    shared: bool = False
    """Whether the changed Line is shared."""
    deleted: bool = False
    """Whether one of the Lines was deleted just now, for good."""
    gone: bool = False
    """Whether the Line that was to be opened isn't there any more."""


@dataclass(frozen=True, slots=True)
class JournalLine(Result):
    """One Line, with what can be done with it, and what its user knows of its sharing."""

    kind: ClassVar = "JournalLine"

    line_id: int
    day: date
    revision: int = 0
    may_share: bool = False
    reflections: tuple[tuple[int, datetime], ...] = ()
    """What was shared of it, each with the time it was set for."""
    answered: tuple[int, ...] = ()
    """Those of them that its user was shown a Response to."""
    looked_up: int | None = None
    """The one of them that can still be looked up: it belongs to what looks like the present Pair."""


@dataclass(frozen=True, slots=True)
class JournalFilters(Result):
    """What the journal can be limited by."""

    kind: ClassVar = "JournalFilters"

    year_ago: bool = False
    """Whether there is a Line of today's date a year ago."""
    limited: bool = False


@dataclass(frozen=True, slots=True)
class JournalWords(Result):
    """The words that were put to Lines, to choose from. They are read apart from the turn: all Lines are opened."""

    kind: ClassVar = "JournalWords"

    start: int = 0
    """How many of the words come before these."""


@dataclass(frozen=True, slots=True)
class JournalThemes(Result):
    """The themes of which there are Lines, to choose from."""

    kind: ClassVar = "JournalThemes"


@dataclass(frozen=True, slots=True)
class JournalSearchWanted(Result):
    """Asks what to search for."""

    kind: ClassVar = "JournalSearchWanted"


@dataclass(frozen=True, slots=True)
class JournalSought(Result):
    """A filter was chosen. What matches it is found apart from the turn, and shown as a JournalPage."""

    kind: ClassVar = "JournalSought"

    filter_id: int
