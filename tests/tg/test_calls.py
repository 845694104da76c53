"""How the bot takes the replies of Telegram, or of whoever answers in its place, to getMe."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiohttp import web

from bot.config import Config, WrongSettings
from bot.health import Health
from bot.tg import registration
from bot.tg.calls import Refusal, do, result_of, username_of
from bot.tg.client import Client
from bot.tg.registration import Introduction
from bot.tg.webhook_watch import WebhookWatch
from tests.tg.strange import served

TOKEN = "123456789:" + "A" * 35
OURS = "https://bot.example.org/hook"
ME = {"id": 123456789, "is_bot": True, "first_name": "Ajar", "username": "ajar_bot"}
FINE = json.dumps({"ok": True, "result": ME})
STRANGE = {
    "logged out": (400, '{"ok": false, "error_code": 400, "description": "Logged out"}', "Logged out"),
    "too many": (
        429,
        '{"ok":false,"error_code":429,"description":"Too Many","parameters":{"retry_after":2}}',
        "Too Many",
    ),
    "broken": (500, '{"ok": false, "error_code": 500, "description": "Internal"}', "Internal"),
    "not found": (404, '{"ok": false, "error_code": 404, "description": "Not Found"}', "Not Found"),
    "null": (200, "null", "no answer of a Bot API"),
    "empty": (200, "", "not the JSON"),
    "a page": (502, "<html>502 Bad Gateway</html>", "not the JSON"),
    "a list": (200, "[]", "no answer of a Bot API"),
    "nobody": (200, '{"ok": true, "result": {}}', "names no bot"),
    "no result": (200, '{"ok": true}', "names no bot"),
    "no username": (200, '{"ok": true, "result": {"id": 1, "is_bot": true, "first_name": "X"}}', "names no bot"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_error_code_and_reason_are_kept(name: str) -> None:
    status, body, reason = STRANGE[name]
    with pytest.raises(Refusal) as refused:
        username_of(result_of(status, body.encode()))
    assert reason in refused.value.sentence
    assert refused.value.retry_after == (2 if name == "too many" else 0)


class Api:
    """A Bot API that gives the prepared answers, then good ones."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, str]]] = {}
        self.asked: list[str] = []
        self.webhook: dict[str, Any] = {"url": "", "pending_update_count": 0}

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.asked.append(method)
        if told := self.answers.get(method):
            status, body = told.pop(0)
            return web.Response(status=status, text=body)
        if method == "setWebhook":
            self.webhook["url"] = (await request.json())["url"]
        if method == "deleteWebhook":
            self.webhook["url"] = ""
        results: dict[str, Any] = {"getMe": ME, "getWebhookInfo": self.webhook}
        return web.json_response({"ok": True, "result": results.get(method, True)})


async def introduce(api: Api, health: Health, *, take_over: bool = False, **config: Any) -> None:
    async with served(api.answer) as (url, network):
        known = Config(bot_token=TOKEN, api_url=url, **config)  # type: ignore[arg-type]
        client = Client(TOKEN, url, network)
        async with asyncio.timeout(10):
            introduction = Introduction(client, network, known, health, max_connections=100)
            await introduction.learn()
            await introduction.make_way(take_over=take_over)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "_WAITS", (0.01,))


@pytest.mark.parametrize("name", sorted(STRANGE.keys() - {"too many"}))
async def test_start_outlasts_every_strange_answer(name: str) -> None:
    api, health = Api(), Health()
    api.answers["getMe"] = 5 * [STRANGE[name][:2]]
    await introduce(api, health)
    assert "telegram" not in health.problems


async def test_start_obeys_retry_after() -> None:
    api, loop = Api(), asyncio.get_running_loop()
    status, body, _ = STRANGE["too many"]
    api.answers["getMe"] = [(status, body.replace("2}", "1}"))]
    before = loop.time()
    await introduce(api, Health())
    assert loop.time() - before >= 1


async def test_only_401_means_wrong_token() -> None:
    api = Api()
    api.answers["getMe"] = 3 * [(401, '{"ok": false, "error_code": 401, "description": "Unauthorized"}')]
    with pytest.raises(WrongSettings, match="AJAR_BOT_TOKEN is refused"):
        await introduce(api, Health())


async def test_polling_beside_a_webhook_asks_first() -> None:
    api = Api()
    api.webhook["url"] = "https://bot.example.org/secret-path"
    with pytest.raises(WrongSettings, match=r"bot\.example\.org.*--take-over") as wrong:
        await introduce(api, Health())
    assert "secret-path" not in str(wrong.value)
    assert "deleteWebhook" not in api.asked
    await introduce(api, Health(), take_over=True)
    assert api.webhook["url"] == ""


async def test_refused_webhook_says_why() -> None:
    api, health = Api(), Health()
    reason = "Bad Request: bad webhook: failed to resolve host"
    api.answers["setWebhook"] = [(400, json.dumps({"ok": False, "error_code": 400, "description": reason}))]
    with structlog.testing.capture_logs() as said:
        await introduce(api, health, webhook_url="https://bot.example.org/hook", webhook_secret="Zq4-between-us_" * 3)
    refused = [line["reason"] for line in said if line["event"] == "telegram.refuses"]
    assert refused == [f"Telegram answers 400: {reason}"]
    assert api.webhook["url"] == "https://bot.example.org/hook"


@asynccontextmanager
async def watched(api: Api, health: Health) -> AsyncIterator[WebhookWatch]:
    async with served(api.answer) as (url, network):

        async def set_again() -> None:
            await do(network.session, f"{url}/bot{TOKEN}", "setWebhook", url=OURS)

        yield WebhookWatch(network, f"{url}/bot{TOKEN}", OURS, health, set_again)


async def test_foreign_webhook_is_left_alone() -> None:
    api, health = Api(), Health()
    api.webhook["url"] = "https://other.example.org/hook"
    async with watched(api, health) as watch:
        await watch.look()
        assert "at other.example.org" in health.problems["webhook"]
        api.webhook["url"] = OURS
        await watch.look()
        assert "webhook" not in health.problems
    assert set(api.asked) == {"getWebhookInfo"}


async def test_missing_webhook_is_set_again() -> None:
    api, health = Api(), Health()
    api.answers["setWebhook"] = [(500, '{"ok": false, "error_code": 500, "description": "Internal"}')]
    async with watched(api, health) as watch:
        with structlog.testing.capture_logs() as said:
            await watch.look()
        assert [line["event"] for line in said] == ["webhook.lost", "telegram.refuses"]
        assert "gone" in health.problems["webhook"]
        with structlog.testing.capture_logs() as said:
            await watch.look()
        assert [line["event"] for line in said] == ["webhook.lost", "webhook.set_again"]
        assert health.problems.keys() == {"start"}
        assert api.webhook["url"] == OURS


async def test_failed_delivery_is_reported_once() -> None:
    api, health = Api(), Health()
    api.webhook |= {"url": OURS, "last_error_date": 1_800_000_000, "last_error_message": "Connection refused"}
    async with watched(api, health) as watch:
        with structlog.testing.capture_logs() as said:
            await watch.look()
            assert "Connection refused" in health.problems["webhook"]
            await watch.look()
        assert [line["event"] for line in said].count("webhook.failing") == 1
        assert "webhook" not in health.problems, "a minute without another failure"
