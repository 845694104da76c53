"""The command line, as an operator types it: real processes, real files."""

import asyncio
import os
import socket
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from bot.crypto import KeyRing, wrapped_by
from bot.export_document import Document, Line, Profile
from bot.keyfile import make_key_file
from bot.storage.store import Store
from tests import forks
from tests.databases import SqliteTemplate
from tests.forks import ajar
from tests.standin import TEST_KEY

ROOT = Path(__file__).parent.parent


class Operator:
    """Types `ajar …` in a folder of their own."""

    def __init__(self, folder: Path, template: SqliteTemplate) -> None:
        self.folder = folder
        self.template = template
        self.ring = KeyRing.new()
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AJAR_")},
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": str(ROOT),
        }

    def types(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return forks.run(partial(ajar, words), cwd=self.folder, env={**self.environ, **settings})

    @property
    def database(self) -> Path:
        return self.folder / "var" / "ajar.db"

    def has_database(self) -> None:
        """Leave the state of `ajar migrate` without starting a process for it."""
        self.database.parent.mkdir(mode=0o700)
        self.template.copy(self.database.parent)

    def rows(self) -> list[str]:
        """Return everything in the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            return list(connection.iterdump())

    def add_user(self, user_id: int, ring: KeyRing | None = None) -> None:
        """Add a user who has agreed, as the bot itself would."""

        async def add() -> None:
            store = Store.at(f"sqlite+aiosqlite:///{self.database}", ring or self.ring)
            async with store.writing() as rows:
                await rows.users.add(user_id, "en", datetime(2026, 11, 22, tzinfo=UTC))
            await store.close()

        asyncio.run(add())


@pytest.fixture
def operator(tmp_path: Path, sqlite_template: SqliteTemplate) -> Operator:
    return Operator(tmp_path, sqlite_template)


def test_wrong_settings_exit_with_2(operator: Operator) -> None:
    said = operator.types("run", AJAR_BOT_TOKEN="abc", AJAR_LOG_FORMAT="xml", AJAR_LISTEN="nowhere")
    assert said.returncode == 2
    lines = said.stderr.splitlines()
    assert len(lines) == 3
    assert {line.split()[1] for line in lines} == {"AJAR_BOT_TOKEN", "AJAR_LOG_FORMAT", "AJAR_LISTEN"}
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("words", ["{}", "--{}", "run {}", "keys forget {}", "keys new a.key {}"])
def test_secret_argument_is_not_repeated(operator: Operator, words: str) -> None:
    secret = "123456789:AAFakeTokenOfNobodyForTests_0123456789"
    said = operator.types(*words.format(secret).split())
    assert said.returncode == 2
    assert secret not in said.stdout + said.stderr
    assert "--help" in said.stderr


def test_mistyped_words_and_paths_are_named(operator: Operator) -> None:
    assert "'bakcup'" in operator.types("bakcup").stderr
    place = operator.folder / "a-folder-that-is-not-there"
    assert place.name in operator.types("content", "check", str(place)).stderr


def test_migrate_reports_what_it_did(operator: Operator) -> None:
    assert "from none" in operator.types("migrate").stdout
    assert "already" in operator.types("migrate").stdout


def test_backup_never_overwrites(operator: Operator) -> None:
    operator.has_database()
    key = operator.ring.text
    assert operator.types("backup", "copy.age", AJAR_MASTER_KEY=key).returncode == 0
    again = operator.types("backup", "copy.age", AJAR_MASTER_KEY=key)
    assert again.returncode == 1
    assert "there already" in again.stderr


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + bytes(200)])
def test_restore_refuses_other_files(operator: Operator, content: bytes) -> None:
    operator.has_database()
    before = operator.database.read_bytes()
    (operator.folder / "copy.db").write_bytes(content)
    said = operator.types("restore", "copy.db")
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert operator.database.read_bytes() == before


def test_unmigrated_database_names_the_command(operator: Operator) -> None:
    said = operator.types("stats")
    assert said.returncode == 1
    assert "ajar migrate" in said.stderr


def test_no_key_before_the_first_start(operator: Operator) -> None:
    operator.has_database()
    for words in (("keys", "list"), ("keys", "rotate"), ("keys", "forget", "1")):
        said = operator.types(*words)
        assert (said.returncode, said.stderr) == (
            1,
            "ajar: There is no master key yet; it is made when the bot first starts.\n",
        )


def test_doctor_reports_a_newer_database(operator: Operator) -> None:
    operator.has_database()
    with closing(sqlite3.connect(operator.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    said = operator.types("doctor", AJAR_BOT_TOKEN="123456789:" + "A" * 35, AJAR_API_URL="http://127.0.0.1:9")
    assert "!!  database: The database is at version 9999" in said.stdout
    assert "Start the newer Ajar" in said.stdout


def test_lost_key_is_not_replaced(operator: Operator) -> None:
    operator.has_database()
    operator.add_user(1)
    said = operator.types("run", AJAR_BOT_TOKEN="123456789:" + "A" * 35, AJAR_API_URL="http://127.0.0.1:9")
    assert said.returncode == 2
    assert "master key is missing" in said.stderr
    assert not (operator.folder / "config" / "ajar" / "master.key").exists()


def test_keys_are_rotated_and_forgotten(operator: Operator) -> None:
    ring = KeyRing.new()
    make_key_file(operator.folder / "config" / "ajar" / "master.key", ring)
    operator.has_database()
    operator.add_user(7, ring)
    with closing(sqlite3.connect(operator.database)) as connection:
        (before,) = connection.execute("SELECT data_key FROM users").fetchone()
    early = operator.types("keys", "forget", "1")
    assert early.returncode == 2
    rotated = operator.types("keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with closing(sqlite3.connect(operator.database)) as connection:
        (blob,) = connection.execute("SELECT data_key FROM users").fetchone()
    assert wrapped_by(blob) == 2
    assert KeyRing.parse((operator.folder / "config" / "ajar" / "master.key").read_text()).unwrap(
        blob, 7
    ) == ring.unwrap(before, 7)
    assert "Version 2 (current): 1 user\n" in operator.types("keys", "list").stdout
    assert operator.types("keys", "forget", "1").returncode == 0
    assert "Version 1" not in operator.types("keys", "list").stdout


@pytest.mark.parametrize("words", ["list", "rotate", "rewrap", "forget 1"])
def test_every_keys_command_refuses_another_key(operator: Operator, words: str) -> None:
    operator.has_database()
    operator.add_user(7)
    file = operator.folder / "config" / "ajar" / "master.key"
    for ring in (KeyRing.new(), KeyRing.new().rotated()):
        make_key_file(file, ring)
        before = file.read_bytes(), operator.rows()
        said = operator.types("keys", *words.split())
        assert said.returncode == 2
        assert said.stderr.startswith("ajar: The master key is not the one that sealed this database")
        assert said.stdout == ""
        assert (file.read_bytes(), operator.rows()) == before
        assert [each.name for each in file.parent.iterdir()] == [file.name]
        file.unlink()


@pytest.mark.parametrize("words", ["rotate", "forget 1"])
@pytest.mark.parametrize("name", [".master.key.draft", ".master.key.before.draft"])
def test_unwritable_key_file_is_reported(operator: Operator, words: str, name: str) -> None:
    operator.has_database()
    ring = operator.ring.rotated()
    operator.add_user(7, ring)
    file = operator.folder / "config" / "ajar" / "master.key"
    make_key_file(file, ring)
    file.with_name(name).mkdir()  # root can't write there either
    said = operator.types("keys", *words.split())
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert line.startswith("ajar: The master key can't be written to ")
    assert file.read_text().strip() == ring.text
    assert operator.types("keys", "list").returncode == 0


@pytest.mark.parametrize("place", ["/proc/master.key", "/dev/null/master.key", "copy.db/master.key"])
def test_new_key_needs_a_writable_place(operator: Operator, place: str) -> None:
    (operator.folder / "copy.db").touch()
    said = operator.types("keys", "new", place)
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert line.startswith(f"ajar: The master key can't be written to {place}: ")
    assert said.stdout == ""


def test_new_key_fills_the_named_file(operator: Operator) -> None:
    file = operator.folder / "config" / "ajar" / "master.key"
    said = operator.types("keys", "new", str(file))
    assert said.returncode == 0, said.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ring = KeyRing.parse(file.read_text())
    assert ring.text not in said.stdout
    again = operator.types("keys", "new", str(file))
    assert (again.returncode, file.read_text().strip()) == (2, ring.text)
    assert KeyRing.parse(operator.types("keys", "new").stdout).current == 1


def test_doctor_names_each_problem(operator: Operator) -> None:
    said = operator.types("doctor", AJAR_BOT_TOKEN="123456789:" + "A" * 35, AJAR_API_URL="http://127.0.0.1:9")
    assert said.returncode == 1
    assert "!!  Telegram: http://127.0.0.1:9 can't be reached: connection refused" in said.stdout
    assert "ok  content" in said.stdout


def test_doctor_works_without_a_token(operator: Operator) -> None:
    said = operator.types("doctor")
    assert said.returncode == 1
    assert "!!  Telegram: AJAR_BOT_TOKEN is missing" in said.stdout
    assert "ok  data folder" in said.stdout


def test_doctor_sees_keys_beside_data(operator: Operator) -> None:
    (operator.folder / "var").mkdir()
    beside = operator.folder / "var" / "master.key"
    make_key_file(beside, operator.ring)
    said = operator.types("doctor", AJAR_MASTER_KEY_FILE=str(beside))
    assert "!!  master key" in said.stdout


def test_doctor_sees_bad_ports_and_folders(operator: Operator) -> None:
    (operator.folder / "taken").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        said = operator.types(
            "doctor", AJAR_LISTEN=address, AJAR_DATABASE_URL=f"sqlite:///{operator.folder}/taken/a.db"
        )
    assert f"!!  address: AJAR_LISTEN {address} can't be used: Address already in use" in said.stdout
    assert "!!  data folder" in said.stdout


def test_doctor_reports_an_absent_database(operator: Operator) -> None:
    said = operator.types("doctor", AJAR_DATABASE_URL="postgresql://ajar:x@127.0.0.1:9/ajar", AJAR_MASTER_KEY=TEST_KEY)
    assert "!!  database: PostgreSQL can't be reached: connection refused" in said.stdout
    assert "ok  master key: AJAR_MASTER_KEY, version 1, not compared with the database yet" in said.stdout


def test_healthcheck_names_the_address(operator: Operator) -> None:
    assert "AJAR_LISTEN is not set" in operator.types("healthcheck").stderr
    said = operator.types("healthcheck", AJAR_LISTEN="127.0.0.1:9")
    assert (said.returncode, said.stderr) == (1, "No Ajar answers at 127.0.0.1:9.\n")


def test_healthcheck_problems_exit_with_1(operator: Operator) -> None:
    """A container runtime gives 2 another meaning."""
    said = operator.types("healthcheck", AJAR_LISTEN="nowhere", AJAR_LOG_LEVEL="LOUD")
    assert said.returncode == 1
    assert "AJAR_LISTEN" in said.stderr
    for answer in ('{"status": "down"}', '{"status": "not ready", "problems": ["a list"]}', "[]", "{}", "\xff"):
        with _answers(answer) as address:
            said = operator.types("healthcheck", AJAR_LISTEN=address)
        assert (said.returncode, said.stderr.count("\n")) == (1, 1), said.stderr


@contextmanager
def _answers(body: str) -> Iterator[str]:
    """Somebody else who listens and answers everyone with this once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


@pytest.mark.parametrize("end", ["/bot", "/bot/", f"/bot123456789:{'A' * 35}"])
def test_api_address_must_not_include_bot(operator: Operator, end: str) -> None:
    said = operator.types("run", AJAR_BOT_TOKEN="123456789:" + "A" * 35, AJAR_API_URL=f"http://127.0.0.1:9{end}")
    assert said.returncode == 2
    assert said.stderr.startswith("ajar: AJAR_API_URL ends in /bot, which Ajar adds itself")


def test_content_looks_as_in_chats(operator: Operator) -> None:
    said = operator.types("content", "show", "--depth", "3", "--theme", "worry", "--lang", "de").stdout
    for card in said.strip().split("\n\n"):
        head, question, *examples = card.splitlines()
        assert head.startswith("worry.")
        assert "(depth 3, " in head
        assert question.endswith("?")
        assert [example[:4] for example in examples] == ["  – "] * 2
    assert "there is no theme wory" in operator.types("content", "show", "--theme", "wory").stderr
    assert "there is no language xx" in operator.types("content", "show", "--lang", "xx").stderr


def test_year_of_somebody_can_be_read(operator: Operator) -> None:
    said = operator.types("content", "year", "--ceiling", "2", "--from", "2026-01-05").stdout.splitlines()
    assert len(said) == 365
    assert said[0].startswith("2026-01-05  Mon  1  body ")
    assert {line.split()[2] for line in said} == {"1", "2", "-"}
    assert not any(line.split()[1] in {"Sat", "Sun"} and line.split()[3] == "work" for line in said)
    assert "there is no time zone" in operator.types("content", "year", "--zone", "Mars").stderr


def test_content_is_counted(operator: Operator) -> None:
    said = operator.types("content", "stats").stdout
    assert "receiver" in said
    assert "with a car" in said


def test_content_check_names_file_and_line(operator: Operator) -> None:
    assert operator.types("content", "check").returncode == 0
    (operator.folder / "bad").mkdir()
    said = operator.types("content", "check", "bad")
    assert said.returncode == 1
    assert "themes.toml" in said.stdout


def test_import_waits_for_its_owners_yes(operator: Operator) -> None:
    operator.has_database()
    operator.add_user(1)
    profile = Profile(
        language="en", language_chosen=False, since=datetime(2026, 11, 1, tzinfo=UTC), days=[1], receives_only=False,
        soft_reminder=False, discreet=False, depth=1, ceiling=2, comfortable=0, hour_offered=False, muted_themes=[],
        muted_sensitivities=[], rhythm="daily", unanswered=0,
    )  # fmt: skip
    document = Document(
        made_at=datetime(2026, 11, 30, tzinfo=UTC), account=1001, profile=profile,
        lines=[Line(number=1, date=date(2026, 11, 29), kept_at=datetime(2026, 11, 29, tzinfo=UTC), words="A canary.")],
    )  # fmt: skip
    file = operator.folder / "export.json"
    file.write_text(document.model_dump_json())
    said = operator.types("import", str(file), AJAR_MASTER_KEY=operator.ring.text)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("Stored, sealed, until ")
    assert 'INSERT INTO "arrivals" VALUES(1001' in str(operator.rows())
    assert b"canary" not in operator.database.read_bytes()

    file.write_text(document.model_copy(update={"last": False}).model_dump_json())
    refused = operator.types("import", str(file), AJAR_MASTER_KEY=operator.ring.text)
    assert (refused.returncode, refused.stderr) == (1, "ajar: This can't be imported: the last part is missing.\n")
