"""Weighs whether a text sounds more like a crisis than like an ordinary line, by the weights in content/safety/.

The phrases of `bot.library.phrases` find what is said outright. What is only hinted at can be said in too many ways to
list, so here every word, every pair of words near each other, and every pair of kinds of words (something owned,
something given away) has a weight, learned from the sentences in content/safety/sentences/ by `bot.library.training`. A
text counts if the sum of its weights is above zero. `ajar content why` shows which weights decided.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import sqrt
from typing import Final, NamedTuple

from bot.domain.content import SafetyWeights
from bot.library.stemming import stemming_all

BIAS: Final = "bias"
"""The name of the weight that every text has: it makes zero the border."""
_PER_UNIT: Final = 100
"""Weights are stored as whole hundredths."""
_WORDS_APART: Final = 3
"""The largest distance of two words that count as a pair."""
_KINDS_APART: Final = 6
_KNOWN: Final = 0.5
"""A text with a smaller share of known words counts as being in another language."""
_LONGEST: Final = 40
"""A text of more words is weighed in pieces: one sentence weighs little among twenty others."""
_PIECE: Final = 12
"""The fewest words of such a piece, which ends with a sentence."""
_TOKEN: Final = re.compile(r"([^\W\d_]+)|(\d+|[.!?;\n…]+|[,:])")
"""A word, or something else that counts. What looks like a word can be a number like ② or ½."""
_APOSTROPHE: Final = re.compile("['’`´]")
_REPEATED: Final = re.compile(r"(.)(?=\1)")
_BETWEEN: Final = "\n"
_START, _END, _STOP, _PAUSE, _NUMBER = "^", "$", ".", ",", "#"
_MARKS: Final = frozenset({_START, _END, _STOP, _PAUSE})


class Reason(NamedTuple):
    """A feature of a text, and how much it added."""

    feature: str
    weight: float


class Features:
    """Extracts from a text in one language everything that can have a weight."""

    def __init__(self, language: str, kinds: Mapping[str, Collection[str]]) -> None:
        self._language = language
        self._kinds = kinds

    @cached_property
    def _stems(self) -> Callable[[list[str]], list[str]]:
        return stemming_all(self._language)

    @cached_property
    def _kinds_of(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, set[str]] = {}
        for kind, words in self._kinds.items():
            for key in self._keys(list(words)):
                found.setdefault(key, set()).add(f"<{kind}>")
        return {key: tuple(sorted(kinds)) for key, kinds in found.items()}

    def _keys(self, words: Sequence[str]) -> list[str]:
        """Return what to look words up by. All at once, which takes a fraction of one after the other."""
        plain = _BETWEEN.join(self._stems(_BETWEEN.join(words).lower().replace("ß", "ss").split(_BETWEEN)))
        if not plain.isascii():
            apart = unicodedata.normalize("NFKD", plain)
            plain = "".join([each for each in apart if each.isalpha() or each == _BETWEEN])
        return _REPEATED.sub("", plain).split(_BETWEEN)

    def pieces(self, text: str) -> Iterator[list[str]]:
        """Yield the stems and marks of a text, or of its pieces if it is long."""
        whole = self.tokens(text)
        if len(whole) <= _LONGEST:
            yield whole
            return
        piece: list[str] = []
        for token in whole:
            piece.append(token)
            if len(piece) >= _LONGEST or (len(piece) >= _PIECE and token == _STOP):
                yield piece
                piece = []
        yield piece

    def tokens(self, text: str) -> list[str]:
        """Return the stems and marks of a text in their order."""
        parts = _TOKEN.findall(_APOSTROPHE.sub("", text))
        keys = iter(self._keys([word for word, _ in parts if word[:1].isalpha()]))
        return [next(keys) if word[:1].isalpha() else _mark(other or word) for word, other in parts]

    def of(self, piece: Sequence[str]) -> set[str]:
        """Return the features: words, neighbours, words near each other, kinds of words and pairs of these.

        All of them are ASCII, as a feature with any other character would take twice the memory.
        """
        marked = [_START, *piece, _END]
        found = {f"{first} {second}" for first, second in pairwise(marked)}
        words = [each for each in piece if each not in _MARKS]
        found.update(words)
        near = [_START, *words, _END]
        for apart in range(2, _WORDS_APART + 1):
            found.update(f"{first} .. {second}" for first, second in zip(near, near[apart:], strict=False))
        kinds = [self._kinds_of.get(word, ()) for word in words]
        for at, here in enumerate(kinds):
            found.update(here)
            for there in filter(None, kinds[at + 1 : at + 1 + _KINDS_APART] if here else ()):
                found.update([f"{one} {other}" if one < other else f"{other} {one}" for one in here for other in there])
        return found


def _mark(part: str) -> str:
    if part in ",:":
        return _PAUSE
    return _NUMBER if part[0].isdigit() else _STOP


class Weighing:
    """The weights of one language."""

    def __init__(self, language: str, weights: SafetyWeights) -> None:
        self.features: Final = Features(language, weights.kinds)
        self._weights = weights.weights

    def prepare(self) -> None:
        """Make the kinds of words ready, so that nobody waits for it later."""
        self.weight("prepared")

    def found_in(self, text: str) -> bool:
        """Return whether a text, or a piece of a long one, weighs more like a crisis."""
        return self.weight(text) > 0

    def weight(self, text: str) -> float:
        """Return the weight of the heaviest piece; above zero it counts."""
        return max(map(self._of_piece, self.features.pieces(text)), default=-1.0)

    def _of_piece(self, piece: Sequence[str]) -> float:
        words = [each for each in piece if each not in _MARKS]
        if not words or sum(map(self._weights.__contains__, words)) < _KNOWN * len(words):
            return -1.0
        found = self.features.of(piece)
        total = sum(filter(None, map(self._weights.get, found)))
        return (total / sqrt(len(found)) + self._weights.get(BIAS, 0)) / _PER_UNIT

    def reasons(self, text: str) -> list[Reason]:
        """Return what added to the weight of a text, the heaviest first."""
        found = [self.features.of(piece) for piece in self.features.pieces(text)]
        parts = [
            Reason(feature, self._weights[feature] / sqrt(len(each)) / _PER_UNIT)
            for each in found
            for feature in each
            if feature in self._weights
        ]
        return sorted(parts, key=lambda part: (-abs(part.weight), part.feature))
