"""The words that a user adds to a Line: from the Shelf, or their own."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MOST: Final = 6
"""How many words a Line can have."""
LONGEST_OWN: Final = 30
"""How many characters a user's own word can have."""
LOOKS_BACK: Final = timedelta(weeks=8)
"""How far back /words goes."""


@dataclass(frozen=True, slots=True)
class Feeling:
    """A word added to a Line. Either `shelf` or `own` is set."""

    shelf: str = ""
    """The id of a word of the Shelf."""
    own: str = ""
    """A word as its user typed it."""


def added(feelings: Sequence[Feeling], new: Feeling) -> tuple[Feeling, ...] | None:
    """Return these words with the new one, unchanged if it is there already; None if there is no room for it."""
    if new in feelings:
        return tuple(feelings)
    return (*feelings, new) if len(feelings) < MOST else None


def distinct(feelings: Iterable[Feeling]) -> tuple[Feeling, ...]:
    """Return each word once, in the order in which they first come."""
    return tuple(dict.fromkeys(feelings))


def pack(feelings: Iterable[Feeling]) -> str:
    """Return these words as one text, for `unpack`."""
    values = [{"own": each.own} if each.own else {"shelf": each.shelf} for each in feelings]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def unpack(packed: str) -> tuple[Feeling, ...]:
    """Return the words that `pack` wrote."""
    return tuple(Feeling(**each) for each in json.loads(packed))
