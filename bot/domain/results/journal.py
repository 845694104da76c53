"""Results about the Journal. Its words, questions and Filter are read when it is shown."""

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
    """The newest Line on this page, if newer ones are on the page before."""
    older: int | None = None
    """The oldest Line on this page, if older ones are on the next page."""
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
    """One Line, what its user can do with it, and what they know about its sharing."""

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
    """The Reflection that can still be looked up: it belongs to the Pair that is current as far as its user knows."""


@dataclass(frozen=True, slots=True)
class JournalFilters(Result):
    """What the journal can be limited by."""

    kind: ClassVar = "JournalFilters"

    year_ago: bool = False
    """Whether there is a Line of today's date a year ago."""
    limited: bool = False


@dataclass(frozen=True, slots=True)
class JournalWords(Result):
    """The words added to Lines, to choose from. We read them outside the turn, since that opens all Lines."""

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
    """A Filter was chosen. We look for matching Lines outside the turn, and show them as a JournalPage."""

    kind: ClassVar = "JournalSought"

    filter_id: int
