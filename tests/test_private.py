"""Files and memory are accessible to only one user of the machine."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.store import Store as DemoStore
from bot.demo.timefile import TimeFile
from bot.demo.world import StoredFile, World
from bot.private import make_private, write
from bot.storage.backup import back_up
from bot.storage.migrate import migrate
from bot.storage.store import Store
from tests.databases import sqlite_url


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    found = [(path, path.stat().st_mode) for path in folder.rglob("*") if path.is_file()]
    assert found
    return [f"{path.name}: {stat.filemode(mode)}" for path, mode in found if mode & 0o077]


@pytest.mark.usefixtures("no_umask")
async def test_database_is_private_to_its_owner(tmp_path: Path, keys: object) -> None:
    file = tmp_path / "data" / "ajar.db"
    await migrate(sqlite_url(file))
    store = Store.at(sqlite_url(file), keys)  # type: ignore[arg-type]
    async with store.writing() as rows:
        await rows.take_note("a", "b")
        assert {"ajar.db", "ajar.db-wal", "ajar.db-shm"} == {path.name for path in file.parent.iterdir()}
        assert not open_to_others(tmp_path)
    back_up(file, tmp_path / "copies" / "one.age", keys)  # type: ignore[arg-type]
    assert not open_to_others(tmp_path)
    for path in file.parent.iterdir():
        path.chmod(0o666)  # as an earlier version left them
    again = Store.at(sqlite_url(file), keys)  # type: ignore[arg-type]
    async with again.reading() as rows:
        assert await rows.note("a") == "b"
    assert not open_to_others(tmp_path)
    await again.close()
    await store.close()


@pytest.mark.usefixtures("no_umask")
def test_demo_state_is_private(tmp_path: Path) -> None:
    clock = TimeFile(tmp_path / "clock")
    clock.set(3.5)
    world = World(lambda: None)  # type: ignore[arg-type,return-value]
    world.files["a"] = StoredFile("a", "photos/a.jpg", "a.jpg", "photo", b"light")
    store = DemoStore(world, tmp_path / "world")
    store.save()
    assert not open_to_others(tmp_path)
    for path in tmp_path.rglob("*"):
        path.chmod(0o777)
    DemoStore(World(lambda: None), tmp_path / "world").load()  # type: ignore[arg-type,return-value]
    TimeFile(tmp_path / "clock")
    assert not open_to_others(tmp_path)


@pytest.mark.usefixtures("no_umask")
@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_files_are_private_under_any_umask(tmp_path: Path, mask: int) -> None:
    os.umask(mask)
    write(tmp_path / "written", b"x")
    os.umask(0)
    make_private(tmp_path / "made")
    (tmp_path / "was").write_bytes(b"y")
    make_private(tmp_path / "was")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert (tmp_path / "was").read_bytes() == b"y"


PRCTL = "__import__('ctypes').CDLL(None).prctl"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
def test_process_leaves_no_core_dump(tmp_path: Path) -> None:
    code = (
        "import os, resource, bot.private as p; hard = resource.getrlimit(resource.RLIMIT_CORE)[1];"
        "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)); p.close_off();"
        f"print(resource.getrlimit(resource.RLIMIT_CORE), {PRCTL}(3, 0, 0, 0, 0), flush=True); os.abort()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout == "(0, 0) 0\n"
    assert ended.returncode == -6
    assert not list(tmp_path.iterdir())
