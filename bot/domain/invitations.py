"""The Invite in what people type: its link or its code, however it was copied, pasted, read out or mistyped."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import unquote

from bot.domain.pairing import SYMBOLS, is_code
from bot.domain.typed import visible

_DASH: Final = r"[-\u2010-\u2015\u2212]"
_GAPS: Final = re.compile(rf"(?:\s|{_DASH})+")
_ALIKE: Final = str.maketrans("OIL", "011")
_LINK: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_PASTED: Final = re.compile(
    r"(?:(?<![\w.])(?:https?://)?(?:www\.)?(?:(?:t|telegram)\.(?:me|dog)/\w+|\w+\.t\.me)/?\?|tg:(?://)?resolve/?\?)"
    r"(?:[^\s?#&]+&)*start=([A-Za-z0-9_-]+)",
    re.ASCII | re.IGNORECASE,
)
_AROUND: Final = " .,;:!?=\"'()[]<>«»“”„‘’‚"
"""What a code or link may stand in when it is copied out of a sentence."""
_ALPHANUMERIC: Final = "[0-9A-Za-z]"
_BLOCK: Final = re.compile(
    rf"(?<!{_ALPHANUMERIC})(?<!{_DASH})"
    rf"(?:({_ALPHANUMERIC}{{3,5}}) ?{_DASH} ?({_ALPHANUMERIC}{{3,5}})|([0-9A-Z]{{4}}) ([0-9A-Z]{{4}})"
    rf"|({_ALPHANUMERIC}{{7,9}}))"
    rf"(?!{_ALPHANUMERIC}|{_DASH})",
    re.ASCII,
)
_HALVES: Final = re.compile(rf"({_ALPHANUMERIC}{{3,5}}) ({_ALPHANUMERIC}{{3,5}})", re.ASCII)
_WORDS_AROUND: Final = 4
"""With more words around it, what looks like a code is part of a sentence that is about something else."""


class Secret(NamedTuple):
    """What opens an Invite: its link's secret, or its code."""

    link: str = ""
    code: str = ""

    @property
    def text(self) -> str:
        return self.link or self.code


def read_code(text: str) -> str | None:
    """The code that was typed. Case, dashes and spaces don't matter, nor O for 0, I and L for 1. None if it is none."""
    code = _GAPS.sub("", visible(text).strip(_AROUND))
    if len(code) != SYMBOLS or not code.isascii():
        return None
    code = code.upper().translate(_ALIKE)
    return code if is_code(code) else None


def read_link(payload: str) -> str | None:
    """The secret that a link carries, or None if it is no link of an Invite."""
    return payload if _LINK.fullmatch(payload) else None


def find_link(text: str) -> str | None:
    """What the one link of an Invite in a text of any length carries; None where there is none, or more than one.

    It may lead nowhere: also a link that was cut short is no diary line.
    """
    said = visible(text)
    found = {match[1] for match in _PASTED.finditer(said)} or {match[1] for match in _PASTED.finditer(unquote(said))}
    return found.pop() if len(found) == 1 else None


def read_secret(text: str) -> Secret | None:
    """The one secret in what follows /join or /start: a link, its payload, or a code. None if there is none."""
    said = visible(text).strip(_AROUND)
    if payload := find_link(said) or read_link(said):
        return Secret(link=payload)
    if code := read_code(said):
        return Secret(code=code)
    coded = [block for block in _blocks(said) if block.looks_coded]
    codes = {code for block in coded or _blocks(said) if (code := read_code(block.text))}
    return Secret(code=codes.pop()) if len(codes) == 1 else None


def read_typed(text: str) -> Secret | None:
    """The secret in a text that wasn't said to hold one: a link, or a code, by itself or with few words around it."""
    said = visible(text).strip(_AROUND)
    if payload := find_link(said) or (read_link(said) if _is_mixed(said) else None):
        return Secret(link=payload)
    alone = not re.search(r"\s", said) or _HALVES.fullmatch(said) or _BLOCK.fullmatch(said)
    code = read_code(said) if alone else None
    if code is None and (block := _only_coded(said)):
        code = read_code(block.text)
    return Secret(code=code) if code else None


def looks_like_code(text: str) -> bool:
    """Whether a text is hardly meant as anything but a code: with few words around it, also one that is mistyped."""
    said = visible(text).strip(_AROUND)
    if halves := _HALVES.fullmatch(said):
        return _Block(halves[1], halves[2]).looks_coded
    return _only_coded(said) is not None


class _Block(NamedTuple):
    """Seven to nine letters and digits, in one piece or two."""

    first: str
    second: str = ""
    dashed: bool = False

    @property
    def text(self) -> str:
        return self.first + self.second

    @property
    def looks_coded(self) -> bool:
        """Whether it has what a code has and a word, a year or "iphone15" doesn't."""
        if abs(len(self.text) - SYMBOLS) > 1 or self.text.isdecimal():
            return False
        if self.text.isalpha():
            letters = self.text.upper()
            return (len(letters) == SYMBOLS and self.text.isupper() and is_code(letters)) or not set("AEIOUY") & set(
                letters
            )
        if self.second and (self.dashed or self.text.isupper()) and (_changes(self.first) or _changes(self.second)):
            return True
        changes = _changes(self.text)
        is_plain = self.text != self.text.upper() or (bool(self.second) and not self.dashed)
        return changes > 1 or not is_plain


def _changes(text: str) -> int:
    """How often letters and digits take turns."""
    return sum(one.isdecimal() != other.isdecimal() for one, other in pairwise(text))


def _blocks(said: str) -> Iterator[_Block]:
    for match in _BLOCK.finditer(said):
        if match[5]:
            yield _Block(match[5])
        elif match[3]:
            yield _Block(match[3], match[4])
        else:
            yield _Block(match[1], match[2], dashed=True)


def _only_coded(said: str) -> _Block | None:
    """The one code-like block, unless it stands within a longer sentence."""
    coded = [block for block in _blocks(said) if block.looks_coded]
    if len({block.text for block in coded}) != 1:
        return None
    around = [word for word in re.split(r"\s+", _BLOCK.sub(" ", said)) if any(map(str.isalnum, word))]
    return coded[0] if len(around) <= _WORDS_AROUND else None


def _is_mixed(said: str) -> bool:
    """Whether a single word has small and capital letters and digits, as hardly any but a link's payload has."""
    return any(map(str.isdecimal, said)) and any(map(str.isupper, said)) and any(map(str.islower, said))
