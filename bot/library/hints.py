"""Finds the boards of the Shelf that are nearest to a Line: those with the most Hints in it.

Words are compared by their stems, in this process, and nothing of the comparison is kept.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bot.library import Library
from bot.library.stemming import stemming

_WORD: Final = re.compile(r"\w+")


class Hints:
    """The Hints of the library. A language's stems are made when somebody first needs them."""

    def __init__(self, library: Library) -> None:
        self._words = library.hints
        self._boards = tuple(word.id for word in library.shelf.values() if word.is_first)
        self._stems: dict[str, Mapping[str, frozenset[str]]] = {}

    def nearest(self, language: str, line: str) -> tuple[str, ...]:
        """Return the boards, those with the most Hints in this Line first, the others in their own order."""
        hints = self._of(language)
        found = _stems(language, _WORD.findall(line.lower()))
        return tuple(sorted(self._boards, key=lambda board: -len(found & hints.get(board, frozenset()))))

    def _of(self, language: str) -> Mapping[str, frozenset[str]]:
        if language not in self._stems:
            words = self._words.get(language, {})
            self._stems[language] = {board: _stems(language, of_board) for board, of_board in words.items()}
        return self._stems[language]


def _stems(language: str, words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(stemming(language), words))
