"""`ajar demo`: the stand-in and, in a separate process, the same bot that an operator runs."""

import asyncio
import base64
import contextlib
import errno
import os
import secrets
import shutil
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from aiohttp import web

import bot
from bot.clock import FileClock
from bot.demo.keys import NextDue, Zones
from bot.demo.server import create_app
from bot.demo.store import Store
from bot.demo.timefile import TimeFile
from bot.demo.world import World
from bot.stopping import stop_signals
from bot.storage.backup import InUse, sole_user

PATIENCE = 10.0  # seconds that the bot has to exit
LAST_PORT = 65_535
PORTS_TRIED = 50
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a bot that died is restarted; doubles each time
STEADY = 60.0  # seconds after which the bot counts as running well

BOT = (sys.executable, "-m", "bot", "run")

Say = Callable[[str], None]


async def run_demo(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8088,
    fresh: bool = False,
    open_browser: bool = True,
    next_due: NextDue,
    zones: Zones | None = None,
    say: Say,
    command: Sequence[str] = BOT,
) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit code.

    The folder contains everything of the demo: `bot` is the bot's data folder, `clock` the offset of its clock,
    `demo.key` its master key, `world` the stand-in's state. `fresh` deletes these four first. If `port` is taken, the
    next free one is used; 0 means any. `say` gets the lines that a person should read. `command` starts the bot.
    """
    try:
        with _ours(folder, fresh=fresh):
            app = partial(create_app, next_due=next_due, zones=zones)
            return await _run(folder, (host, port), app, command, open_browser=open_browser, say=say)
    except InUse:
        say(f"Another demo is using {folder}. Go to its page, or end it first; --folder starts one of its own.")
        return 1


async def _run(
    folder: Path,
    at: tuple[str, int],
    make_app: Callable[..., web.Application],
    command: Sequence[str],
    *,
    open_browser: bool,
    say: Say,
) -> int:
    time_file = TimeFile(folder / "clock")
    world = World(FileClock(time_file.path).now)
    store = Store(world, folder / "world")
    try:
        store.load()
    except ValueError as error:
        say(f"The demo's saved state can't be read ({error}). Start over with: ajar demo --fresh")
        return 1
    app = make_app(world, time_file=time_file)
    try:
        with stop_signals() as stopped:
            async with _saved(store), _serving(app, *at) as address:
                say(f"Ajar's demo is open at {address} - Ctrl-C ends it")
                if open_browser:
                    await asyncio.to_thread(_open, address)
                environment = _environment(folder, world.token, address)
                await _run_bot(command, environment, folder, stopped, say)
    except CannotListen as error:
        say(str(error))
        return 1
    say("The demo has ended. It continues where it stopped when you start it again.")
    return 0


class CannotListen(Exception):
    """No port could be opened. The text is for the person who started the demo."""


@contextlib.contextmanager
def _ours(folder: Path, *, fresh: bool) -> Iterator[None]:
    """Lock the folder before anything in it is deleted or read: two demos would overwrite each other's data."""
    folder.mkdir(parents=True, exist_ok=True)
    with sole_user(folder / "demo"):
        if fresh:
            _forget(folder)
        yield


def _forget(folder: Path) -> None:
    for name in ("bot", "world"):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    for name in ("clock", "demo.key"):
        (folder / name).unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _serving(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield f"http://{_in_url(host)}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    last = min(port + PORTS_TRIED, LAST_PORT) if port else 0
    for candidate in range(port, last + 1):
        site = web.TCPSite(runner, host, candidate)
        try:
            await site.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or candidate == last:
                raise CannotListen(f"The demo can't listen on {host}:{candidate}: {error.strerror}.") from error
            await site.stop()
        else:
            return


def _in_url(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - as requested; this is where a browser finds it
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


@contextlib.asynccontextmanager
async def _saved(store: Store) -> AsyncIterator[None]:
    store.begin()
    try:
        yield
    finally:
        await store.end()


def _open(address: str) -> None:
    """Open a browser if there probably is a screen. The address has been printed, so a failure doesn't matter."""
    screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not screen:
        return
    with contextlib.suppress(webbrowser.Error, OSError):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:  # a generic one would take over the terminal
            browser.open(address)


def _environment(folder: Path, token: str, address: str) -> dict[str, str]:
    """Return the bot's environment: the machine's, without settings that are meant for a real bot."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AJAR_")}
    paths = [str(Path(bot.__file__).parents[1]), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {
        "AJAR_BOT_TOKEN": token,
        "AJAR_API_URL": address.rstrip("/"),
        "AJAR_DATA_DIR": str((folder / "bot").absolute()),
        "AJAR_CLOCK_FILE": str((folder / "clock").absolute()),
        "AJAR_MASTER_KEY": _key(folder / "demo.key"),
        "AJAR_LOG_FORMAT": "text",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _key(path: Path) -> str:
    """Return the demo's own master key: 32 random bytes, readable only by the user."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
    return path.read_text().strip()


async def _run_bot(
    command: Sequence[str], environment: dict[str, str], folder: Path, stopped: asyncio.Event, say: Say
) -> None:
    """Keep the bot running until we are stopped. Its working folder is the demo's, so that it finds no .env file."""
    loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
    stopping = asyncio.ensure_future(stopped.wait())
    try:
        while not stopped.is_set():
            began = loop.time()
            process = await asyncio.create_subprocess_exec(
                *command, cwd=folder, env=environment, start_new_session=True
            )
            ended = asyncio.ensure_future(process.wait())
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopped.is_set():
                await _end(process, say)
                await ended
                break
            pause = FIRST_PAUSE if loop.time() - began > STEADY else pause
            say(f"The bot ended by itself (exit code {process.returncode}). It will be started again in {pause:.0f} s.")
            await asyncio.wait({stopping}, timeout=pause)
            pause = min(pause * 2, LONGEST_PAUSE)
    finally:
        stopping.cancel()


async def _end(process: asyncio.subprocess.Process, say: Say) -> None:
    """Stop the bot with SIGTERM, and after 10 s with SIGKILL: that loses nothing, but makes its next start slower."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), PATIENCE)
    except TimeoutError:
        say("The bot did not end in time, so it was stopped.")
        process.kill()
        await process.wait()
