"""What Telegram, or whoever answers in its place, says to getMe."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiohttp import web

from bot.config import Settings, WrongSettings
from bot.health import Health
from bot.tg import registration
from bot.tg.application import make_application
from bot.tg.calls import Refusal, result_of, username_of
from bot.tg.network import Network
from bot.tg.registration import Introduction
from bot.tg.webhook_watch import WebhookWatch

TOKEN = "123456789:" + "A" * 35
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
def test_the_code_and_the_reason_are_kept(name: str) -> None:
    status, body, reason = STRANGE[name]
    with pytest.raises(Refusal) as refused:
        username_of(result_of(status, body.encode()))
    assert reason in refused.value.sentence
    assert refused.value.retry_after == (2 if name == "too many" else 0)


class Api:
    """A Bot API that gives the answers it was told, then good ones."""

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


@asynccontextmanager
async def served(api: Api) -> AsyncIterator[tuple[str, Network]]:
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", api.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    network = Network()
    await network.initialize()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", network
    finally:
        await network.shutdown()
        await runner.cleanup()


async def introduce(api: Api, health: Health, *, take_over: bool = False, **settings: Any) -> None:
    async with served(api) as (url, network):
        known = Settings(bot_token=TOKEN, api_url=url, **settings)  # type: ignore[arg-type]
        application = make_application(TOKEN, url, network)
        async with asyncio.timeout(10):
            await Introduction(application, network, known, health).make(max_connections=100, take_over=take_over)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "_WAITS", (0.01,))


@pytest.mark.parametrize("name", sorted(STRANGE.keys() - {"too many"}))
async def test_a_start_outlasts_every_strange_answer(name: str) -> None:
    api, health = Api(), Health()
    api.answers["getMe"] = 5 * [STRANGE[name][:2]]
    await introduce(api, health)
    assert "telegram" not in health.ills


async def test_a_start_waits_as_long_as_it_is_told() -> None:
    api, loop = Api(), asyncio.get_running_loop()
    status, body, _ = STRANGE["too many"]
    api.answers["getMe"] = [(status, body.replace("2}", "1}"))]
    before = loop.time()
    await introduce(api, Health())
    assert loop.time() - before >= 1


async def test_only_a_401_is_the_tokens() -> None:
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


async def test_a_refused_webhook_says_why() -> None:
    api, health = Api(), Health()
    reason = "Bad Request: bad webhook: failed to resolve host"
    api.answers["setWebhook"] = [(400, json.dumps({"ok": False, "error_code": 400, "description": reason}))]
    with structlog.testing.capture_logs() as said:
        await introduce(api, health, webhook_url="https://bot.example.org/hook", webhook_secret="Zq4-between-us_" * 3)
    refused = [line["reason"] for line in said if line["event"] == "telegram.refuses"]
    assert refused == [f"Telegram answers 400: {reason}"]
    assert api.webhook["url"] == "https://bot.example.org/hook"


@pytest.mark.parametrize(
    ("found", "said"), [("", "gone"), ("https://other.example.org/hook", "at other.example.org"), ("ours", None)]
)
async def test_a_lost_webhook_is_said_and_left_alone(found: str, said: str | None) -> None:
    api, health, ours = Api(), Health(), "https://bot.example.org/hook"
    api.webhook["url"] = ours if found == "ours" else found
    async with served(api) as (url, network):
        watch = WebhookWatch(network, f"{url}/bot{TOKEN}", ours, health)
        await watch.look()
        assert (said is None) == ("webhook" not in health.ills)
        assert said is None or said in health.ills["webhook"]
        api.webhook["url"] = ours
        await watch.look()
        assert "webhook" not in health.ills
    assert set(api.asked) == {"getWebhookInfo"}


async def test_a_delivery_that_failed_is_said_once() -> None:
    api, health, ours = Api(), Health(), "https://bot.example.org/hook"
    api.webhook |= {"url": ours, "last_error_date": 1_800_000_000, "last_error_message": "Connection refused"}
    async with served(api) as (url, network):
        watch = WebhookWatch(network, f"{url}/bot{TOKEN}", ours, health)
        with structlog.testing.capture_logs() as said:
            await watch.look()
            assert "Connection refused" in health.ills["webhook"]
            await watch.look()
        assert [line["event"] for line in said].count("webhook.failing") == 1
        assert "webhook" not in health.ills, "a minute without another failure"
