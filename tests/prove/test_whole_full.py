"""Long lives of three people in which everything is drawn: the state machine of tests/whole.

AJAR_PROVE_LIVES says how many (1,000 by default), AJAR_PROVE_STEPS how many acts each has, AJAR_PROVE_SEED which.
"""

import os
import random

import pytest

from tests.whole.machine import Lives, live

LIVES = int(os.environ.get("AJAR_PROVE_LIVES", "1000"))
STEPS = int(os.environ.get("AJAR_PROVE_STEPS", "60"))
SEED = int(os.environ.get("AJAR_PROVE_SEED", "0")) or random.randrange(1, 1_000_000_000)


@pytest.mark.timeout(4 * 3600)
def test_lives() -> None:
    print(f"AJAR_PROVE_SEED={SEED}")  # noqa: T201  # known even if it ends too early
    live(SEED, lives=LIVES, steps=STEPS, shrink=True)
    print(f"{dict(Lives.counts)}, {len(Lives.tapped)} kinds of buttons tapped of {Lives.kinds}")  # noqa: T201
    assert Lives.counts["lines looked back at"] > 2 * LIVES
