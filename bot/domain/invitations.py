"""Find an Invite in what people type: its link or code, however it was copied, pasted, read out or mistyped."""

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
"""What can surround a code or link that was copied out of a sentence."""
_ALPHANUMERIC: Final = "[0-9A-Za-z]"
_BLOCK: Final = re.compile(
    rf"(?<!{_ALPHANUMERIC})(?<!{_DASH})"
    rf"(?:({_ALPHANUMERIC}{{3,5}}) ?{_DASH} ?({_ALPHANUMERIC}{{3,5}})|([0-9A-Z]{{4}}) ([0-9A-Z]{{4}})"
    rf"|({_ALPHANUMERIC}{{7,9}}))"
    rf"(?!{_ALPHANUMERIC}|{_DASH})",
    re.ASCII,
)
_HALVES: Final = re.compile(rf"({_ALPHANUMERIC}{{3,5}}) ({_ALPHANUMERIC}{{3,5}})", re.ASCII)
_VOWELS: Final = frozenset("AEIOUY")
_WORDS_AROUND: Final = 4
"""With more words than this around it, something that looks like a code is part of an ordinary sentence."""


class Secret(NamedTuple):
    """What opens an Invite: its link's secret, or its code."""

    link: str = ""
    code: str = ""

    @property
    def text(self) -> str:
        return self.link or self.code


def read_code(text: str) -> str | None:
    """Return the typed code, or None. Case, dashes and spaces don't matter; O is read as 0, and I and L as 1."""
    code = _GAPS.sub("", visible(text).strip(_AROUND))
    if len(code) != SYMBOLS or not code.isascii():
        return None
    code = code.upper().translate(_ALIKE)
    return code if is_code(code) else None


def read_link(payload: str) -> str | None:
    """Return the secret in the payload of an Invite's link, or None if it isn't one."""
    return payload if _LINK.fullmatch(payload) else None


def find_link(text: str) -> str | None:
    """Return the payload of the only Invite link in a text of any length; None if there is none, or more than one.

    The link may lead nowhere: even one that was cut short is not a diary line.
    """
    said = visible(text)
    if "=" not in said and "%" not in said:  # what every link has, encoded or not
        return None
    found = {match[1] for match in _PASTED.finditer(said)} or {match[1] for match in _PASTED.finditer(unquote(said))}
    return found.pop() if len(found) == 1 else None


def read_secret(text: str) -> Secret | None:
    """Return the only secret in the text after /join or /start (link, payload or code), or None if there is none."""
    said = visible(text).strip(_AROUND)
    if payload := find_link(said) or read_link(said):
        return Secret(link=payload)
    if code := read_code(said):
        return Secret(code=code)
    coded = [block for block in _blocks(said) if block.looks_coded]
    codes = {code for block in coded or _blocks(said) if (code := read_code(block.text))}
    return Secret(code=codes.pop()) if len(codes) == 1 else None


def read_typed(text: str) -> Secret | None:
    """Return the secret in a text sent without a command: a link, or a code alone or with a few words around it."""
    said = visible(text).strip(_AROUND)
    if payload := find_link(said) or (read_link(said) if _is_mixed(said) else None):
        return Secret(link=payload)
    alone = not re.search(r"\s", said) or _HALVES.fullmatch(said) or _BLOCK.fullmatch(said)
    code = read_code(said) if alone else None
    if code is None and (block := _only_coded(said)):
        code = read_code(block.text)
    return Secret(code=code) if code else None


def looks_like_code(text: str) -> bool:
    """Return whether a text is most likely a code, possibly mistyped, with at most a few words around it."""
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
        """Whether it looks like a code rather than a word, a year or "iphone15"."""
        text, letters = self.text, self.text.upper()
        if abs(len(text) - SYMBOLS) > 1 or text.isdecimal():
            return False
        if text.isalpha():
            return (len(text) == SYMBOLS and text.isupper() and is_code(text)) or _VOWELS.isdisjoint(letters)
        if self.second and (self.dashed or text.isupper()) and (_changes(self.first) or _changes(self.second)):
            return True
        is_plain = text != letters or (bool(self.second) and not self.dashed)
        return not is_plain or _changes(text) > 1


def _changes(text: str) -> int:
    """Return how often the text switches between letters and digits."""
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
    """Return the only block that looks like a code, unless it is part of a longer sentence."""
    coded = [block for block in _blocks(said) if block.looks_coded]
    if len({block.text for block in coded}) != 1:
        return None
    around = [word for word in re.split(r"\s+", _BLOCK.sub(" ", said)) if any(map(str.isalnum, word))]
    return coded[0] if len(around) <= _WORDS_AROUND else None


def _is_mixed(said: str) -> bool:
    """Return whether a text mixes lower case, upper case and digits, which only a link's payload is likely to do."""
    return any(map(str.isdecimal, said)) and any(map(str.isupper, said)) and any(map(str.islower, said))
