"""Real processes that needn't load anything, since they are forked from one that has loaded it all (multiprocessing).

Loading the bot takes a second of processor time, and the tests start hundreds of processes. A forked one has its own
memory, folder, settings, output and exit code, and can be killed like any other. What is about loading itself, or about
how Python is started, must start a Python of its own.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

_SERVER: Final = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.preloaded"])


class Forked:
    """A process that does `work()` in a folder and with an environment of its own; its output is added to two files."""

    def __init__(
        self, work: Callable[[], object], *, cwd: Path, env: Mapping[str, str], output: Path, errors: Path
    ) -> None:
        place = (str(cwd), dict(env), str(output), str(errors))
        self._process = _SERVER.Process(target=_do, args=(work, *place), daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid: Final = self._process.pid

    @property
    def returncode(self) -> int | None:
        """As `subprocess` has it: negative after a signal, None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        # A duplicate, since a loop has one reader for each file and several may wait.
        sentinel = os.dup(self._process.sentinel)
        loop.add_reader(sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(sentinel)
            os.close(sentinel)
        return self.join(10)

    def join(self, seconds: float) -> int:
        """Wait until it has ended. Raises TimeoutError after killing it."""
        self._process.join(seconds)
        if self.returncode is None:
            self.kill()
            raise TimeoutError
        return self.returncode


def run(
    work: Callable[[], object], *, cwd: Path, env: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Wait until it has ended and return what it said, like `subprocess.run`. Raises TimeoutError."""
    with _files() as (output, errors):
        code = Forked(work, cwd=cwd, env=env, output=output, errors=errors).join(seconds)
        return subprocess.CompletedProcess("", code, output.read_text("utf-8"), errors.read_text("utf-8"))


async def run_beside(
    work: Callable[[], object], *, cwd: Path, env: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Like `run`, for a process that talks to something on this loop."""
    with _files() as (output, errors):
        process = Forked(work, cwd=cwd, env=env, output=output, errors=errors)
        try:
            code = await asyncio.wait_for(process.wait(), seconds)
        finally:
            process.kill()
        return subprocess.CompletedProcess("", code, output.read_text("utf-8"), errors.read_text("utf-8"))


@contextlib.contextmanager
def _files() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="ajar-said-") as folder:
        yield Path(folder, "output"), Path(folder, "errors")


def ajar(words: tuple[str, ...]) -> None:
    """Do what `python -m bot` does once everything is loaded."""
    from bot.cli import main

    sys.argv = ["ajar", *words]
    main(words, prog_name="ajar")


def _do(work: Callable[[], object], cwd: str, env: dict[str, str], output: str, errors: str) -> None:
    for number, file in ((1, output), (2, errors)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    work()
