"""Stemming of words, with PyStemmer."""

from collections.abc import Callable
from typing import Any, Final

_ALGORITHMS: Final = {
    "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip
"""The stemmers of PyStemmer, by language. In other languages we compare whole words."""


def stemming(language: str) -> Callable[[str], str]:
    """Return a function that stems a lowercase word. It caches nothing, so no word stays in memory."""
    stemmer = _stemmer(language)
    return stemmer.stemWord if stemmer else lambda word: word


def stemming_all(language: str) -> Callable[[list[str]], list[str]]:
    """Like `stemming`, for many words in one call."""
    stemmer = _stemmer(language)
    return stemmer.stemWords if stemmer else lambda words: words


def _stemmer(language: str) -> Any:
    import Stemmer

    algorithm = _ALGORITHMS.get(language)
    return Stemmer.Stemmer(algorithm, maxCacheSize=0) if algorithm else None
