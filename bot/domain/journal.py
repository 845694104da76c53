"""The journal: pages of a user's own Lines, newest first, all of them or those that match a filter."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.feelings import Feeling
from bot.domain.typed import visible

ON_A_PAGE: Final = 5
"""How many Lines a page shows."""
LONGEST_SEARCH: Final = 40
"""Characters of what is searched for. A longer text is rather meant as a Line."""
SEARCH_AWAITED: Final = timedelta(minutes=10)
"""How long the next text is taken as what is searched for."""
_APOSTROPHES: Final = str.maketrans("’ʼ", "''")


class By(StrEnum):
    """What the journal can be limited by."""

    WORD = "word"  # a word that was put to the Lines
    THEME = "theme"
    SEARCH = "search"  # words of the Lines themselves
    YEAR_AGO = "year_ago"


@dataclass(frozen=True, slots=True)
class Filter:
    """What the journal is limited to. What was typed for a search isn't part of it: it is forgotten once it is done."""

    by: By
    feeling: Feeling | None = None
    theme: str = ""

    def pack(self) -> str:
        """Return the filter as one text, for `unpack`."""
        feeling = [self.feeling.shelf, self.feeling.own] if self.feeling else None
        return json.dumps([self.by, feeling, self.theme], ensure_ascii=False)

    @staticmethod
    def unpack(packed: str) -> "Filter":
        """Return the filter that `pack` wrote."""
        by, feeling, theme = json.loads(packed)
        return Filter(By(by), Feeling(*feeling) if feeling else None, theme)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of the journal that a user was shown last."""

    after_id: int | None = None
    """The Line above the page; None on the first page."""
    line_id: int | None = None
    """The Line that is open."""
    filter_id: int | None = None
    """Which choice of a filter it is; None if all Lines are shown."""


def searching(sought: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text contains each word of what is sought, or the beginning of one."""
    words = folded(sought).split()

    def matches(text: str) -> bool:
        found = folded(text)
        return bool(words) and all(word in found for word in words)

    return matches


def folded(text: str) -> str:
    """Return a text without differences of case and accent, for a search."""
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", visible(text).casefold().translate(_APOSTROPHES))
    return "".join(character for character in apart if unicodedata.category(character) != "Mn")


def year_before(day: date) -> date:
    """Return the same date a year earlier; the 28th for 29 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
