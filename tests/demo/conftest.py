"""The stand-in, and a caller of its Bot API without a library in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from tests.standin import Person, Telegram, stand_in


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that the stand-in tells nobody."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  # it sets no event
            await asyncio.sleep(0.01)


class Api:
    """Calls methods with a JSON body."""

    def __init__(self, session: aiohttp.ClientSession, telegram: Telegram) -> None:
        self.session = session
        self.telegram = telegram

    def url(self, method: str) -> str:
        return f"{self.telegram.url}/bot{self.telegram.token}/{method}"

    async def call(self, method: str, **params: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.url(method), json=params) as answer:
            return answer.status, await answer.json()

    async def ok(self, method: str, **params: Any) -> Any:
        status, body = await self.call(method, **params)
        assert (status, body["ok"]) == (200, True), body
        return body["result"]

    async def polls(self) -> "asyncio.Task[tuple[int, dict[str, Any]]]":
        """Begin a long poll; return it once the stand-in holds it."""
        poll = asyncio.create_task(self.call("getUpdates", timeout=30))
        await until(lambda: self.telegram.world.updates._poll is not None)
        return poll

    async def refused(self, method: str, **params: Any) -> str:
        """Return the description of the refusal, which must be a 400 unless `code` says otherwise."""
        status, body = await self.call(method, **params)
        assert body["ok"] is False, body
        assert body["error_code"] == status
        return str(body["description"])

    async def control(self, path: str, body: dict[str, Any] | None = None, verb: str = "POST") -> tuple[int, Any]:
        async with self.session.request(verb, f"{self.telegram.url}/demo/{path}", json=body) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with stand_in() as telegram:
        yield telegram


@pytest.fixture
async def api(telegram: Telegram) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(session, telegram)


@pytest.fixture
async def alice(telegram: Telegram) -> Person:
    """Alice, who has started the bot; her update is confirmed."""
    alice = await telegram.person("Alice")
    await alice.says("/start")
    telegram.world.updates.drop_all()
    return alice
