"""`ajar demo` from start to Ctrl-C, with real processes."""

import asyncio
import base64
import contextlib
import os
import re
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

ECHO = Path(__file__).parents[1] / "echo_bot.py"
PROGRAM = """
import sys, uvloop
from pathlib import Path
from bot.demo import runner

async def next_due():
    return None

runner.FIRST_PAUSE = 0.2
folder, port, fresh, *command = sys.argv[1:]
sys.exit(uvloop.run(runner.run_demo(
    Path(folder), port=int(port), fresh=fresh == "fresh", open_browser=True, next_due=next_due,
    say=lambda line: print("SAID", line, flush=True), command=command or runner.BOT,
)))
"""


class Demo:
    """A running demo, and what it printed."""

    def __init__(self, process: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.session = session
        self.lines: list[str] = []
        self.address = ""

    async def says(self, pattern: str) -> re.Match[str]:
        """Read until a line contains this."""
        assert self.process.stdout
        async with asyncio.timeout(20):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"{pattern!r} was not said, but {self.lines}")

    async def post(self, path: str, **body: Any) -> Any:
        async with self.session.post(f"{self.address}demo/{path}", json=body) as answer:
            return await answer.json()

    async def chat(self) -> list[str]:
        async with self.session.get(f"{self.address}demo/state") as answer:
            state = await answer.json()
        return [message["text"] for message in state["phones"][0]["chat"]]

    async def hears(self, text: str) -> None:
        async with asyncio.timeout(20):
            while text not in await self.chat():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)

    async def ends(self, how: signal.Signals) -> str:
        """Return the rest of what it printed; it must end cleanly."""
        if how is signal.SIGINT:
            os.killpg(self.process.pid, how)  # as a terminal does on Ctrl-C: to everybody in the group
        else:
            self.process.send_signal(how)
        async with asyncio.timeout(20):
            rest, _ = await self.process.communicate()
        assert self.process.returncode == 0, rest
        return rest.decode()


@contextlib.asynccontextmanager
async def demo(folder: Path, *command: str, port: int = 0, fresh: bool = False) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, str(folder), str(port), "fresh" if fresh else "again"),
        *(command or (sys.executable, str(ECHO))),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with aiohttp.ClientSession() as session:
            demo = Demo(process, session)
            demo.address = (await demo.says(r"SAID Ajar's demo is open at (\S+) - Ctrl-C ends it"))[1]
            yield demo
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_demo_from_start_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals) -> None:
    monkeypatch.setenv("AJAR_WEBHOOK_URL", "https://a.real.bot/")
    async with demo(tmp_path / "demo") as running:
        pid = int((await running.says(r"^pid (\d+)"))[1])
        settings = (await running.says("^AJAR_"))[0] and running.lines[-1]
        assert settings == "AJAR_API_URL AJAR_BOT_TOKEN AJAR_CLOCK_FILE AJAR_DATA_DIR AJAR_LOG_FORMAT AJAR_MASTER_KEY\n"
        await running.post("phones/1001/text", text="hello")
        await running.hears("heard hello")
        await running.post("clock", advance=3600)
        rest = await running.ends(how)
    assert rest.startswith("goodbye\nSAID The demo has ended.")
    assert "Traceback" not in rest
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_demo_resumes_or_starts_fresh(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await running.post("phones/1001/text", text="hello")
        await running.hears("heard hello")
        await running.post("clock", advance=3600)
        await running.ends(signal.SIGTERM)
    key = tmp_path / "demo.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first_key = key.read_text()
    assert len(base64.b64decode(first_key, validate=True)) == 32
    async with demo(tmp_path) as running:
        assert await running.chat() == ["hello", "heard hello"]
        assert (await running.post("clock", advance=0))["offset"] == 3600
        await running.ends(signal.SIGTERM)
    assert key.read_text() == first_key
    (tmp_path / "bot").mkdir(exist_ok=True)
    (tmp_path / "bot" / "ajar.db").touch()
    async with demo(tmp_path, fresh=True) as running:
        assert await running.chat() == []
        assert (await running.post("clock", advance=0))["offset"] == 0
        await running.ends(signal.SIGTERM)
    assert key.read_text() != first_key
    assert not (tmp_path / "bot" / "ajar.db").exists()


async def test_dead_bot_is_started_again(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await running.post("phones/1001/text", text="/die")
        said = await running.says(r"The bot ended by itself \(exit code (\d+)\). It will be started again in (\S+) s")
        assert said[1] == "3"
        await running.says(r"SAID The bot ended by itself \(exit code 3\)")
        assert "AJAR_" in running.lines[-2], "the same update killed it a second time"
        await running.ends(signal.SIGTERM)


async def test_ending_while_the_bot_is_down(tmp_path: Path) -> None:
    async with demo(tmp_path, sys.executable, "-c", "raise SystemExit(1)") as running:
        for _ in range(3):
            await running.says("SAID The bot ended by itself")
        assert "The demo has ended" in await running.ends(signal.SIGINT)


async def test_taken_port_is_skipped(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with demo(tmp_path, port=port) as running:
            found = int(running.address.rstrip("/").rpartition(":")[2])
            assert port < found <= port + 50
            await running.ends(signal.SIGTERM)


async def test_second_demo_is_refused(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        await running.post("phones/1001/text", text="hello")
        await running.hears("heard hello")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, str(tmp_path), "0", "fresh"), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 1
        assert re.fullmatch(rb"SAID Another demo is using .*\n", output)
        await running.ends(signal.SIGTERM)
    async with demo(tmp_path) as running:
        assert await running.chat() == ["hello", "heard hello"]
        await running.ends(signal.SIGTERM)


async def test_damaged_state_is_reported(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "telegram.json").write_text("{}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, str(tmp_path), "0", "again"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert re.fullmatch(rb"SAID The demo's saved state can't be read \(.*\)\. Start over with: .*\n", output)
