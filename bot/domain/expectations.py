"""What a sharer privately expected before a line went out, and what came. Nobody else ever sees either."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ENOUGH: Final = 8
"""How many lines it takes before we tell the sharer how often the worst came."""


class Reception(StrEnum):
    """How the partner receives a line: as the sharer expects it beforehand, or as it turns out."""

    LAUGHED_AT = "laughed_at"
    ADVICE = "advice"
    SILENCE = "silence"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often somebody expected the worst, and how often it then came."""

    lines: int
    feared: int
    came: int


def tally(noted: Iterable[tuple[Reception, Reception]]) -> Tally:
    """Count pairs of expectation and outcome. Anything but FINE is "the worst", whichever of them was expected."""
    pairs = list(noted)
    feared = [came for expected, came in pairs if expected is not Reception.FINE]
    return Tally(len(pairs), len(feared), sum(came is not Reception.FINE for came in feared))
