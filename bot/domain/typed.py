"""What people type: what of it can be seen and compared, and a line. Hours and days are read in `hours` and `days`."""

import unicodedata
from typing import Final

from bot.domain.characters import beginning

_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u20e3\u2800\ufe0e\ufe0f")
"""What shows nothing, besides marks of format; and the frame of a keycap."""
_SYMBOLS: Final = frozenset({"So", "Sk", "Co", "Cn"})  # emoji among them


def visible(text: str) -> str:
    """What can be seen of a text, in compatible characters: without marks of direction, joiners, and doubled spaces."""
    composed = unicodedata.normalize("NFKC", text)
    kept = (each for each in composed if each not in _UNSEEN and unicodedata.category(each) not in {"Cf", "Cs"})
    return " ".join("".join(kept).split())


def plain(text: str) -> str:
    """What counts of a short text where it is compared with words: casefolded, its digits 0-9, without symbols.

    Brackets go wherever they are; marks of punctuation only from the ends.
    """
    kept = (" " if _is_symbol(character) else character for character in visible(text))
    digits = (str(unicodedata.decimal(character, character)) for character in kept)
    return " ".join("".join(digits).casefold().split()).strip(" ,;:!?…\"'")


def _is_symbol(character: str) -> bool:
    return character in "()[]" or unicodedata.category(character) in _SYMBOLS


# --- a line ----------------------------------------------------------------------------------------------------------

LINE_LIMIT: Final = 300
"""Code points of a folded line, counted as Telegram counts."""

_INVISIBLE: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that show nothing


def fold_line(text: str) -> str:
    """Return what was typed as one line, its words as they were.

    Each run of line breaks, of any kind, becomes one space, as does a tab; the ends are trimmed; control characters
    and halves of surrogate pairs (which no UTF-8 can hold) are dropped. Joiners, variation selectors and marks of
    direction stay, and nothing is normalized. Text with nothing visible in it becomes "".
    """
    parts = (part.replace("\t", " ").strip() for part in text.splitlines())
    line = " ".join(part for part in parts if part)
    line = "".join(character for character in line if unicodedata.category(character) not in {"Cc", "Cs"}).strip()
    return line if any(_shows(character) for character in line) else ""


def _shows(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZM" and character not in _INVISIBLE


def first_300(text: str) -> str:
    """Return the longest beginning of a folded line within LINE_LIMIT that breaks no character as people see it.

    Emoji sequences, flags, letters with their marks and Hangul syllables stay whole (a subset of Unicode's Annex 29,
    which the standard library doesn't have). Only a single "character" longer than the limit is cut inside.
    """
    return beginning(text, LINE_LIMIT)
