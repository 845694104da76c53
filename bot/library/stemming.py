"""Stemming of words, with PyStemmer."""

from collections.abc import Callable
from typing import Final

_ALGORITHMS: Final = {
    "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip
"""The stemmers of PyStemmer, by language. In other languages we compare whole words."""


def stemming(language: str) -> Callable[[str], str]:
    """Return a function that stems a lowercase word. It caches nothing, so no word stays in memory."""
    import Stemmer

    algorithm = _ALGORITHMS.get(language)
    if algorithm is None:
        return lambda word: word
    stem: Callable[[str], str] = Stemmer.Stemmer(algorithm, maxCacheSize=0).stemWord
    return stem
