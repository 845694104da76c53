"""Webhook delivery: the secret, order within a chat, parallel chats, and repeats until it is accepted."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.demo.webhook import SECRET_HEADER
from tests.demo.conftest import Api, until
from tests.standin import Person, Telegram

SECRET = "a-secret_1"


class Receiver:
    """A webhook that answers as instructed."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.secrets: list[str | None] = []
        self.statuses: list[int] = []  # answers to come; then 200
        self.open = asyncio.Event()  # while not set, answers wait
        self.open.set()
        self.at_once = 0
        self.most_at_once = 0
        self.url = ""

    @property
    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.updates]

    async def receive(self, request: web.Request) -> web.Response:
        self.times.append(asyncio.get_running_loop().time())
        self.updates.append(await request.json())
        self.secrets.append(request.headers.get(SECRET_HEADER))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await self.open.wait()
        self.at_once -= 1
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def test_delivered_with_the_secret(api: Api, alice: Person, telegram: Telegram, receiver: Receiver) -> None:
    await alice.says("waiting already")
    await api.ok("setWebhook", url=receiver.url, secret_token=SECRET)
    await alice.says("new")
    await telegram.confirmed()
    assert receiver.texts == ["waiting already", "new"]
    assert set(receiver.secrets) == {SECRET}
    info = await api.ok("getWebhookInfo")
    assert (info["url"], info["pending_update_count"], info["max_connections"]) == (receiver.url, 0, 40)
    assert "last_error_message" not in info


@pytest.mark.parametrize("status", [500, 404, 302, 304])
async def test_repeated_until_accepted(
    api: Api, alice: Person, telegram: Telegram, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status, status]
    await api.ok("setWebhook", url=receiver.url)
    await alice.says("first")
    await alice.says("second")
    await telegram.confirmed()
    assert receiver.texts == ["first", "first", "first", "second"], "and the next waits for its turn"
    assert len({update["update_id"] for update in receiver.updates[:3]}) == 1
    info = await api.ok("getWebhookInfo")
    assert info["last_error_message"].startswith(f"Wrong response from the webhook: {status}")


async def test_repeated_with_growing_pauses(api: Api, alice: Person, telegram: Telegram, receiver: Receiver) -> None:
    receiver.statuses = [500] * 3
    await api.ok("setWebhook", url=receiver.url)
    await alice.says("hello")
    await telegram.confirmed()
    pauses = [later - earlier for earlier, later in itertools.pairwise(receiver.times)]
    assert len(pauses) == 3
    first = telegram.world.webhook.first_retry
    assert all(pause >= first * 2**number * 0.95 for number, pause in enumerate(pauses)), "at least: it may be late"


async def test_nobody_listens_at_first(api: Api, alice: Person, telegram: Telegram, receiver: Receiver) -> None:
    await api.ok("setWebhook", url="http://127.0.0.1:9/hook")
    await alice.says("hello")
    async with asyncio.timeout(5):
        while "last_error_message" not in await api.ok("getWebhookInfo"):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    info = await api.ok("getWebhookInfo")
    assert (info["pending_update_count"], info["last_error_message"]) == (1, "Connection refused")
    await api.ok("setWebhook", url=receiver.url)
    await telegram.confirmed()
    assert receiver.texts == ["hello"]


async def test_parallel_chats_have_a_limit(api: Api, telegram: Telegram, receiver: Receiver) -> None:
    receiver.open.clear()
    await api.ok("setWebhook", url=receiver.url, max_connections=3)
    for n in range(5):
        person = await telegram.person(f"Person {n}")
        await person.says("one")
        await person.says("two")
    await until(lambda: receiver.at_once >= 3)
    await asyncio.sleep(0.1)  # a fourth would come at once
    assert (receiver.most_at_once, len(receiver.updates)) == (3, 3)
    assert receiver.texts == ["one"] * 3, "a chat's second update waits for its first"
    receiver.open.set()
    await telegram.confirmed()
    assert receiver.most_at_once == 3
    assert sorted(receiver.texts) == ["one"] * 5 + ["two"] * 5


async def test_unaccepted_updates_stay_for_polling(
    api: Api, alice: Person, telegram: Telegram, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 1000
    await api.ok("setWebhook", url=receiver.url)
    await alice.says("hello")
    await until(lambda: len(receiver.updates) > 1)
    await api.ok("setWebhook", url="")
    assert [update["message"]["text"] for update in await api.ok("getUpdates")] == ["hello"]
    before = len(receiver.updates)
    await asyncio.sleep(0.3)
    assert len(receiver.updates) == before, "nothing is delivered any more"
    assert (await api.ok("getWebhookInfo"))["url"] == ""
    assert telegram.pending == 1


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"url": "http://bot.example/hook"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            {"url": "https://bot.example:8000/hook"},
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ({"url": "https://bot.example/", "secret_token": "a b"}, "secret token contains unallowed characters"),
        ({"url": "https://bot.example/", "secret_token": "x" * 257}, "secret token is too long"),
        ({}, 'parameter "url" is required'),
    ],
)
async def test_invalid_webhooks_are_refused(api: Api, params: dict[str, str], error: str) -> None:
    assert await api.refused("setWebhook", **params) == f"Bad Request: {error}"
