"""The cluster of deploy/cluster, on this machine: three PostgreSQL under Patroni, of which the primary is killed."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import asyncpg
import pytest

from tests.machine import IN_MEMORY, NOT_TESTED

SCRIPT: Final = Path(__file__).parent.parent.parent / "deploy" / "cluster" / "cluster"
NODES: Final = ("pg1", "pg2", "pg3")
NEEDED: Final = ("etcd", "patroni", "haproxy", "pgbouncer", "setpriv", "curl")
How = Literal["machine", "postgres", "frozen", "switched"]
"""What happens to the primary: its machine or only PostgreSQL dies, the machine hangs, or a standby takes its place."""


@dataclass(frozen=True)
class Cluster:
    folder: Path
    port: int = 25000

    @property
    def address(self) -> str:
        """What an operator gives to Ajar: HAProxy, which leads to the primary."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/ajar"

    @property
    def pooled(self) -> str:
        """The same through PgBouncer in transaction mode, but for what needs a connection to keep."""
        return f"{self.address}?pgbouncer=127.0.0.1:{self.port + 1}"

    async def _run(self, *words: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(SCRIPT, *words, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode().strip()

    async def primary(self) -> str:
        while True:
            code, name = await self._run("primary", str(self.folder))
            if code == 0:
                return name
            await asyncio.sleep(0.5)

    async def kill(self, node: str, how: How = "machine") -> None:
        await self._run("kill", str(self.folder), node, *([how] if how == "postgres" else []))

    async def strike(self, node: str, how: How) -> None:
        """Let this happen to the primary."""
        if how == "frozen":
            await self._run("freeze", str(self.folder), node)
        elif how == "switched":
            await self._run("switch", str(self.folder))
        else:
            await self.kill(node, how)

    async def mend(self, node: str, how: How) -> None:
        """Bring the node back that this has happened to."""
        if how == "frozen":
            await self.kill(node)  # as its watchdog does: docs/cluster.md says what happens without one
        if how in ("machine", "frozen"):
            await self.start(node)

    async def start(self, node: str) -> None:
        await self._run("start", str(self.folder), node)

    async def whole(self, seconds: float = 120) -> None:
        """Wait until there are a primary and two standbys, one of them synchronous."""
        async with asyncio.timeout(seconds):
            while (await self._run("ready", str(self.folder)))[0]:  # noqa: ASYNC110  # others' processes
                await asyncio.sleep(0.5)

    async def without_primary(self, seconds: float = 60) -> None:
        """Wait until no node is the primary any longer."""
        async with asyncio.timeout(seconds):
            while not (await self._run("primary", str(self.folder)))[0]:  # noqa: ASYNC110  # others' processes
                await asyncio.sleep(0.5)

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.address)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def make_database(self) -> None:
        """Make an empty one, instead of what an earlier test has left."""
        connection = await asyncpg.connect(self.address.replace("/ajar", "/postgres"))
        try:
            await connection.execute("DROP DATABASE IF EXISTS ajar WITH (FORCE)")
            await connection.execute("CREATE DATABASE ajar")
        finally:
            await connection.close()


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Start one, and kill all of it in the end."""
    missing = [name for name in NEEDED if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if missing:
        pytest.skip(
            f"{NOT_TESTED}the death of a primary, for want of {', '.join(missing)}. "
            "To get them: apt install etcd-server patroni haproxy pgbouncer postgresql curl"
        )
    folder = Path(tempfile.mkdtemp(prefix="ajar-drill-", dir=IN_MEMORY))
    folder.chmod(0o755)
    try:
        subprocess.run([SCRIPT, "start", folder], check=True, timeout=180)
        yield Cluster(folder)
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=False, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
