"""A year for ten people by the black box: what came on their chats, read from outside.

AJAR_PROVE_SEED names the chances. AJAR_PROVE_READ names a folder to which each year is written as its person read it.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from bot.library import content_folder, load
from tests.year_in_chat import live
from tests.year_read import Reader, transcript

SEED: Final = int(os.environ.get("AJAR_PROVE_SEED", "0")) or 7
DAYS: Final = 365


@pytest.mark.timeout(7200)
def test_year_of_ten_people(tmp_path: Path) -> None:
    library = load(content_folder())
    chats = live(tmp_path, SEED, DAYS)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for number, chat in enumerate(chats):
        reader = Reader(library, chat).reads(DAYS)
        counts += reader.counts
        wrong += reader.wrong
        if folder := os.environ.get("AJAR_PROVE_READ"):
            Path(folder, f"{number}.txt").write_text(transcript(chat, library), encoding="utf-8")
    print(f"seed {SEED}: {dict(counts)}")  # noqa: T201
    assert not wrong, wrong[:20]
    assert min(counts[each] for each in ("fresh", "old", "open", "callback", "paused", "windows")) > 20
