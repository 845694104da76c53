"""The waiting of the receive loop itself; what it receives is in tests/journeys."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import structlog
from aiohttp import web

from bot.health import Health
from bot.tg import polling as module
from bot.tg.inbox import Gate, Inbox
from bot.tg.network import Network
from bot.tg.polling import Polling, _at_most


@pytest.mark.parametrize("steps", range(4))
async def test_simultaneous_stop_is_not_lost(steps: int) -> None:
    """Otherwise the loop would go on to ask for updates, and a stop would take as long as Telegram holds that call."""
    event = asyncio.Event()
    waiting = asyncio.create_task(_at_most(event, 60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_wait_ends_at_its_limit() -> None:
    await _at_most(asyncio.Event(), 0.01)


@pytest.mark.parametrize(
    "body",
    [
        '{"ok": true}',
        '{"ok": true, "result": null}',
        '{"ok": true, "result": {"update_id": 1}}',
        '{"ok": false}',
        '{"ok": false, "parameters": {"retry_after": null}}',
        '{"ok": false, "parameters": {"retry_after": "soon"}}',
        '{"ok": false, "parameters": []}',
        '{"ok": false, "description": 7, "error_code": "x"}',
        *(f'{{"ok": true, "result": [{each}]}}' for each in ("null", "{}", "7", '{"update_id": true}')),
        f'{{"ok": true, "result": [{{"update_id": {10**40}}}]}}',
        '{"ok": "false", "result": [{"update_id": 4}]}',
        '{"ok": false, "error_code": 429, "parameters": {"retry_after": -5}}',
        f'{{"ok": false, "error_code": {10**40}, "parameters": {{"retry_after": NaN}}}}',
        *("[" * 100_000, "", "null", "7", "[]", "<html>", "\ud800".encode("utf-8", "surrogatepass")),
    ],
    ids=lambda body: str(body[:60]),
)
async def test_polling_continues_after_any_response(body: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITS", (0.01,))
    bodies: list[str | bytes] = [body, '{"ok": true, "result": [{"update_id": 5}]}']

    async def updates(_: web.Request) -> web.Response:
        if not bodies:
            await asyncio.sleep(30)
        sent = bodies.pop(0)
        return web.Response(body=sent if isinstance(sent, bytes) else sent.encode())

    async with polled(updates) as taken:
        assert await asyncio.wait_for(taken.get(), 10) == {"update_id": 5}


async def test_nobody_is_followed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that requires a login first redirects everything there; the Bot API never does."""
    monkeypatch.setattr(module, "_WAITS", (0.01,))
    bodies = ['{"ok": true, "result": [{"update_id": 5}]}']

    async def updates(request: web.Request) -> web.Response:
        if bodies and "login" in request.query:
            return web.Response(text='{"ok": true, "result": [{"update_id": 4}]}')
        if len(asked) < 2:
            asked.append(request.query_string)
            return web.Response(status=307, headers={"Location": "/bot1:A/getUpdates?login=1"})
        if not bodies:
            await asyncio.sleep(30)
        return web.Response(text=bodies.pop(0))

    asked: list[str] = []
    async with polled(updates) as taken:
        assert await asyncio.wait_for(taken.get(), 10) == {"update_id": 5}


async def test_polling_clears_only_its_own_trouble() -> None:
    """While a start waits for another method, every answer here would repeat that Telegram is there."""
    health, asked = Health(), asyncio.Event()

    async def updates(_: web.Request) -> web.Response:
        health.report("telegram", "getMe is refused")
        if counted.popleft() == 0:
            asked.set()
            await asyncio.sleep(30)
        return web.Response(text='{"ok": true, "result": []}')

    counted = deque([3, 2, 1, 0])
    with structlog.testing.capture_logs() as said:
        async with polled(updates, health):
            await asyncio.wait_for(asked.wait(), 10)
    assert said == []


@asynccontextmanager
async def polled(
    updates: Callable[[web.Request], Awaitable[web.Response]], health: Health | None = None
) -> AsyncIterator[asyncio.Queue[Any]]:
    """Return what a receive loop takes when it gets `updates` as answer."""
    async with polling_into(asyncio.Queue(), updates, health) as (taken, _):
        yield taken


class Taking:
    """An inbox that puts everything into a queue."""

    is_full = False

    def __init__(self, taken: asyncio.Queue[Any]) -> None:
        self._taken = taken

    async def take(self, raws: Sequence[Any]) -> None:
        for raw in raws:
            await self._taken.put(raw)


@asynccontextmanager
async def polling_into(
    taken: asyncio.Queue[Any], updates: Callable[[web.Request], Awaitable[web.Response]], health: Health | None = None
) -> AsyncIterator[tuple[asyncio.Queue[Any], Polling]]:
    """Return the receive loop as well."""

    gate = Gate()
    gate.open(cast("Inbox", Taking(taken)))
    app = web.Application()
    app.router.add_post("/bot1:A/getUpdates", updates)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    network = Network()
    await network.initialize()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/bot1:A"
    polling = Polling(network, url, gate, health)
    running = asyncio.create_task(polling.run())
    try:
        yield taken, polling
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait({running})
        await network.shutdown()
        await runner.cleanup()


async def test_too_deep_update_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would come again with every batch, and nothing else in that batch would be handled."""
    monkeypatch.setattr(module, "_WAITS", (0.01,))
    deep = '{"update_id": 6, "message": ' + '{"a": ' * 50_000 + "1" + "}" * 50_001
    queue = {5: '{"update_id": 5}', 6: deep, 7: '{"update_id": 7}', 8: '{"update_id": 8}'}

    async def updates(request: web.Request) -> web.Response:
        asked = await request.json()
        for update_id in [each for each in queue if each < asked.get("offset", 0)]:
            del queue[update_id]
        if not queue:
            await asyncio.sleep(30)
        found = ",".join(list(queue.values())[: asked["limit"]])
        return web.Response(text=f'{{"ok": true, "result": [{found}]}}')

    async with polled(updates) as taken:
        heard = [(await asyncio.wait_for(taken.get(), 10))["update_id"] for _ in range(3)]
        assert heard == [5, 7, 8]


async def test_batch_is_confirmed_once_stored() -> None:
    """After that no offset is given, as ids may start anywhere after a quiet week."""
    asked: asyncio.Queue[int | None] = asyncio.Queue()
    bodies = ['[{"update_id": 8}, {"update_id": 9}]', "[]", "[]"]

    async def updates(request: web.Request) -> web.Response:
        asked.put_nowait((await request.json()).get("offset"))
        if not bodies:
            await asyncio.sleep(30)
        return web.Response(text=f'{{"ok": true, "result": {bodies.pop(0)}}}')

    async with polled(updates) as taken:
        assert [await asyncio.wait_for(asked.get(), 10) for _ in range(4)] == [None, 10, None, None]
        assert taken.qsize() == 2


async def test_watchdog_sees_a_stuck_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not a Telegram that refuses, from which the next poll will hear."""
    monkeypatch.setattr(module, "_WAITS", (60,))
    three = ", ".join(f'{{"update_id": {number}}}' for number in (5, 6, 7))
    answers = deque([f'{{"ok": true, "result": [{three}]}}', '{"ok": false, "error_code": 502}'])

    async def updates(_request: web.Request) -> web.Response:
        return web.Response(text=answers.popleft())

    refused = asyncio.Event()
    health = Health()
    monkeypatch.setattr(health, "report", lambda *_: refused.set())
    async with polling_into(asyncio.Queue(1), updates, health) as (taken, polling):
        assert await asyncio.wait_for(taken.get(), 10) == {"update_id": 5}
        assert await polling.fetched() == await polling.fetched() == 1
        for _ in range(2):
            await asyncio.wait_for(taken.get(), 10)
        await asyncio.wait_for(refused.wait(), 10)
        assert await polling.fetched() is None
