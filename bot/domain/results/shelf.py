"""Results about the words added to Lines. None of them contains a word or its id, since both are private."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class ShelfShown(Result):
    """The first words, those nearest to the Line first."""

    kind: ClassVar = "ShelfShown"
    line_id: int


@dataclass(frozen=True, slots=True)
class BoardShown(Result):
    """The words of one board. Only the tapped button says which one."""

    kind: ClassVar = "BoardShown"
    line_id: int


@dataclass(frozen=True, slots=True)
class OwnWordWanted(Result):
    """No word fits: the user can type their own."""

    kind: ClassVar = "OwnWordWanted"
    line_id: int
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class ShelfFull(Result):
    """The Line has as many words as it can have."""

    kind: ClassVar = "ShelfFull"
    line_id: int


@dataclass(frozen=True, slots=True)
class WordsShown(Result):
    """The user's words of the last eight weeks."""

    kind: ClassVar = "WordsShown"
