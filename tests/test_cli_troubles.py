"""Whatever is wrong on the machine, a command ends with one sentence: real processes, real disks, a real PostgreSQL."""

import ctypes
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

import bot.operating
from tests import forks
from tests.databases import PostgresServer, SqliteTemplate
from tests.forks import ajar
from tests.surroundings import fill, small_disk
from tests.test_cli import Operator

TOKEN = "123456789:" + "A" * 35
NOWHERE = {"AJAR_BOT_TOKEN": TOKEN, "AJAR_API_URL": "http://127.0.0.1:9"}
SOME = (("stats",), ("keys", "rotate"), ("run",))
ALL = (
    ("stats",),
    ("migrate",),
    ("keys", "list"),
    ("keys", "rotate"),
    ("keys", "rewrap"),
    ("keys", "forget", "1"),
    ("run",),
)


@pytest.fixture
def operator(tmp_path: Path, sqlite_template: SqliteTemplate) -> Operator:
    return Operator(tmp_path, sqlite_template)


def sentence(said: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command ends with, besides the log's warnings."""
    told = [line for line in said.stderr.splitlines() if not re.search(" (WARNING|INFO) ", line)]
    assert len(told) == 1, said.stderr
    assert told[0].startswith("ajar: ")
    assert len(told[0]) < 300
    assert "Traceback" not in said.stderr
    assert "trace=" not in said.stderr
    return told[0]


def doctors(operator: Operator, part: str) -> str:
    """Return the line in which `doctor` says this."""
    said = operator.types("doctor")
    assert said.returncode == 1
    assert not said.stderr
    return next(line for line in said.stdout.splitlines() if part in line)


@pytest.mark.parametrize("words", SOME, ids=" ".join)
def test_folder_in_place_of_the_database(operator: Operator, words: tuple[str, ...]) -> None:
    operator.database.mkdir(parents=True)
    said = operator.types(*words, **NOWHERE)
    assert "is a folder, and the database must be a file" in sentence(said)
    assert said.returncode == (2 if words == ("run",) else 1)
    assert "!!  database: " in doctors(operator, "is a folder, and the database must be a file")


@pytest.mark.parametrize("words", [*SOME, ("backup", "copy.db")], ids=" ".join)
def test_garbage_in_place_of_the_database(operator: Operator, words: tuple[str, ...]) -> None:
    operator.database.parent.mkdir()
    operator.database.write_bytes(b"dear diary " * 500)
    said = operator.types(*words, **NOWHERE)
    assert "is not an SQLite database" in sentence(said)
    assert said.returncode == (2 if words == ("run",) else 1)


@pytest.mark.parametrize("words", SOME, ids=" ".join)
def test_database_of_another_program(operator: Operator, words: tuple[str, ...]) -> None:
    operator.database.parent.mkdir()
    with closing(sqlite3.connect(operator.database)) as other:
        other.execute("CREATE TABLE places (url)")
    said = operator.types(*words, **NOWHERE)
    assert "is not Ajar's" in sentence(said)
    assert said.returncode == 2
    assert not (operator.folder / "config").exists(), "no key is made for it"
    assert "!!  database: " in doctors(operator, "is not Ajar's")


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_database_of_a_newer_ajar(operator: Operator, sqlite_template: SqliteTemplate, words: tuple[str, ...]) -> None:
    operator.database.parent.mkdir()
    sqlite_template.copy(operator.database.parent)
    with closing(sqlite3.connect(operator.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    said = operator.types(*words, **NOWHERE)
    assert "Start the newer Ajar" in sentence(said)
    assert "migrate" not in said.stderr
    assert said.returncode == 2


@pytest.mark.parametrize("words", [("stats",), ("keys", "list"), ("migrate",)], ids=" ".join)
def test_full_disk(operator: Operator, sqlite_template: SqliteTemplate, words: tuple[str, ...]) -> None:
    with small_disk(operator.database.parent) as disk:
        if words != ("migrate",):
            sqlite_template.copy(disk)
        fill(disk)
        said = operator.types(*words)
        assert doctors(operator, "are free on the disk").startswith("!!  data folder: ")
    assert "is full" in sentence(said)
    assert said.returncode == 1


@pytest.mark.parametrize("words", SOME, ids=" ".join)
def test_read_only_disk(operator: Operator, sqlite_template: SqliteTemplate, words: tuple[str, ...]) -> None:
    with small_disk(operator.database.parent, then_read_only=sqlite_template.copy):
        said = operator.types(*words, **NOWHERE)
        assert "!!  data folder: " in doctors(operator, "can't be written to (Read-only file system)")
    assert re.search("read-only|can only be read", sentence(said), re.IGNORECASE)
    assert said.returncode == (2 if words == ("run",) else 1)


def test_read_only_key_folder(operator: Operator) -> None:
    with small_disk(operator.folder / "config", then_read_only=lambda _: None):
        said = operator.types("run", **NOWHERE)
        assert "!!  master key: " in doctors(operator, "can't be made, as this user can't write in")
    assert "The master key can't be written" in sentence(said)
    assert said.returncode == 2


@pytest.mark.parametrize("words", SOME, ids=" ".join)
def test_postgres_refused_or_away(operator: Operator, postgres: PostgresServer, words: tuple[str, ...]) -> None:
    address = f"postgresql://hunter2:open-sesame@/nowhere?host={postgres.socket}"
    said = operator.types(*words, AJAR_DATABASE_URL=address, **NOWHERE)
    assert "PostgreSQL refuses the user or the password in AJAR_DATABASE_URL" in sentence(said)
    assert said.returncode == (2 if words == ("run",) else 1)
    if words != ("run",):  # it waits for the database
        said = operator.types(*words, AJAR_DATABASE_URL="postgresql://hunter2:open-sesame@127.0.0.1:1/nowhere")
        assert "PostgreSQL can't be reached: connection refused" in sentence(said)
        assert said.returncode == 1
    assert "open-sesame" not in said.stderr
    assert "hunter2" not in said.stderr


NAMELESS = 54321
"""The number of a user without a name, and hence without a home, as in a container."""
NO_NAMESPACES = 77
"""The exit code on a machine where nobody can be another user."""


def nameless(words: tuple[str, ...]) -> None:
    """Type a command as a user without a name (user_namespaces(7))."""
    new_user_namespace = 0x10000000
    ids = {"uid_map": os.getuid(), "gid_map": os.getgid()}
    if ctypes.CDLL(None).unshare(new_user_namespace):
        sys.exit(NO_NAMESPACES)
    Path("/proc/self/setgroups").write_text("deny")
    for name, number in ids.items():
        Path("/proc/self", name).write_text(f"{NAMELESS} {number} 1")
    assert os.getuid() == NAMELESS
    ajar(words)


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [("run", "There is no home folder to keep the master key in", 2), ("migrate", "", 0), ("doctor", "", 1)],
)
def test_user_without_name_and_home(operator: Operator, words: str, says: str, code: int) -> None:
    kept = {name: value for name, value in operator.environ.items() if name not in {"HOME", "XDG_CONFIG_HOME"}}
    said = forks.run(partial(nameless, (words,)), cwd=operator.folder, env={**kept, **NOWHERE})
    if said.returncode == NO_NAMESPACES:
        pytest.skip("this machine lets nobody be somebody else")
    assert said.returncode == code, said.stderr
    assert not says or says in sentence(said)
    assert words != "doctor" or "!!  master key: There is no home folder" in said.stdout
    assert {path.name for path in operator.folder.iterdir()} <= {"var"}, "no folder named ~ is made"


def broken_stats() -> None:
    async def stats(_: object) -> None:
        raise KeyError("what Alice wrote to Bob")

    bot.operating.stats = stats  # type: ignore[assignment]
    ajar(("stats",))


def test_unforeseen_error_leaves_one_line(operator: Operator) -> None:
    """One line, and a log entry that says where it happened without any content."""
    said = forks.run(broken_stats, cwd=operator.folder, env=operator.environ)
    assert said.returncode == 1
    logged, told = said.stderr.splitlines()
    (code,) = re.findall("incident=([0-9A-Z]{8})", logged)
    assert "KeyError" in logged
    assert (
        told == f"ajar: Something unforeseen went wrong. The log line of incident {code} says where; please report it."
    )
    assert "Alice" not in said.stderr
