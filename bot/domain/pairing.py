"""What an Invite's link and code look like, for how long they hold, and how many wrong tries there are."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

INVITE_HOLDS: Final = timedelta(hours=24)
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


def code_from(number: int) -> str:
    """The code that stands for a number below 2**CODE_BITS, as it is compared and hashed."""
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(CODE_BITS - 5, -1, -5))


def shown_code(code: str) -> str:
    """A code as it is shown: in two halves, to be read out."""
    return f"{code[: _SYMBOLS // 2]}-{code[_SYMBOLS // 2 :]}"


def read_code(text: str) -> str | None:
    """The code that was typed. Case, dashes and spaces don't matter, nor O for 0, I and L for 1. None if it is none."""
    if not text.isascii() and not _GAPS.search(text):
        return None
    code = _GAPS.sub("", text).upper().translate(_ALIKE)
    return code if len(code) == _SYMBOLS and all(symbol in _ALPHABET for symbol in code) else None


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
