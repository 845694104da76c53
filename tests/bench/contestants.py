"""The bots that are measured, each in its own process: Ajar as it is run, and bare ones."""

import asyncio
import contextlib
import itertools
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url, text

import bot
from bot.demo.updates import Update, Updates
from bot.demo.webhook import Webhook
from bot.storage.engine import single_engine
from tests.journeys.house import free_port, webhook_settings
from tests.standin import BotProcess, Telegram, start_bot

ROOT = Path(bot.__file__).parents[1]
INSTALLED = (sys.executable, "-m", "tests.bench.installed", "run")
_SHARE_AFTER = 3.0
"""Seconds after which processes that have joined each other have also heard how many they are."""


@dataclass
class Running:
    """A bot that asks for updates."""

    pid: int
    began_after: float
    """Seconds from its start to its first getUpdates."""

    @property
    def _processes(self) -> list[psutil.Process]:
        main = psutil.Process(self.pid)
        return [main, *main.children(recursive=True)]

    @property
    def cpu(self) -> float:
        """Seconds of processor time used so far, including its children."""
        times = [process.cpu_times() for process in self._processes]
        return float(sum(each.user + each.system for each in times))

    @property
    def rss(self) -> float:
        """Memory in MiB in use now, including its children."""
        return float(sum(process.memory_info().rss for process in self._processes)) / 2**20


@contextlib.asynccontextmanager
async def ajar(
    telegram: Telegram,
    folder: Path,
    *,
    postgres: str | None = None,
    webhook: bool = False,
    command: Sequence[str] = INSTALLED,
) -> AsyncIterator[Running]:
    """Ajar, with its database in `folder`, or on PostgreSQL behind this URL."""
    process = _process(telegram, folder, postgres, command, webhook_settings() if webhook else {})
    began = time.perf_counter()
    await process.start(seconds=60)
    took = time.perf_counter() - began
    try:
        yield Running(process.pid, took)
    finally:
        await process.stop()


@contextlib.asynccontextmanager
async def several(telegram: Telegram, folder: Path, postgres: str, count: int) -> AsyncIterator[list[Running]]:
    """This many processes of Ajar on one PostgreSQL, all of which know of each other, behind one webhook."""
    listening = [f"127.0.0.1:{free_port()}" for _ in range(count)]
    telegram.world.webhook = Balanced(telegram.world.updates, [f"http://{each}/telegram" for each in listening])
    shared = {**webhook_settings(), "AJAR_WEBHOOK_URL": f"http://{listening[0]}/telegram"}
    shared["AJAR_ENDINGS_DIR"] = str(folder / "endings")
    async with contextlib.AsyncExitStack() as stack:
        found: list[Running] = []
        for number, listen in enumerate(listening):
            settings = {**shared, "AJAR_LISTEN": listen}
            process = _process(telegram, folder / str(number), postgres, INSTALLED, settings)
            await (process.begin() if number else process.start(seconds=60))
            stack.push_async_callback(process.stop)
            found.append(Running(process.pid, 0.0))
        await _until_joined(postgres, count)
        yield found


class Balanced(Webhook):
    """The stand-in's webhook with a load balancer behind it: each process gets every n-th update."""

    def __init__(self, updates: Updates, addresses: Sequence[str]) -> None:
        super().__init__(updates)
        self._address = addresses[0]
        self.lead_to(addresses)

    def lead_to(self, addresses: Sequence[str]) -> None:
        self._next = itertools.cycle(addresses)

    async def _post(self, update: Update) -> str | None:
        if self.hook:
            self.hook = replace(self.hook, url=next(self._next))
        return await super()._post(update)

    def info(self) -> dict[str, Any]:
        return super().info() | {"url": self._address}


def _process(
    telegram: Telegram, folder: Path, postgres: str | None, command: Sequence[str], settings: dict[str, str]
) -> BotProcess:
    if postgres:
        settings = {**settings, "AJAR_DATABASE_URL": make_url(postgres).set(drivername="postgresql").render_as_string()}
    process = start_bot(telegram, folder, command=command, AJAR_LOG_LEVEL="WARNING", **settings)
    process._env.pop("AJAR_CLOCK_FILE")  # a clock moved by hand is checked 20 times as often
    return process


async def _until_joined(postgres: str, count: int) -> None:
    async with asyncio.timeout(60), single_engine(postgres).connect() as connection:
        while await connection.scalar(text("SELECT count(*) FROM processes")) < count:
            await connection.rollback()
            await asyncio.sleep(0.05)
    await asyncio.sleep(_SHARE_AFTER)


@contextlib.asynccontextmanager
async def echo(telegram: Telegram, kind: str) -> AsyncIterator[Running]:
    """One of the bare bots in tests/bench/echo.py."""
    began, asked = time.perf_counter(), telegram.world.updates.asked
    arguments = [kind, telegram.token, telegram.url]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.echo", *arguments, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await telegram.until(lambda: telegram.world.updates.asked > asked, seconds=60)
        yield Running(process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        await process.wait()
