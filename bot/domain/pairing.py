"""What an Invite's link and code look like, for how long they hold, and how many wrong tries there are."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot.domain.characters import beginning
from bot.domain.typed import fold_line

INVITE_HOLDS: Final = timedelta(hours=24)
"""So long an Invite can be opened; and so long after its guest's yes the one who asks can say theirs."""
LINK_BYTES: Final = 16
CODE_BITS: Final = 40

DOOR_SHUT: Final = timedelta(hours=1)
TRIES: Final = 10
TRIES_WHEN_CROWDED: Final = 3
CROWD: Final = 300
"""Wrong tries an hour by everybody together, from which on each one has fewer: somebody is guessing."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: https://www.crockford.com/base32.html
_ALIKE: Final = str.maketrans("OIL", "011")
_SYMBOLS: Final = CODE_BITS // 5
_GAPS: Final = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
_LINK: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_PASTED: Final = re.compile(r"(?:https?://)?(?:t|telegram)\.me/[A-Za-z0-9_]+\?start=([A-Za-z0-9_-]{22})")
_AS_SHOWN: Final = re.compile(r"[0-9A-Za-z]{4}[\s\-\u2010-\u2015\u2212][0-9A-Za-z]{4}", re.ASCII)
_AROUND: Final = " \t\n.,;:!?\"'()[]<>«»“”„‘’‚"
"""What a code or link may stand in when it is copied out of a sentence."""
_DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def code_from(number: int) -> str:
    """The code that stands for a number below 2**CODE_BITS, as it is compared and hashed."""
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(CODE_BITS - 5, -1, -5))


def shown_code(code: str) -> str:
    """A code as it is shown: in two halves, to be read out."""
    return f"{code[: _SYMBOLS // 2]}-{code[_SYMBOLS // 2 :]}"


def read_code(text: str) -> str | None:
    """The code that was typed. Case, dashes and spaces don't matter, nor O for 0, I and L for 1. None if it is none."""
    code = _GAPS.sub("", text.strip())
    if len(code) != _SYMBOLS or not code.isascii():
        return None
    code = code.upper().translate(_ALIKE)
    return code if all(symbol in _ALPHABET for symbol in code) else None


def read_link(payload: str) -> str | None:
    """The secret that a link carries, or None if it is no link of an Invite."""
    return payload if _LINK.fullmatch(payload) else None


def door_is_shut(wrong: Sequence[datetime], now: datetime, *, crowded: bool) -> bool:
    """Whether a user who tried wrong codes at these moments (oldest first) has to wait.

    So many wrong ones within an hour shut the door for an hour, counted from the last of them.
    """
    tries = TRIES_WHEN_CROWDED if crowded else TRIES
    return any(
        last - first < DOOR_SHUT and now - last < DOOR_SHUT
        for first, last in zip(wrong, wrong[tries - 1 :], strict=False)
    )


class Secret(NamedTuple):
    """What opens an Invite: its link's secret, or its code."""

    link: str = ""
    code: str = ""

    @property
    def text(self) -> str:
        return self.link or self.code


def read_secret(text: str) -> Secret | None:
    """The secret in what was typed or followed: a link, its payload, or a code. None if it looks like none."""
    text = text.strip(_AROUND)
    if pasted := _PASTED.fullmatch(text):
        return Secret(link=pasted[1])
    if link := read_link(text):
        return Secret(link=link)
    code = read_code(text)
    return Secret(code=code) if code else None


def read_typed(text: str) -> Secret | None:
    """The secret in a text that wasn't said to be one: a pasted link, or a code without words around or inside it."""
    text = text.strip(_AROUND)
    if pasted := _PASTED.fullmatch(text):
        return Secret(link=pasted[1])
    code = read_code(text) if _AS_SHOWN.fullmatch(text) or not re.search(r"\s", text) else None
    return Secret(code=code) if code else None


def is_surely_code(text: str) -> bool:
    """Whether a text is written just as codes are shown, with a letter and a digit: hardly meant as anything else."""
    text = text.strip(_AROUND)
    return bool(_AS_SHOWN.fullmatch(text)) and any(map(str.isdigit, text)) and any(map(str.isalpha, text))


NAME_LIMIT: Final = 40
"""Code points of the name that a partner sees."""


def clean_name(text: str) -> str:
    """A name in one line and of bearable length, without marks that would turn the text around it; "" if none is left.

    Joiners stay: names and emoji are made of them.
    """
    name = fold_line("".join(character for character in text if character not in _DIRECTIONS))
    return beginning(name, NAME_LIMIT)
