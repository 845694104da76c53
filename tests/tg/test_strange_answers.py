"""Whatever takes the place of a method's result is no failure of the bot, and doesn't count as said."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
import structlog
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Config
from bot.delivery.courier import NotSent, RateLimited, Strange
from bot.delivery.pacer import Pacer
from bot.health import Health
from bot.tg import network as network_module
from bot.tg import registration
from bot.tg import sender as sender_module
from bot.tg.client import Client
from bot.tg.network import StrangeAnswer, understood
from bot.tg.registration import Introduction
from bot.tg.screens import Screen
from bot.tg.sender import Sender
from bot.tg.webhook_watch import WebhookWatch
from tests.tg.strange import served

TOKEN: Final = "123456789:" + "A" * 35
ME: Final = {"id": 123456789, "is_bot": True, "first_name": "Ajar", "username": "ajar_bot"}
URL: Final = "https://bot.example.org/hook"
PRIVATE: Final = "The heron stood there until it got dark"
NESTED: Final = 100_000

SHAPES: Final = {
    "null": "null",
    "no": "false",
    "list": "[]",
    "list of words": json.dumps([PRIVATE]),
    "word": json.dumps(PRIVATE),
    "number": "7",
    "huge": "9" * 4000,
    "too huge": "9" * 5000,
    "fraction": "1.5",
    "not a number": "NaN",
    "object": "{}",
    "other object": json.dumps({"text": PRIVATE}),
    "id of no number": json.dumps({"message_id": PRIVATE, "id": PRIVATE, "username": 7, "url": 7}),
    "id of yes": '{"message_id": true, "id": true, "username": "x", "url": true}',
    "huge id": f'{{"message_id": {10**40}, "id": {10**40}, "username": "x", "url": []}}',
    "no id": '{"message_id": 0, "id": 0, "username": "x", "url": null}',
    "deep": "[" * NESTED + "]" * NESTED,
}
"""Results in JSON. No method returns any of them."""

CALLS: Final[dict[str, Callable[[Sender], Awaitable[Any]]]] = {
    "sendMessage": lambda sender: sender.send(1, Screen("Hello")),
    "editMessageText": lambda sender: sender.edit(1, 2, Screen("Hello")),
    "editMessageReplyMarkup": lambda sender: sender.strip(1, 2),
    "answerCallbackQuery": lambda sender: sender.toast("1"),
    "leaveChat": lambda sender: sender.leave(-1),
    "setMyCommands": lambda sender: sender.menu(1, (("today", "x"),)),
    "deleteMyCommands": lambda sender: sender.menu(1, None),
    "setMyDescription": lambda sender: sender.registrations((), "x", "y", None)[1](),
    "setMyShortDescription": lambda sender: sender.registrations((), "x", "y", None)[2](),
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(("message_id", "chat", "id", "url")) | st.text(), inner)
    ),
    max_leaves=6,
)


class Api:
    """A Bot API that gives a method these bodies, and then a good one."""

    def __init__(self, method: str, bodies: list[tuple[int, str]]) -> None:
        self.method = method
        self.bodies = bodies
        self.asked: list[str] = []
        self.webhook = ""

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.asked.append(method)
        if method == self.method and self.bodies:
            status, body = self.bodies.pop(0)
            return web.Response(status=status, text=body, content_type="application/json")
        message = {"message_id": 5, "date": 1, "chat": {"id": 1, "type": "private"}}
        results: dict[str, Any] = {"getMe": ME, "sendMessage": message, "getWebhookInfo": {"url": self.webhook}}
        return web.json_response({"ok": True, "result": results.get(method, True)})


@asynccontextmanager
async def posted(api: Api) -> AsyncIterator[Sender]:
    async with served(api.answer) as (url, network):
        yield Sender(Client(TOKEN, url, network), Pacer())


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "_WAITS", (0.01,))
    monkeypatch.setattr(sender_module, "_WAITS", (0.01,))
    network_module.strange.clear()


def _yes(result: str) -> tuple[int, str]:
    return 200, f'{{"ok": true, "result": {result}}}'


@pytest.mark.parametrize("method", CALLS)
async def test_no_strange_result_counts_as_success(method: str) -> None:
    async with posted(api := Api(method, [_yes(result) for result in SHAPES.values()])) as sender:
        for name in SHAPES:
            with structlog.testing.capture_logs() as said, pytest.raises(Strange):
                await CALLS[method](sender)
            network_module.strange.clear()
            assert [(line["event"], line["method"]) for line in said] == [("telegram.strange", method)], name
            assert PRIVATE not in repr(said)
        assert api.bodies == []
        await CALLS[method](sender)


@pytest.mark.parametrize("method", CALLS)
async def test_call_is_repeated_at_most_once(method: str) -> None:
    """It may have worked the first time, and Telegram may go on like that forever."""
    api = Api(method, 10 * [_yes("null")])
    async with posted(api) as sender:
        assert await sender.persist(1, lambda: CALLS[method](sender)) is None
    assert api.asked == 2 * [method]


async def test_second_readable_copy_counts() -> None:
    api = Api("sendMessage", [_yes("{}")])
    async with posted(api) as sender:
        assert await sender.persist(1, lambda: CALLS["sendMessage"](sender)) == 5
    assert len(api.asked) == 2


@given(
    method=st.sampled_from([*CALLS, "getMe", "sendDocument"]), result=anything, status=st.sampled_from((200, 201, 500))
)
def test_library_always_gets_the_right_type(method: str, result: Any, status: int) -> None:
    body = json.dumps({"ok": True, "result": result}).encode()
    try:
        code, answer = understood(method, status, body)
    except StrangeAnswer:
        return
    assert code == 200
    given = json.loads(answer)["result"]
    assert given is True or given.get("message_id", given.get("id")) > 0


@given(answer=anything | st.fixed_dictionaries({"ok": st.just(False), "parameters": anything, "error_code": anything}))
def test_refusal_is_always_a_refusal(answer: Any) -> None:
    code, body = understood("sendMessage", 400, json.dumps(answer).encode())
    assert 400 <= code < 600
    assert json.loads(body)["ok"] is False


WAITS: Final = {
    "2": 2, "2.5": 3, '"2"': 2, "null": 0, "true": 0, "-5": 0, "[]": 0, "{}": 0, '"soon"': 0, "NaN": 0, '"inf"': 0,
    "1e999": 0, "9" * 30: 3600, "9" * 400: 3600,
}  # fmt: skip


@pytest.mark.parametrize("wait", WAITS)
async def test_retry_after_takes_any_notation(wait: str) -> None:
    body = f'{{"ok": false, "error_code": 429, "description": "x", "parameters": {{"retry_after": {wait}}}}}'
    async with posted(Api("sendMessage", [(429, body)])) as sender:
        if WAITS[wait]:
            with pytest.raises(RateLimited) as held:
                await CALLS["sendMessage"](sender)
            assert held.value.wait.total_seconds() == WAITS[wait]
        else:
            with pytest.raises(NotSent):
                await CALLS["sendMessage"](sender)


@pytest.mark.parametrize("method", ["getMe", "getWebhookInfo", "setWebhook", "deleteWebhook"])
@pytest.mark.parametrize("name", SHAPES)
async def test_start_outlasts_strange_results(method: str, name: str) -> None:
    api, health = Api(method, 3 * [_yes(SHAPES[name])]), Health()
    ours: dict[str, Any] = (
        {"webhook_url": URL, "webhook_secret": "Zq4-between-us_" * 3} if method == "setWebhook" else {}
    )
    api.webhook = "https://other.example.org/hook" if method == "deleteWebhook" else ""
    async with served(api.answer) as (url, network), asyncio.timeout(10):
        config = Config(bot_token=TOKEN, api_url=url, **ours)  # type: ignore[arg-type]
        client = Client(TOKEN, url, network)
        introduction = Introduction(client, network, config, health, max_connections=100)
        with structlog.testing.capture_logs() as said:
            await introduction.learn()
            await introduction.make_way(take_over=True)
    assert api.bodies == []
    assert "telegram" not in health.problems
    assert PRIVATE not in repr(said)


async def _never() -> None:
    raise AssertionError


@pytest.mark.parametrize("name", SHAPES)
async def test_webhook_watch_ignores_strange_results(name: str) -> None:
    api, health = Api("getWebhookInfo", [_yes(SHAPES[name])]), Health()
    async with served(api.answer) as (url, network):
        await WebhookWatch(network, f"{url}/bot{TOKEN}", URL, health, _never).look()
    assert "telegram" in health.problems
    assert "webhook" not in health.problems
    assert set(api.asked) == {"getWebhookInfo"}
