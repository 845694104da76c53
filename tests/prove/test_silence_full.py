"""Thousands of lives: whatever A does without sharing, everything that B can observe stays the same, byte for byte.

In some of them A leaves, and it stays so until B, on reaching for sharing, is told; in others B has said yes to A's
invitation, and A says anything but yes. Part of `make prove`. AJAR_SILENT_LIVES says how many (2,000 by default, spread
over all cores); the numbers in a failure's text repeat the same life.
"""

import asyncio
import logging
import os
import random
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import structlog

from tests.machine import IN_MEMORY
from tests.silence.lives import ask_to_pair, live
from tests.silence.test_charlie import forge_buttons
from tests.silence.world import Beginning

LIVES = int(os.environ.get("AJAR_SILENT_LIVES", "2000"))
A_SCRIPT, LEAVING, ASKED = 6, 2, 2
"""Numbers of A's lives for each script of B: staying, leaving, and asked to pair."""
TOGETHER = A_SCRIPT + LEAVING + ASKED


def _prove(script: int, first_seed: int) -> tuple[int, list[str]]:
    """Live one script of B alone and beside many lives of A. Return how many calls B saw, and what went wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return asyncio.run(_lives(script, first_seed))


async def _lives(script: int, first_seed: int) -> tuple[int, list[str]]:
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as name:
        folder = Path(name)
        beginning = await Beginning.make(folder)
        alone = await live(beginning, folder / "alone", script, None)
        asked = await ask_to_pair(beginning, folder / "asked", script, None)
        for number in range(TOGETHER):
            seed = first_seed + number
            if number < A_SCRIPT + LEAVING:
                lived = await live(beginning, folder / str(seed), script, seed, leaves=number >= A_SCRIPT)
                same = lived.differs_from(alone) is None if number >= A_SCRIPT else lived.seen_by_b == alone.seen_by_b
            else:
                lived = await ask_to_pair(beginning, folder / str(seed), script, seed)
                same = lived.seen_by_b == asked.seen_by_b
            if not same:
                wrong.append(f"script {script}, seed {seed}, number {number}:\n" + "\n".join(lived.done))
    return len(alone.seen_by_b), wrong


@pytest.mark.timeout(3600)
def test_silence_in_thousands_of_lives() -> None:
    first = random.SystemRandom().randrange(1 << 30)
    scripts = range(first, first + -(-LIVES // TOGETHER))
    print(f"scripts {scripts.start} to {scripts.stop - 1}, {TOGETHER} lives beside each")  # noqa: T201
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(_prove, scripts, [script * TOGETHER for script in scripts]))
    assert not [line for _, wrong in results for line in wrong]
    assert sum(calls for calls, _ in results) > 5 * len(scripts), "B saw next to nothing, so this proves nothing"


@pytest.mark.timeout(600)
async def test_forged_buttons_with_every_id_say_nothing(tmp_path: Path) -> None:
    await forge_buttons(tmp_path)
