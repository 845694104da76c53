"""The form of an Invite's link and code, how long they are valid, and how many wrong tries are allowed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.domain.characters import beginning
from bot.domain.typed import fold_line

INVITE_VALID_FOR: Final = timedelta(hours=24)
"""How long an Invite can be opened, and how long after the guest's yes the user who asked can confirm."""
LINK_BYTES: Final = 16
CODE_BITS: Final = 40

LOCKED_FOR: Final = timedelta(hours=1)
TRIES: Final = 10
TRIES_WHEN_CROWDED: Final = 3
CROWD: Final = 300
"""From this many wrong tries an hour by all users together, each user gets fewer tries: somebody is guessing."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: https://www.crockford.com/base32.html
SYMBOLS: Final = CODE_BITS // 5
_DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def code_from(number: int) -> str:
    """Return the code for a number below 2**CODE_BITS, in the form that we compare and hash."""
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(CODE_BITS - 5, -1, -5))


def formatted_code(code: str) -> str:
    """Return a code as we show it: in two halves, which are easy to read out."""
    return f"{code[: SYMBOLS // 2]}-{code[SYMBOLS // 2 :]}"


def is_code(text: str) -> bool:
    """Return whether the text is a code in the form that we compare and hash."""
    return len(text) == SYMBOLS and all(symbol in _ALPHABET for symbol in text)


def is_locked_out(wrong: Sequence[datetime], now: datetime, *, crowded: bool) -> bool:
    """Return whether a user who tried wrong codes at these moments (oldest first) has to wait.

    Too many wrong codes within an hour shut the door for an hour, counted from the last of them.
    """
    tries = TRIES_WHEN_CROWDED if crowded else TRIES
    return any(
        last - first < LOCKED_FOR and now - last < LOCKED_FOR
        for first, last in zip(wrong, wrong[tries - 1 :], strict=False)
    )


NAME_LIMIT: Final = 40
"""Code points in the name that a partner sees."""


def clean_name(text: str) -> str:
    """Return a name as one line of reasonable length, without direction marks; "" if nothing is left.

    Direction marks would reverse the text around the name. Joiners stay, as names and emoji need them.
    """
    name = fold_line("".join(character for character in text if character not in _DIRECTIONS))
    return beginning(name, NAME_LIMIT)
