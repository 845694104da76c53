"""What an Invite's link and code look like, for how long they hold, and how many wrong tries there are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.domain.characters import beginning
from bot.domain.typed import fold_line

INVITE_VALID_FOR: Final = timedelta(hours=24)
"""So long an Invite can be opened; and so long after its guest's yes the one who asks can say theirs."""
LINK_BYTES: Final = 16
CODE_BITS: Final = 40

DOOR_SHUT: Final = timedelta(hours=1)
TRIES: Final = 10
TRIES_WHEN_CROWDED: Final = 3
CROWD: Final = 300
"""Wrong tries an hour by everybody together, from which on each one has fewer: somebody is guessing."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: https://www.crockford.com/base32.html
SYMBOLS: Final = CODE_BITS // 5
_DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def code_from(number: int) -> str:
    """The code that stands for a number below 2**CODE_BITS, as it is compared and hashed."""
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(CODE_BITS - 5, -1, -5))


def shown_code(code: str) -> str:
    """A code as it is shown: in two halves, to be read out."""
    return f"{code[: SYMBOLS // 2]}-{code[SYMBOLS // 2 :]}"


def is_code(text: str) -> bool:
    """Whether it is a code, written as it is compared and hashed."""
    return len(text) == SYMBOLS and all(symbol in _ALPHABET for symbol in text)


def door_is_shut(wrong: Sequence[datetime], now: datetime, *, crowded: bool) -> bool:
    """Whether a user who tried wrong codes at these moments (oldest first) has to wait.

    So many wrong ones within an hour shut the door for an hour, counted from the last of them.
    """
    tries = TRIES_WHEN_CROWDED if crowded else TRIES
    return any(
        last - first < DOOR_SHUT and now - last < DOOR_SHUT
        for first, last in zip(wrong, wrong[tries - 1 :], strict=False)
    )


NAME_LIMIT: Final = 40
"""Code points of the name that a partner sees."""


def clean_name(text: str) -> str:
    """A name in one line and of bearable length, without marks that would turn the text around it; "" if none is left.

    Joiners stay: names and emoji are made of them.
    """
    name = fold_line("".join(character for character in text if character not in _DIRECTIONS))
    return beginning(name, NAME_LIMIT)
