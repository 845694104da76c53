"""The webhook's server: where it is, what it accepts, and how long it keeps a connection open."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from bot.clock import HandClock
from bot.health import Health
from bot.logs import ThrottledLog
from bot.web import server as module
from bot.web.server import SECRET_HEADER, Observed, Webhook, make_server

SECRET = "a-secret-between-us"
TOKEN_PATH = "/bot123456:AAF-of-nobody"


class Door:
    """A server with the webhook at some path, and what it has accepted."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.port = 0
        self.is_full = False

    async def inbox(self) -> "Door":
        return self

    async def take(self, raws: Sequence[dict[str, Any]]) -> None:
        self.taken.extend(raws)

    async def sends(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        return reader, writer

    async def delivers(self, path: str, body: bytes = b'{"update_id": 1}', secret: str = SECRET) -> int:
        """Return the status of the answer to a request with exactly this path."""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        reader, writer = await self.sends(f"{head}{SECRET_HEADER}: {secret}\r\n\r\n".encode() + body)
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return int(answer.split()[1])


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(module, "throttled", ThrottledLog(module.log))
    return Door()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server that is made after this wait only briefly for the rest of a request."""
    monkeypatch.setattr(module, "_SENDING", 0.2)
    monkeypatch.setattr(module, "_IDLE", 0.3)


async def opened(door: Door, path: str) -> web.AppRunner:
    clock = HandClock(datetime(2026, 11, 22, tzinfo=UTC))
    runner = make_server(Observed.of(Health(), clock), Webhook(path, SECRET, door))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.port = runner.addresses[0][1]
    return runner


@pytest.fixture
async def runner(door: Door) -> AsyncIterator[web.AppRunner]:
    runner = await opened(door, "/telegram")
    yield runner
    await runner.cleanup()


@pytest.mark.parametrize(
    ("registered", "called"),
    [
        ("/bot123%3AAAF", "/bot123%3AAAF"),
        ("/bot123%3AAAF", "/bot123:AAF"),
        ("/bot123%3AAAF", "/bot123%3aAAF"),
        ("/bot123:AAF", "/bot123%3AAAF"),
        ("/a%20b", "/a%20b"),
        ("/{token}", "/{token}"),
        ("/{token}", "/%7Btoken%7D"),
        ("/a{b", "/a%7Bb"),
        ("/%0A", "/%0A"),
        ("/%ff", "/%FF"),
        ("/schön", "/sch%C3%B6n"),
        ("/", "/"),
    ],
)
async def test_path_is_found_when_quoted(door: Door, registered: str, called: str) -> None:
    runner = await opened(door, registered)
    try:
        assert await door.delivers(called) == 200
        assert await door.delivers(called, secret="wrong") == 403
        assert await door.delivers("/elsewhere") == 404
    finally:
        await runner.cleanup()
    assert door.taken == [{"update_id": 1}]


async def test_misdirected_delivery_hides_its_path(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    runner = await opened(door, "/telegram")
    for _ in range(5):
        assert await door.delivers(TOKEN_PATH) == 404
    await runner.cleanup()
    logged = capsys.readouterr().out
    assert logged.count("webhook.misdirected") == 1
    assert "secret=right" in logged
    assert "AAF" not in logged


async def test_wrong_secret_is_logged_once(
    door: Door, runner: web.AppRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [await door.delivers("/telegram", secret="wrong") for _ in range(3)] == [403] * 3
    assert capsys.readouterr().out.count("webhook.refused") == 1
    assert runner.addresses


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"update_id": 5, "message": ' + b'{"a": ' * 50_000])
async def test_too_deep_update_is_passed_over(
    door: Door, runner: web.AppRunner, capsys: pytest.CaptureFixture[str], body: bytes
) -> None:
    assert await door.delivers("/telegram", body) == 200
    assert capsys.readouterr().out.count("update.passed_over") == 1
    assert await door.delivers("/telegram") == 200
    assert door.taken == [{"update_id": 1}]
    assert runner.addresses


async def test_too_large_request_is_refused(door: Door, runner: web.AppRunner) -> None:
    assert await door.delivers("/telegram", json.dumps({"text": "x" * (1 << 20)}).encode()) == 413
    assert runner.addresses


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"POST /tele",
        b"POST /telegram HTTP/1.1\r\nHost: x\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nPOST /tele",
        f'POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n{SECRET_HEADER}: {SECRET}\r\n\r\n{{"up'.encode(),
    ],
    ids=["nothing", "line", "head", "second head", "body"],
)
async def test_half_a_request_is_cut_off(door: Door, runner: web.AppRunner, half: bytes) -> None:
    reader, writer = await door.sends(half)
    await asyncio.wait_for(reader.read(), 10)  # up to the end of the connection
    writer.close()
    assert door.taken == []
    assert runner.addresses


@pytest.mark.usefixtures("runner")
async def test_full_inbox_takes_nothing_more(door: Door) -> None:
    """Telegram keeps an update that is answered with 503, and sends it again."""
    door.is_full = True
    assert await door.delivers("/telegram") == 503
    door.is_full = False
    assert await door.delivers("/telegram") == 200
    assert len(door.taken) == 1
