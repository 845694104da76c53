"""The watchdog: for what it ends a process, and above all for what it doesn't."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from bot import watchdog
from bot.health import Health
from bot.systemd import notify, watchdog_seconds
from bot.tg.inbox import Inbox
from bot.watchdog import LOOKS, Heart, Stuck, Watchdog, Work
from tests.forks import ajar
from tests.standin import stand_in, start_bot


class Desk:
    """Work that a test does or leaves undone, and a database that it takes away."""

    def __init__(self) -> None:
        self.done: int | None = 0
        self.hangs = False
        self.fails = False
        self.database = True
        self.watchdog = Watchdog([Work("Nothing is done", self.progress)], self.is_well)

    async def progress(self) -> int | None:
        if self.fails:
            raise ConnectionError
        if self.hangs:
            await asyncio.Event().wait()
        return self.done

    async def is_well(self) -> bool:
        return self.database

    async def looks(self, times: int = LOOKS + 1, between: Callable[[], None] = lambda: None) -> bool:
        """Return whether the watchdog finds anything stuck within so many looks."""
        for _ in range(times):
            if await self.watchdog.look():
                return True
            between()
        return False


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.002)
    return Desk()


async def test_work_without_progress_is_stuck(desk: Desk) -> None:
    assert not await desk.looks(LOOKS)
    assert await desk.looks(1)


async def test_progress_now_and_then_is_enough(desk: Desk) -> None:
    for _ in range(3):
        assert not await desk.looks(LOOKS - 1)
        assert desk.done is not None
        desk.done += 1
        assert not await desk.looks(1)


async def test_idle_bot_is_not_stuck(desk: Desk) -> None:
    desk.done = None
    assert not await desk.looks(3 * LOOKS)


async def test_waiting_for_the_database_is_healthy(desk: Desk) -> None:
    desk.database = False
    assert not await desk.looks(3 * LOOKS)
    desk.database = True
    assert not await desk.looks(LOOKS // 2), "it gets time to go on"
    assert await desk.looks(LOOKS)


async def test_unreadable_progress_says_nothing(desk: Desk) -> None:
    desk.fails = True
    assert not await desk.looks(3 * LOOKS)


async def test_hanging_look_counts_as_no_progress(desk: Desk) -> None:
    await desk.looks(1)
    desk.hangs = True
    assert await desk.looks()


async def test_stuck_work_ends_the_process(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: SimpleQueue[int] = SimpleQueue()
    monkeypatch.setattr(watchdog, "_ORDERLY", 0.0)
    monkeypatch.setattr("os._exit", ended.put)
    with pytest.raises(Stuck, match="Nothing is done, so the bot ends"):
        await desk.watchdog.run()
    assert ended.get(timeout=20) == 1, "even if the orderly end hangs, too"
    assert "watchdog.stuck" in capsys.readouterr().out


async def test_blocked_event_loop_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: SimpleQueue[int] = SimpleQueue()
    monkeypatch.setattr(watchdog, "LOOP_LOOK_EVERY", 0.005)
    monkeypatch.setattr(watchdog, "_end_after", lambda _: None)
    monkeypatch.setattr("os._exit", ended.put)
    beating = asyncio.create_task(Heart(Health()).run())
    await asyncio.sleep(0)
    assert ended.get(timeout=20) == 1  # this blocks the event loop
    beating.cancel()
    await asyncio.wait({beating})
    said = capsys.readouterr().out
    assert "watchdog.blocked" in said
    assert "test_watchdog.py" in said, "where it is blocked"


def _handle_nothing() -> None:
    """Run a bot that handles no updates, and whose watchdog looks fifty times a second."""

    async def handled(_: Inbox) -> int:
        return 1

    setattr(watchdog, "LOOK_EVERY", 0.02)  # noqa: B010  # for mypy
    setattr(Inbox, "handled", handled)  # noqa: B010
    ajar(("run",))


@pytest.mark.process
async def test_stuck_bot_exits_with_1(tmp_path: Path) -> None:
    """Its supervisor starts it again for that code, but not for 2."""
    async with stand_in() as telegram:
        stuck = start_bot(telegram, tmp_path)
        stuck.work = _handle_nothing
        await stuck.begin()
        assert await stuck.ended(60) == 1
    assert 'watchdog.stuck reason="Updates are no longer handled"' in stuck.output
    assert "ajar: Updates are no longer handled, so the bot ends and has to be started again." in stuck.output


# --- systemd ----------------------------------------------------------------------------------------------------------


class Systemd:
    """Hears what a service says."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    async def hears(self) -> str:
        return (await asyncio.get_running_loop().sock_recv(self._socket, 1000)).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["a file", "a name"])
async def systemd(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Systemd]:
    address = str(tmp_path / "notify") if request.param == "a file" else f"@ajar-test-{tmp_path}"[:100]
    there = Systemd(address.replace("@", "\0", 1) if address.startswith("@") else address)
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    yield there
    there.close()


async def test_systemd_is_told(systemd: Systemd) -> None:
    notify("READY=1", "STATUS=ready")
    assert await systemd.hears() == "READY=1\nSTATUS=ready"


async def test_systemd_hears_life_and_problems(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    health = Health()
    beating = asyncio.create_task(Heart(health).run())
    assert await systemd.hears() == "WATCHDOG=1\nSTATUS=the bot is still starting"
    health.report("start", "Telegram answers 502: Bad\nMAINPID=1")
    while "STATUS=" not in (heard := await systemd.hears()):
        pass
    assert heard == "WATCHDOG=1\nSTATUS=Telegram answers 502: Bad MAINPID=1"
    health.resolve("start")
    while "STATUS=ready" not in (heard := await systemd.hears()):
        assert heard == "WATCHDOG=1"
    beating.cancel()
    await asyncio.wait({beating})


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    for wrong in ("/nobody/listens/here", "relative", "@nobody"):
        monkeypatch.setenv("NOTIFY_SOCKET", wrong)
        notify("READY=1")
    assert watchdog_seconds() is None
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    assert watchdog_seconds() == 60
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_seconds() is None, "it is about another process"
