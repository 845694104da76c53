"""Fear, then fact: what a sharer privately expected before a line went out, and what came. Nobody else ever sees it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ENOUGH: Final = 8
"""From how many lines on it is worth telling how often the worst came."""


class Reception(StrEnum):
    """How a line is received: expected before, or as it came."""

    LAUGHED_AT = "laughed_at"
    ADVICE = "advice"
    SILENCE = "silence"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often somebody expected the worst, and how often it came then."""

    lines: int
    feared: int
    came: int


def tally(noted: Iterable[tuple[Reception, Reception]]) -> Tally:
    """Count pairs of what was expected and what came. The worst is whatever isn't fine, whichever of it came."""
    pairs = list(noted)
    feared = [came for expected, came in pairs if expected is not Reception.FINE]
    return Tally(len(pairs), len(feared), sum(came is not Reception.FINE for came in feared))
