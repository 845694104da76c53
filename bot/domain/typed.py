"""Clean up typed text, to compare it or to keep it as a line. `hours` and `days` read hours and days."""

import unicodedata
from typing import Final

from bot.domain.characters import beginning

_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u20e3\u2800\ufe0e\ufe0f")
"""Invisible characters other than format characters, and the frame of a keycap."""
_SYMBOLS: Final = frozenset({"So", "Sk", "Co", "Cn"})  # emoji among them


def visible(text: str) -> str:
    """Return the visible part of a text, NFKC-normalized, without direction marks, joiners and repeated spaces."""
    if text.isascii():  # a fast path: every text comes through here, and most are ASCII
        return " ".join(text.split())
    composed = unicodedata.normalize("NFKC", text)
    kept = (each for each in composed if each not in _UNSEEN and unicodedata.category(each) not in {"Cf", "Cs"})
    return " ".join("".join(kept).split())


def plain(text: str) -> str:
    """Return a short text in the form that we compare with words: casefolded, with digits 0-9, without symbols.

    Brackets are removed everywhere, punctuation marks only at the ends.
    """
    kept = (" " if _is_symbol(character) else character for character in visible(text))
    digits = (str(unicodedata.decimal(character, character)) for character in kept)
    return " ".join("".join(digits).casefold().split()).strip(" ,;:!?…\"'")


def _is_symbol(character: str) -> bool:
    return character in "()[]" or unicodedata.category(character) in _SYMBOLS


# --- a line ----------------------------------------------------------------------------------------------------------

LINE_LIMIT: Final = 300
"""Code points of a folded line, counted as Telegram counts."""

_INVISIBLE: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # invisible letters and symbols


def fold_line(text: str) -> str:
    """Return a typed text as one line, with its words unchanged.

    Each run of line breaks, of any kind, becomes one space, as does a tab; the ends are trimmed; control characters
    and halves of surrogate pairs (which UTF-8 can't encode) are dropped. Joiners, variation selectors and direction
    marks stay, and nothing is normalized. A text with nothing visible in it becomes "".
    """
    parts = (part.replace("\t", " ").strip() for part in text.splitlines())
    line = " ".join(part for part in parts if part)
    if not (line.isascii() and line.isprintable()):
        line = "".join(character for character in line if unicodedata.category(character) not in {"Cc", "Cs"}).strip()
    return line if any(_shows(character) for character in line) else ""


def _shows(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZM" and character not in _INVISIBLE


def first_300(text: str) -> str:
    """Return the longest beginning of a folded line within LINE_LIMIT that doesn't cut a visible character in two.

    Emoji sequences, flags, letters with their marks and Hangul syllables stay whole (a subset of Unicode's Annex 29,
    which the standard library doesn't have). Only a single "character" that is longer than the limit is cut.
    """
    return beginning(text, LINE_LIMIT)
