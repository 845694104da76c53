"""Real processes that needn't load anything, since they are forked from one that has loaded it all (forkserver.py).

Loading the bot takes seconds of processor time, and the tests start hundreds of processes. A forked one has its own
memory, folder, settings, output and exit code, and can be killed like any other. It ends with the process that has
started it at the latest. What is about loading itself, or about how Python is started, must start a Python of its own.
"""

import asyncio
import contextlib
import fcntl
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Final

_running: list[Connection] = []
"""What keeps the server running until this process ends."""


def _connect() -> Connection:
    """Return a connection to the server of this test run. Whichever process needs it first starts it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")
    place = Path(tempfile.gettempdir(), f"ajar-forks-{run}", "server")
    if not _running:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with place.with_name("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                _running.append(_greeted(place))
            except (OSError, EOFError):  # nobody has started it, or it has just ended
                _start(place)
                _running.append(_greeted(place))
    return Client(str(place), "AF_UNIX")


def _greeted(place: Path) -> Connection:
    """Return a connection to the server that keeps it running. Raises OSError or EOFError if there is none."""
    connection = Client(str(place), "AF_UNIX")
    connection.send_bytes(b"")
    connection.recv()
    return connection


def _start(place: Path) -> None:
    """Start the server. It takes connections at once, and answers them when everything is loaded."""
    place.unlink(missing_ok=True)
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen(64)
        listening.set_inheritable(True)
        # Not by `subprocess`, which would complain at our end that it is still running for others.
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "tests.forkserver", str(listening.fileno()), str(place.parent)],
            {**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            ],
        )


class Forked:
    """A process that does `work()` in a folder and with an environment of its own; its output is added to two files."""

    def __init__(
        self, work: Callable[[], object], *, cwd: Path, env: Mapping[str, str], output: Path, errors: Path
    ) -> None:
        self._code: int | None = None
        self._connection = _connect()
        self._connection.send_bytes(pickle.dumps((str(output), str(errors), str(cwd), dict(env), pickle.dumps(work))))
        self.pid: Final[int] = self._connection.recv()

    @property
    def returncode(self) -> int | None:
        """As `subprocess` has it: negative after a signal, None while it runs."""
        if self._code is None and self._connection.poll():
            self._code = self._connection.recv()
        return self._code

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        if self.returncode is None:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            # A duplicate, since a loop has one reader for each file and several may wait.
            told = os.dup(self._connection.fileno())
            loop.add_reader(told, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(told)
                os.close(told)
        return self.join(10)

    def join(self, seconds: float) -> int:
        """Wait until it has ended. Raises TimeoutError after killing it."""
        self._connection.poll(seconds)
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
