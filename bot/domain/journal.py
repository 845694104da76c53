"""The journal: pages of a user's own Lines, newest first, all of them or those that match a filter."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from bot.domain.feelings import Feeling
from bot.domain.typed import visible

ON_A_PAGE: Final = 5
"""How many Lines a page shows."""
LONGEST_SEARCH: Final = 40
"""In characters. A longer text is more likely meant as a Line than as a search."""
SEARCH_AWAITED: Final = timedelta(minutes=10)
"""For how long we take the next text as the search."""
_APOSTROPHES: Final = str.maketrans("’ʼ", "''")


class By(StrEnum):
    """What the journal can be limited by."""

    WORD = "word"  # a word that was added to the Lines
    THEME = "theme"
    SEARCH = "search"  # words of the Lines themselves
    YEAR_AGO = "year_ago"


@dataclass(frozen=True, slots=True)
class Filter:
    """What the journal is limited to. The text of a search isn't part of it: we forget it once the search is done."""

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
    """The page of the journal that a user saw last."""

    after_id: int | None = None
    """The Line above the page; None on the first page."""
    line_id: int | None = None
    """The Line that is open."""
    filter_id: int | None = None
    """The id of the user's choice of a filter; None if all Lines are shown."""


def searching(sought: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text contains every sought word, also as a part of a longer word."""
    words = folded(sought).split()

    def matches(text: str) -> bool:
        found = folded(text)
        return bool(words) and all(word in found for word in words)

    return matches


def folded(text: str) -> str:
    """Return a text without case and accents, so that a search finds it however it is spelt."""
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", visible(text).casefold().translate(_APOSTROPHES))
    return "".join(character for character in apart if unicodedata.category(character) != "Mn")
