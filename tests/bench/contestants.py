"""The bots that are measured, each in its own process: Ajar as it is run, and bare ones."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

import bot
from bot.demo.runner import BOT
from tests.standin import Telegram, start_bot

ROOT = Path(bot.__file__).parents[1]


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
async def ajar(telegram: Telegram, folder: Path) -> AsyncIterator[Running]:
    """Ajar, with its database in `folder`."""
    process = start_bot(telegram, folder, command=BOT, AJAR_LOG_LEVEL="WARNING")
    process._env.pop("AJAR_CLOCK_FILE")  # a clock moved by hand is checked 20 times as often
    began = time.perf_counter()
    await process.start(seconds=60)
    took = time.perf_counter() - began
    try:
        yield Running(process.pid, took)
    finally:
        await process.stop()


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
