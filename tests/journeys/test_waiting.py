"""A starting bot waits for an absent database or Telegram, and a stop ends the waiting at once."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import make_url

from tests.databases import PostgresServer
from tests.forks import ajar, run_beside
from tests.journeys.house import free_port
from tests.standin import BotProcess, Telegram, stand_in, start_bot


@contextlib.asynccontextmanager
async def _reachable(server: PostgresServer, port: int) -> AsyncIterator[None]:
    """Provide PostgreSQL at this port of the machine while this lasts."""
    path = f"{server.socket}/.s.PGSQL.5432"
    passing: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        for way in (pass_on(reader, back), pass_on(there, writer)):
            passing.add(asyncio.create_task(way))

    async with await asyncio.start_server(connect, "127.0.0.1", port):
        yield
    if passing:
        await asyncio.wait(passing, timeout=10)


async def _logs(bot: BotProcess, part: str, *, seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while part not in bot.output:  # noqa: ASYNC110  # another process writes it, which sets no event here
            await asyncio.sleep(0.05)


def _with_postgres(telegram: Telegram, folder: Path, port: int, name: str | None = "nowhere", **env: str) -> BotProcess:
    return start_bot(telegram, folder, AJAR_DATABASE_URL=f"postgresql://postgres@127.0.0.1:{port}/{name}", **env)


async def _health(listen: str) -> tuple[int, int, dict[str, str]]:
    """Return the answers of the health checks, alive and ready, and the problems they name."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://{listen}/health/live") as live:
            alive = live.status
        async with session.get(f"http://{listen}/health/ready") as ready:
            return alive, ready.status, (await ready.json()).get("problems", {})


async def _healthcheck(listen: str) -> int:
    """Return the exit code of `ajar healthcheck`."""
    asks = partial(ajar, ("healthcheck",))
    return (await run_beside(asks, cwd=Path.cwd(), env={**os.environ, "AJAR_LISTEN": listen})).returncode


async def test_absent_postgres_is_waited_for(postgres: PostgresServer, tmp_path: Path) -> None:
    port, listen = free_port(), f"127.0.0.1:{free_port()}"
    async with postgres.emptied() as url, stand_in() as telegram:
        bot = _with_postgres(telegram, tmp_path, port, make_url(url).database, AJAR_LISTEN=listen)
        await bot.begin()
        await _logs(bot, "database.waits")
        alive, ready, problems = await _health(listen)
        assert (alive, ready) == (200, 503)
        assert "PostgreSQL can't be reached" in problems["database"]
        assert await _healthcheck(listen) == 1
        await asyncio.sleep(3)  # it tries again meanwhile, and doesn't repeat the message
        assert bot.output.count("database.waits") == 1
        assert "PostgreSQL can't be reached: connection refused" in bot.output
        async with _reachable(postgres, port):
            await _logs(bot, "ready bot=")
            assert await _health(listen) == (200, 200, {})
            assert await _healthcheck(listen) == 0
            assert await bot.stop() == 0
    assert "trace=" not in bot.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stop_ends_the_waiting_at_once(tmp_path: Path, number: signal.Signals) -> None:
    async with stand_in() as telegram:
        bot = _with_postgres(telegram, tmp_path, free_port())
        await bot.begin()
        await _logs(bot, "database.waits")
        await _ends_at_once(bot, number)


async def test_silent_host_delays_no_stop(tmp_path: Path) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(8)
            asked.set()
            await reader.read()
        writer.close()

    asked = asyncio.Event()
    async with stand_in() as telegram, await asyncio.start_server(silence, "127.0.0.1", 0) as server:
        bot = _with_postgres(telegram, tmp_path, server.sockets[0].getsockname()[1])
        await bot.begin()
        await asyncio.wait_for(asked.wait(), 40)
        await _ends_at_once(bot, signal.SIGTERM)


async def test_absent_telegram_is_waited_for(tmp_path: Path) -> None:
    async with stand_in() as telegram:
        for kind in ("404", "502", "cut_before", "404", "404", "404", "429"):
            await telegram.fault("getMe", kind)
        bot = start_bot(telegram, tmp_path)
        await bot.begin()
        await _logs(bot, "ready bot=", seconds=60)
        assert await bot.stop() == 0
    assert bot.output.count("telegram.refuses") == 1


@pytest.mark.parametrize("kind", ["404", "429"])
async def test_stop_while_telegram_is_away(tmp_path: Path, kind: str) -> None:
    async with stand_in() as telegram:
        await telegram.fault("getMe", kind, times=-1, retry_after=3600)
        listen = f"127.0.0.1:{free_port()}"
        bot = start_bot(telegram, tmp_path, AJAR_LISTEN=listen)
        await bot.begin()
        await telegram.until(lambda: bool(telegram.calls("getMe")), seconds=40)
        await _logs(bot, "telegram.refuses")
        alive, ready, problems = await _health(listen)
        assert (alive, ready) == (200, 503)
        assert f"Telegram answers {kind}" in problems["telegram"]
        await _ends_at_once(bot, signal.SIGTERM)
        assert len(telegram.calls("getMe")) < 10


async def test_late_signal_changes_nothing(tmp_path: Path) -> None:
    async with stand_in() as telegram:
        bot = _with_postgres(telegram, tmp_path, free_port())
        await bot.begin()
        await _logs(bot, "database.waits")
        with contextlib.suppress(ProcessLookupError):
            while True:  # until there is no such process
                os.kill(bot.pid, signal.SIGTERM)
                await asyncio.sleep(0)
        assert await bot.stop() == 0


async def _ends_at_once(bot: BotProcess, number: signal.Signals) -> None:
    began = asyncio.get_running_loop().time()
    os.kill(bot.pid, number)
    assert await bot.stop() == 0
    assert asyncio.get_running_loop().time() - began < 5
    assert "trace=" not in bot.output
