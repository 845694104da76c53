"""Some weeks of three people, read from outside; tests/prove/test_year_in_chat.py has ten of them for a year."""

import os
from pathlib import Path

from bot.library import content_folder, load
from tests.year_in_chat import TEN, live
from tests.year_read import Reader


def test_weeks_of_three_people(tmp_path: Path) -> None:
    seed = int(os.environ.get("AJAR_TEST_SEED") or int.from_bytes(os.urandom(4)))
    print(f"again with AJAR_TEST_SEED={seed}")  # noqa: T201  # pytest shows it where the test fails
    library = load(content_folder())
    read = [Reader(library, chat).reads(30) for chat in live(tmp_path, seed, 30, TEN[:3])]
    assert not [wrong for reader in read for wrong in reader.wrong]
    assert all(reader.counts["fresh"] > 15 for reader in read)
