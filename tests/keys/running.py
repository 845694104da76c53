"""Runs trials of `ajar keys` commands in a separate process, and reports their outcome."""

import asyncio
import json
import secrets
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def try_out_many(kind: str, url: str, folder: Path, count: int, *, seed: str | None = None) -> Counter[str]:
    """Count how each command ended. Fails with all that went wrong; the seed repeats the same commands."""
    seed = seed or secrets.token_hex(4)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.keys.trials", kind, url, str(folder), seed, str(count),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    trials = [json.loads(line) for line in out.splitlines()]
    wrong = [trial for trial in trials if trial["wrong"]]
    assert not wrong, f"seed {seed}: {wrong}"
    assert len(trials) == count, f"seed {seed}: only {len(trials)} trials"
    return Counter(f"{words.split()[0]} {code}" for trial in trials for words, _, _, code in trial["done"])
