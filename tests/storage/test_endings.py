"""The journal of endings: its entries outlive whatever happens to the database."""

import os
import signal
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.crypto import KeyRing
from bot.storage.endings import Ended, Ending, Gap, Journal, Since

DAY = date(2026, 11, 22)
KEYS = KeyRing.new()
ERASED = Ending.of(KEYS, Ended.ERASED, 1001)
UNPAIRED = Ending.of(KEYS, Ended.UNPAIRED, 7, 1001)


def test_entries_are_read_from_a_date(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "endings")
    begin = journal.append([])
    later = journal.append([ERASED])
    end = Journal(tmp_path / "endings").append([UNPAIRED, ERASED])
    assert journal.since(begin) == Since((ERASED, UNPAIRED, ERASED))
    assert journal.since(later) == Since((UNPAIRED, ERASED))
    assert journal.since(end) == Since()


def test_journal_contains_no_id(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([ERASED, UNPAIRED])
    assert "1001" not in journal.file.read_text()
    assert Ending.of(KeyRing.new(), Ended.ERASED, 1001) != ERASED
    assert journal.file.stat().st_mode & 0o777 == 0o600


def test_torn_line_is_cut_off(tmp_path: Path) -> None:
    """It was never acknowledged: the power failed before it was on the disk."""
    journal = Journal(tmp_path)
    begin = journal.append([ERASED])
    with journal.file.open("ab") as file:
        file.write(b"2 unpaired 1 abc")
    assert journal.since(begin) == Since()
    journal.append([UNPAIRED])
    assert journal.since(begin) == Since((UNPAIRED,))


HARMS = {"missing": Gap.MISSING, "other": Gap.OTHER, "shorter": Gap.SHORT, "damaged": Gap.DAMAGED}


def harm(journal: Journal, how: str) -> None:
    lines = journal.file.read_text().splitlines(keepends=True)
    if how == "missing":
        journal.file.unlink()
    elif how == "other":
        journal.file.write_text("ajar-endings-1 0123456789abcdef\n" + "".join(lines[1:]))
    elif how == "shorter":
        journal.file.write_text("".join(lines[:-1]))
    else:
        journal.file.write_text("".join([lines[0], lines[2]]))


@pytest.mark.parametrize("how", HARMS)
def test_mismatched_journal_says_why(tmp_path: Path, how: str) -> None:
    journal = Journal(tmp_path)
    begin = journal.append([])
    end = journal.append([ERASED, UNPAIRED])
    harm(journal, how)
    assert journal.since(end) == Since(gap=HARMS[how])
    if how != "shorter":
        assert journal.since(begin) == Since(gap=HARMS[how])
    assert journal.since(None) == Since(gap=Gap.DAMAGED if how == "damaged" else Gap.NEVER)


@pytest.mark.parametrize("how", HARMS)
def test_broken_journal_begins_anew(tmp_path: Path, how: str) -> None:
    """What an earlier copy knew is reported as a gap forever, even after the numbers repeat."""
    journal = Journal(tmp_path)
    journal.append([])
    known = journal.append([ERASED, UNPAIRED])
    harm(journal, how)
    journal.begin(DAY, known)
    later = journal.append([])
    journal.append([ERASED, ERASED, ERASED])
    assert journal.since(known).gap is Gap.OTHER
    assert journal.since(later) == Since((ERASED, ERASED, ERASED))
    assert (tmp_path / "endings.unfit").exists() == (how in {"shorter", "damaged"})
    if how != "other":
        assert journal.reaches_back_to() == DAY


@pytest.mark.parametrize("how", ["shorter", "damaged"])
def test_concurrent_starts_keep_the_unfit_journal(tmp_path: Path, how: str) -> None:
    """Processes that share a folder start together: only the first may put aside what it finds."""
    journal = Journal(tmp_path)
    known = journal.append([ERASED, UNPAIRED])
    harm(journal, how)
    unfit = journal.file.read_bytes()
    waits, goes = os.pipe()
    children = []
    for _ in range(4):
        if not (child := os.fork()):
            os.close(goes)
            os.read(waits, 1)
            journal.begin(DAY, known)
            os._exit(0)
        children.append(child)
    os.close(goes)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    os.close(waits)
    assert (tmp_path / "endings.unfit").read_bytes() == unfit
    assert journal.since(known).gap is Gap.OTHER


def test_missing_key_makes_a_gap(tmp_path: Path) -> None:
    """What another version of the master key has hashed can't be found in the database."""
    journal = Journal(tmp_path)
    begin = journal.append([])
    journal.append([ERASED, Ending.of(KEYS.rotated(), Ended.ERASED, 1002)])
    assert journal.since(begin, (1,)).gap is Gap.KEY
    assert journal.since(begin, (1, 2)).gap is None


def _lived(journal: Journal) -> list[str]:
    """Three weeks in which something ended on the first day of each. Returns the journal's end before and after."""
    known = [journal.append([])]
    for week in range(3):
        known.append(journal.append([ERASED, UNPAIRED]))
        journal.tidy(DAY + timedelta(weeks=week), DAY)
    return known


def test_expired_entries_are_removed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    known = _lived(journal)
    assert [journal.since(each).gap for each in known] == [None] * 4
    journal.tidy(DAY + timedelta(weeks=3), DAY + timedelta(weeks=1, days=1))
    assert journal.reaches_back_to() == DAY + timedelta(weeks=1)
    assert journal.since(known[0]) == journal.since(known[1]) == Since((ERASED, UNPAIRED), Gap.DROPPED)
    assert journal.since(known[2]) == Since((ERASED, UNPAIRED))
    end = journal.append([ERASED])
    assert journal.since(known[3]) == Since((ERASED,))
    journal.tidy(DAY + timedelta(weeks=9), DAY + timedelta(weeks=9))
    journal.tidy(DAY + timedelta(weeks=10), DAY + timedelta(weeks=10))
    assert len(journal.file.read_text().splitlines()) == 2, "the head and one day"
    assert journal.since(end) == Since()
    journal.append([ERASED])
    assert journal.since(end) == Since((ERASED,))
    assert journal.file.stat().st_mode & 0o777 == 0o600


def test_quiet_journal_does_not_grow(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin(DAY, None)
    before = journal.file.read_bytes()
    for day in range(400):
        journal.tidy(DAY + timedelta(days=day), DAY)
    assert journal.file.read_bytes() == before
    for _ in range(3):
        journal.append([ERASED])
        journal.tidy(DAY + timedelta(days=400), DAY)
    assert journal.file.read_text().count("day") == 2


def test_killed_tidying_leaves_a_whole_journal(tmp_path: Path) -> None:
    """Between any two system calls that write, rename or remove something, the next process finds it whole."""
    for kill_at in range(1, 100):
        folder = tmp_path / str(kill_at)
        journal = Journal(folder)
        known = _lived(journal)
        died = _tidies_until(journal, kill_at)
        assert journal.since(known[2]) == Since((ERASED, UNPAIRED))
        journal.append([ERASED])
        journal.tidy(DAY + timedelta(weeks=3), DAY + timedelta(weeks=2))
        assert journal.since(known[2]) == Since((ERASED, UNPAIRED, ERASED))
        assert journal.since(known[1]).gap is Gap.DROPPED
        assert [file.name for file in folder.iterdir()] == ["endings"]
        if not died:
            break
    assert kill_at > 4


def _tidies_until(journal: Journal, kill_at: int) -> bool:
    """Leave out two weeks in a process that dies before the change with this number. Return whether it died."""
    child = os.fork()
    if child == 0:
        count = 0

        def reached(event: str, given: tuple[Any, ...]) -> None:
            nonlocal count
            if event in {"os.rename", "os.remove", "os.chown"} or (
                event == "open" and given[2] & (os.O_WRONLY | os.O_RDWR)
            ):
                count += 1
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        fsync = os.fsync
        os.fsync = lambda handle: (reached("os.rename", ()), fsync(handle))  # type: ignore[assignment,func-returns-value]
        sys.addaudithook(reached)
        journal.tidy(DAY + timedelta(weeks=3), DAY + timedelta(weeks=1, days=1))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


def test_concurrent_tidying_loses_nothing(tmp_path: Path) -> None:
    """A running bot and an operator's commands: whoever has the old file open writes into the new one."""
    journal = Journal(tmp_path)
    begin = journal.append([])
    children = []
    for writer in range(4):
        if not (child := os.fork()):
            for number in range(100):
                journal.append([Ending.of(KEYS, Ended.DELETED, 1000 * writer + number)])
                journal.tidy(DAY + timedelta(days=number), date.min)
            os._exit(0)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    wanted = {Ending.of(KEYS, Ended.DELETED, 1000 * writer + number) for writer in range(4) for number in range(100)}
    found = journal.since(begin)
    assert found.gap is None
    assert len(found.endings) == 400
    assert set(found.endings) == wanted
