"""Rule 3 of the constitution: whatever A does without sharing, everything that B can observe stays the same."""

import random
from collections.abc import Iterator
from pathlib import Path

from tests.silence.lives import Life, ask_to_pair, live
from tests.silence.world import Beginning

SAMPLE = 6
SMALL_SAMPLE = 3


async def test_b_sees_identical_bytes(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    for script, seed in _some(SAMPLE):
        alone = await live(beginning, tmp_path / f"{seed}-alone", script, None)
        lived = await live(beginning, tmp_path / f"{seed}-lived", script, seed)
        assert alone.seen_by_b, "B saw nothing at all, so this would prove nothing"
        assert lived.seen_by_b == alone.seen_by_b, _how(script, seed, lived)


async def test_sharing_alone_reveals_an_end(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    for script, seed in _some(SMALL_SAMPLE):
        alone = await live(beginning, tmp_path / f"{seed}-alone", script, None)
        lived = await live(beginning, tmp_path / f"{seed}-lived", script, seed, leaves=True)
        assert lived.differs_from(alone) is None, _how(script, seed, lived)


async def test_guest_cannot_see_a_refusal(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    for script, seed in _some(SMALL_SAMPLE):
        alone = await ask_to_pair(beginning, tmp_path / f"{seed}-alone", script, None)
        lived = await ask_to_pair(beginning, tmp_path / f"{seed}-lived", script, seed)
        assert lived.seen_by_b == alone.seen_by_b, _how(script, seed, lived)


def _some(count: int) -> Iterator[tuple[int, int]]:
    """Scripts of B and seeds of A, drawn anew each time."""
    first = random.SystemRandom().randrange(1 << 30)
    for number in range(count):
        yield (first + number) % 1000, first + number


def _how(script: int, seed: int, lived: Life) -> str:
    return f"script {script}, seed {seed}:\n" + "\n".join(lived.done)
