"""The journal of endings: what stands in it outlives whatever happens to the database."""

from pathlib import Path

import pytest

from bot.crypto import KeyRing
from bot.storage.endings import Ended, Ending, Journal

KEYS = KeyRing.new()
ERASED = Ending.of(KEYS, Ended.ERASED, 1001)
UNPAIRED = Ending.of(KEYS, Ended.UNPAIRED, 7, 1001)


def test_what_is_appended_is_read_since_then(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "endings")
    begin = journal.append([])
    later = journal.append([ERASED])
    end = Journal(tmp_path / "endings").append([UNPAIRED, ERASED])
    assert journal.since(begin) == [ERASED, UNPAIRED, ERASED]
    assert journal.since(later) == [UNPAIRED, ERASED]
    assert journal.since(end) == []


def test_no_id_stands_in_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([ERASED, UNPAIRED])
    assert "1001" not in journal.file.read_text()
    assert Ending.of(KeyRing.new(), Ended.ERASED, 1001) != ERASED
    assert journal.file.stat().st_mode & 0o777 == 0o600


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    """It was never acknowledged: the power went before it was written for good."""
    journal = Journal(tmp_path)
    begin = journal.append([ERASED])
    with journal.file.open("ab") as file:
        file.write(b"2 unpaired 1 abc")
    assert journal.since(begin) == []
    journal.append([UNPAIRED])
    assert journal.since(begin) == [UNPAIRED]


@pytest.mark.parametrize("harm", ["missing", "other", "shorter", "damaged"])
def test_a_journal_that_does_not_fit_says_so(tmp_path: Path, harm: str) -> None:
    journal = Journal(tmp_path)
    begin = journal.append([])
    end = journal.append([ERASED, UNPAIRED])
    lines = journal.file.read_text().splitlines(keepends=True)
    if harm == "missing":
        journal.file.unlink()
    elif harm == "other":
        journal.file.write_text("ajar-endings-1 0123456789abcdef\n" + "".join(lines[1:]))
    elif harm == "shorter":
        journal.file.write_text("".join(lines[:-1]))
    else:
        journal.file.write_text("".join([lines[0], lines[2]]))
    assert journal.since(end) is None
    if harm != "shorter":
        assert journal.since(begin) is None
    assert journal.since(None) is None
