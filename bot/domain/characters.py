"""Where one character, as people see it, ends and the next begins: a subset of Unicode's Annex 29.

The standard library has no such function. We leave out rules that make no difference when a line is cut, such as the
finer classes of Indic conjuncts: in doubt two code points stay together.
"""

import unicodedata
from typing import Final

_JOINER: Final = "\u200d"
_VIRAMA: Final = 9  # the combining class of the signs that join consonants in Indic scripts
_PREPENDED: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_REGIONAL: Final = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two of these letters make a flag
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_TAGS: Final = range(0xE0020, 0xE0080)  # the letters within Scotland's flag
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_JAMO: Final = (
    ("L", range(0x1100, 0x1160)),
    ("L", range(0xA960, 0xA97D)),
    ("V", range(0x1160, 0x11A8)),
    ("V", range(0xD7B0, 0xD7C7)),
    ("T", range(0x11A8, 0x1200)),
    ("T", range(0xD7CB, 0xD7FC)),
)
_ONE_SYLLABLE: Final = frozenset(
    {
        *(("L", "L"), ("L", "V"), ("L", "LV"), ("L", "LVT"), ("LV", "V")),
        *(("LV", "T"), ("V", "V"), ("V", "T"), ("LVT", "T"), ("T", "T")),
    }
)


def is_boundary(text: str, index: int) -> bool:
    """Return whether people see text[index - 1] and text[index] as two separate characters."""
    before, after = text[index - 1], text[index]
    if _extends(after) or before in _PREPENDED:
        return False
    if before == _JOINER or (unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo"):
        return False
    if _is_regional(before) and _is_regional(after):
        flags = len(text[:index]) - len(text[:index].rstrip(_REGIONAL))
        return flags % 2 == 0
    return (_hangul(before), _hangul(after)) not in _ONE_SYLLABLE


def beginning(text: str, limit: int) -> str:
    """Return the longest beginning within `limit` code points that doesn't cut a visible character in two.

    Only a single "character" that is longer than the limit is cut.
    """
    if len(text) <= limit:
        return text
    cut = limit
    while cut and not is_boundary(text, cut):
        cut -= 1
    return text[: cut or limit].rstrip()


def _extends(character: str) -> bool:
    """Return whether it attaches to the character before: mark, joiner, skin tone, tag, Thai or Lao am, sound mark."""
    if unicodedata.category(character) in {"Mn", "Me", "Mc"}:
        return True
    code = ord(character)
    return character in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f" or code in _SKIN_TONES or code in _TAGS


def _is_regional(character: str) -> bool:
    return character in _REGIONAL


def _hangul(character: str) -> str:
    """Return the kind of Hangul letter or syllable ("L", "V", "T", "LV", "LVT"), or "" for anything else."""
    code = ord(character)
    if code in _SYLLABLES:
        return "LV" if (code - _SYLLABLES.start) % 28 == 0 else "LVT"
    return next((kind for kind, codes in _JAMO if code in codes), "")
