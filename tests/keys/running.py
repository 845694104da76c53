"""Runs trials of `ajar keys` commands in a separate process, and reports their outcome."""

import json
import os
import secrets
from collections import Counter
from functools import partial
from pathlib import Path

from tests import forks
from tests.keys import trials

LONGEST = 7200
"""Seconds that two hundred trials may take."""


async def try_out_many(kind: str, url: str, folder: Path, count: int, *, seed: str | None = None) -> Counter[str]:
    """Count how each command ended. Fails with all that went wrong; the seed repeats the same commands."""
    seed = seed or secrets.token_hex(4)
    work = partial(trials.main, kind, url, folder, seed, count)
    ended = await forks.run_beside(work, cwd=folder.parent, env=os.environ, seconds=LONGEST)
    outcomes = [json.loads(line) for line in ended.stdout.splitlines()]
    wrong = [trial for trial in outcomes if trial["wrong"]]
    assert not wrong, f"seed {seed}: {wrong}"
    assert len(outcomes) == count, f"seed {seed}: only {len(outcomes)} trials\n{ended.stderr}"
    return Counter(f"{words.split()[0]} {code}" for trial in outcomes for words, _, _, code in trial["done"])
