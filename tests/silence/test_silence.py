"""Rule 3 of the constitution: whatever A does without sharing, everything that B can observe stays the same."""

import random
from pathlib import Path

from tests.silence.lives import live
from tests.silence.world import Beginning

SAMPLE = 12


async def test_b_observes_the_same_bytes_whatever_a_does(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    first = random.SystemRandom().randrange(1 << 30)
    for number in range(SAMPLE):
        script, seed = (first + number) % 1000, first + number
        alone = await live(beginning, tmp_path / f"{number}-alone", script, None)
        lived = await live(beginning, tmp_path / f"{number}-lived", script, seed)
        assert alone.seen_by_b, "B saw nothing at all, so this would prove nothing"
        assert lived.seen_by_b == alone.seen_by_b, f"script {script}, seed {seed}:\n" + "\n".join(lived.done)
