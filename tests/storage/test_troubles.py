"""Each trouble of a database is reported in one sentence, tested with real databases in that trouble."""

import asyncio
import contextlib
import sqlite3
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.crypto import KeyRing
from bot.storage import engine, probing
from bot.storage.engine import SqliteDatabase, sqlite_file
from bot.storage.migrate import HEAD, NotOurs, known_version, migrate, version_of
from bot.storage.store import Store
from bot.storage.troubles import Trouble, Unreachable, is_passing, trouble_of
from tests.databases import PostgresServer, SqliteTemplate, sqlite_url
from tests.surroundings import fill, small_disk

SERVER_SECRET = "correct-horse"


async def trouble(url: str, work: Callable[[str], object] = version_of) -> Trouble:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # that it says something is checked below
        await work(url)  # type: ignore[misc]
    found = trouble_of(caught.value, sqlite_file(url))
    assert found, repr(caught.value)
    assert is_passing(caught.value), "nobody's text is given up for it"
    assert SERVER_SECRET not in found.sentence
    return found


class TestSqlite:
    async def test_folder_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "ajar.db").mkdir()
        found = await trouble(sqlite_url(tmp_path / "ajar.db"))
        assert "is a folder" in found.sentence
        assert not found.passes

    async def test_garbage_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "ajar.db").write_bytes(b"dear diary " * 500)
        found = await trouble(sqlite_url(tmp_path / "ajar.db"))
        assert "is not an SQLite database" in found.sentence
        assert not found.passes

    async def test_damage_is_distinguished_from_garbage(self, sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
        file = Path(sqlite_template.copy(tmp_path).partition("///")[2])
        with closing(sqlite3.connect(file)) as other:
            other.execute("PRAGMA writable_schema=ON")
            other.execute("UPDATE sqlite_master SET rootpage = 99999")
            other.commit()
        assert "is damaged" in (await trouble(sqlite_url(file))).sentence

    async def test_missing_folder_is_named(self, tmp_path: Path, keys: KeyRing) -> None:
        store = Store.at(sqlite_url(tmp_path / "gone" / "ajar.db"), keys)

        async def ask(_: str) -> None:
            async with store.reading() as rows:
                await rows.users.any()

        found = await trouble(sqlite_url(tmp_path / "gone" / "ajar.db"), ask)
        assert f"The folder {tmp_path / 'gone'}" in found.sentence
        await store.close()

    async def test_full_disk_is_temporary(self, sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk") as disk:
            url = sqlite_template.copy(disk)
            fill(disk)
            found = await trouble(url)
        assert "is full" in found.sentence
        assert found.passes

    async def test_disk_without_room_for_another_file_is_full(
        self, sqlite_template: SqliteTemplate, tmp_path: Path
    ) -> None:
        with small_disk(tmp_path / "disk", files=2) as disk:  # the folder counts
            found = await trouble(sqlite_template.copy(disk))
        assert "is full" in found.sentence
        assert found.passes

    async def test_file_beside_it_that_cannot_be_made_is_no_question_of_rights(
        self, sqlite_template: SqliteTemplate, tmp_path: Path
    ) -> None:
        url = sqlite_template.copy(tmp_path)
        (tmp_path / "ajar.db-wal").mkdir()
        found = await trouble(url)
        assert "Look at the disk" in found.sentence
        assert not found.passes

    async def test_read_only_disk(self, sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", then_read_only=sqlite_template.copy) as disk:
            found = await trouble(sqlite_url(disk / "ajar.db"))
        assert "can only be read" in found.sentence
        assert not found.passes

    async def test_lock_is_temporary(self, sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
        file = Path(sqlite_template.copy(tmp_path).partition("///")[2])
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("PRAGMA journal_mode=DELETE")
            other.execute("BEGIN EXCLUSIVE")
            found = await trouble(sqlite_url(file))
        assert "locked" in found.sentence
        assert found.passes


class TestPostgres:
    @pytest.fixture
    async def members(self, postgres: PostgresServer) -> AsyncIterator[None]:
        """One role must give a password, another one has no access at all."""
        rules = postgres.folder / "data" / "pg_hba.conf"
        before = rules.read_text()
        await postgres.run(f"CREATE ROLE member LOGIN PASSWORD '{SERVER_SECRET}'")
        rules.write_text(f"local all member scram-sha-256\nlocal all outcast reject\n{before}")
        await postgres.run("SELECT pg_reload_conf()")
        yield
        rules.write_text(before)
        await postgres.run("SELECT pg_reload_conf()")
        await postgres.run("DROP ROLE member")

    @pytest.mark.usefixtures("members")
    @pytest.mark.parametrize("who", ["member:wrong", "member", "outcast:x", "nobody:x"])
    async def test_refused_role(self, postgres: PostgresServer, who: str) -> None:
        found = await _until(
            lambda: trouble(f"postgresql+asyncpg://{who}@/postgres?host={postgres.socket}"),
            lambda found: "refuses the user or the password" in found.sentence,
        )
        assert not found.passes

    async def test_read_only_hosts_are_waited_for(self, postgres: PostgresServer) -> None:
        """As it happens while another one is being promoted."""
        async with postgres.new() as url:
            await postgres.run(f"ALTER DATABASE {make_url(url).database} SET default_transaction_read_only = on")
            found = await trouble(f"{url}&target_session_attrs=read-write")
        assert "none of its hosts accepts writes" in found.sentence
        assert found.passes

    @pytest.mark.usefixtures("members")
    async def test_role_that_can_not_create_tables(self, postgres: PostgresServer) -> None:
        async with postgres.new() as url:
            found = await trouble(url.replace("postgres@", f"member:{SERVER_SECRET}@"), migrate)
        assert "lacks rights" in found.sentence
        assert not found.passes

    async def test_missing_database(self, postgres: PostgresServer) -> None:
        found = await trouble(postgres.url("nowhere"))
        assert "createdb" in found.sentence
        assert not found.passes

    async def test_standby_is_temporary(self, postgres: PostgresServer) -> None:
        async with postgres.new() as url:
            await postgres.run(f"ALTER DATABASE {make_url(url).database} SET default_transaction_read_only = on")
            found = await trouble(url, migrate)
        assert "accepts no writes now" in found.sentence
        assert found.passes

    @pytest.mark.parametrize(
        ("address", "says"),
        [
            ("u:p@127.0.0.1:1/x", "connection refused"),
            ("u:p@nowhere.invalid/x", "the name of its host is not known"),
            ("u:p@/x?host=/nowhere", "no such file or directory"),
        ],
    )
    async def test_absent_server_is_temporary(self, address: str, says: str) -> None:
        found = await trouble(f"postgresql+asyncpg://{address}")
        assert says in found.sentence
        assert found.passes

    @pytest.mark.parametrize(
        ("answers", "says", "passes"),
        [
            ([b"N"], "offers no encryption", False),  # PostgreSQL's no to TLS
            ([], "broke", True),
        ],
    )
    async def test_refused_encryption(self, answers: list[bytes], says: str, passes: bool) -> None:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for answer in answers:
                await reader.read(1000)
                writer.write(answer)
                await writer.drain()
            await reader.read(1000)
            writer.close()
            await writer.wait_closed()
            left.set()

        left = asyncio.Event()
        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            found = await trouble(f"postgresql+asyncpg://u:p@127.0.0.1:{port}/x?ssl=require")
            await left.wait()
        assert says in found.sentence
        assert found.passes is passes

    @pytest.mark.parametrize(
        ("error", "says"),
        [(ssl.SSLCertVerificationError(), "its certificate can't be relied on"), (ssl.SSLError(), "its encryption")],
    )
    def test_failed_encryption(self, error: Exception, says: str) -> None:
        unreachable = Unreachable()
        unreachable.__cause__ = error
        found = trouble_of(unreachable)
        assert found
        assert says in found.sentence
        assert not found.passes

    async def test_wrong_option_is_reported(self) -> None:
        found = await trouble("postgresql+asyncpg://u:p@127.0.0.1:1/x?ssl=perhaps")
        assert "has an option that doesn't work" in found.sentence
        assert not found.passes


async def _until(look: Callable[[], object], true: Callable[[Trouble], bool]) -> Trouble:
    """PostgreSQL reads its rules again a moment after it was told to."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(pytest.fail.Exception):
                if true(found := await look()):  # type: ignore[misc]
                    return found  # type: ignore[no-any-return]
            await asyncio.sleep(0.05)


class TestWhoseItIs:
    async def test_tables_of_others_are_left_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "ajar.db"
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE places (url)")
        before = file.read_bytes()
        for work in (migrate, version_of):
            with pytest.raises(NotOurs):
                await work(sqlite_url(file))
        with closing(sqlite3.connect(file)) as other:
            assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("places",)]
        assert len(file.read_bytes()) == len(before)

    @pytest.mark.parametrize("version", ["0002", "ae1027a6acf"])
    async def test_alembic_of_others_is_distinguished(self, tmp_path: Path, version: str) -> None:
        file = tmp_path / "ajar.db"
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE alembic_version (version_num)")
            other.execute("INSERT INTO alembic_version VALUES (?)", (version,))
            other.execute("CREATE TABLE users (id)")
            other.commit()
        with pytest.raises(NotOurs):
            await known_version(sqlite_url(file))

    async def test_replication_tables_are_no_stranger(self, tmp_path: Path) -> None:
        file = tmp_path / "ajar.db"
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE _litestream_seq (id)")
        await migrate(sqlite_url(file))
        assert await known_version(sqlite_url(file)) == HEAD

    async def test_postgres_extension_is_no_stranger(self, postgres: PostgresServer) -> None:
        async with postgres.new() as url:
            name = make_url(url).database or ""
            await postgres.run("CREATE TABLE spatial_ref_sys (id int)", database=name)
            await migrate(url)
            assert await known_version(url) == HEAD

    async def test_postgres_with_tables_of_our_names(self, postgres: PostgresServer) -> None:
        async with postgres.new() as url:
            await postgres.run("CREATE TABLE users (id int)", database=make_url(url).database or "")
            with pytest.raises(NotOurs):
                await migrate(url)


async def test_only_our_own_lock_is_healthy(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog ends a process that holds its own database for too long, and none that waits for somebody else."""
    assert await store.is_well()
    database = store._database
    if not isinstance(database, SqliteDatabase):
        return
    monkeypatch.setattr(probing, "_PATIENCE", 0.0)
    with closing(sqlite3.connect(database._file)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not await store.is_well()
    async with store.writing() as rows:
        await rows.take_note("held", "by us")
        assert not await store.is_well(), "it may still end"
        monkeypatch.setattr(engine, "_LONGEST", -1.0)
        assert await store.is_well()
    database._file = tmp_path
    assert not await store.is_well()
