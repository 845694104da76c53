"""Each fault does what it says, as often as requested, and to the right chats."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from tests.demo.conftest import Api, until
from tests.standin import Person, Telegram


async def send(api: Api, person: Person, text: str = "hello") -> tuple[int, dict[str, Any]]:
    return await api.call("sendMessage", chat_id=person.id, text=text)


def texts_of_bot(person: Person) -> list[str]:
    return [seen.text for seen in person.sees if seen.by_bot]


@pytest.mark.parametrize(
    ("kind", "status", "description"),
    [
        ("400", 400, "Bad Request: chat not found"),
        ("401", 401, "Unauthorized"),
        ("403", 403, "Forbidden: bot was blocked by the user"),
        ("404", 404, "Not Found"),
        ("429", 429, "Too Many Requests: retry after 1"),
    ],
)
async def test_refusals(api: Api, alice: Person, telegram: Telegram, kind: str, status: int, description: str) -> None:
    await telegram.fault("sendMessage", kind)
    answered, body = await send(api, alice)
    assert (answered, body["error_code"], body["description"]) == (status, status, description)
    assert texts_of_bot(alice) == []
    assert (await send(api, alice))[0] == 200, "once only"


async def test_429_says_how_long_to_wait(api: Api, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("*", "429", retry_after=7)
    _, body = await send(api, alice)
    assert body["description"] == "Too Many Requests: retry after 7"
    assert body["parameters"] == {"retry_after": 7}


async def test_custom_error_text(api: Api, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("sendMessage", "403", description="Forbidden: user is deactivated")
    assert (await send(api, alice))[1]["description"] == "Forbidden: user is deactivated"


async def test_502_has_an_html_body(api: Api, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("sendMessage", "502")
    async with api.session.post(api.url("sendMessage"), json={"chat_id": alice.id, "text": "x"}) as answer:
        assert answer.status == 502
        assert answer.content_type == "text/html"
        assert "<html>" in await answer.text()
    assert texts_of_bot(alice) == []


@pytest.mark.parametrize(("kind", "applied"), [("cut_before", []), ("cut_after", ["hello"])])
async def test_cut_connections(api: Api, alice: Person, telegram: Telegram, kind: str, applied: list[str]) -> None:
    await telegram.fault("sendMessage", kind)
    with pytest.raises(aiohttp.ClientConnectionError):
        await send(api, alice)
    assert texts_of_bot(alice) == applied
    call = telegram.calls("sendMessage")[-1]
    assert (call["status"], call["ok"]) == (0, bool(applied))


async def test_malformed_answer(api: Api, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("sendMessage", "malformed")
    async with api.session.post(api.url("sendMessage"), json={"chat_id": alice.id, "text": "x"}) as answer:
        assert answer.status == 200
        with pytest.raises(ValueError, match="Expecting"):
            await answer.json()
    assert texts_of_bot(alice) == ["x"]


async def test_slow_with_another_fault_until_cleared(api: Api, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("*", "slow", seconds=0.2, times=-1)
    await telegram.fault("sendMessage", "403")
    for status in (403, 200, 200):
        began = time.monotonic()
        assert (await send(api, alice))[0] == status
        assert time.monotonic() - began >= 0.2
    await telegram.no_faults()
    await telegram.fault("*", "slow", seconds=60, times=-1)
    await telegram.no_faults()
    async with asyncio.timeout(20):
        await send(api, alice)


async def test_fault_has_a_chat_and_count(api: Api, alice: Person, telegram: Telegram) -> None:
    bob = await telegram.person("Bob")
    await bob.says("/start")
    await telegram.fault("sendMessage", "403", chat_id=bob.id, times=2)
    statuses = [(await send(api, person))[0] for person in (alice, bob, alice, bob, bob)]
    assert statuses == [200, 403, 200, 403, 200]


async def test_get_updates_can_fail_once(api: Api, alice: Person, telegram: Telegram) -> None:
    await alice.says("hello")
    await telegram.fault("getUpdates", "404")
    assert await api.refused("getUpdates") == "Not Found"
    assert len(await api.ok("getUpdates")) == 1


async def test_repeated_updates(api: Api, alice: Person, telegram: Telegram) -> None:
    await alice.says("one")
    await alice.says("two")
    batch = await api.ok("getUpdates")
    await telegram.fault("getUpdates", "repeat")
    offset = batch[-1]["update_id"] + 1
    assert await api.ok("getUpdates", offset=offset) == batch, "though they were just confirmed"
    assert await api.ok("getUpdates", offset=offset) == []


async def test_shuffled_updates(api: Api, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("getUpdates", "shuffle")
    await alice.says("one")
    ids = [update["update_id"] for update in await api.ok("getUpdates")]
    await alice.says("two")
    await alice.says("three")
    shuffled = [update["update_id"] for update in await api.ok("getUpdates")]
    assert shuffled == [ids[0] + 2, ids[0] + 1, ids[0]], "the fault waited for a batch that it can shuffle"


async def test_good_batch_with_a_malformed_update(api: Api, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("getUpdates", "malformed")
    await alice.says("one")
    await alice.says("two")
    batch = await api.ok("getUpdates")
    assert [isinstance(update["message"]["chat"], dict) for update in batch] == [True, False, True]
    assert telegram.pending == 3, "it must be confirmed like the others"
    await api.ok("getUpdates", offset=max(update["update_id"] for update in batch) + 1)
    assert telegram.pending == 0


async def test_abandoned_poll_uses_up_no_fault(api: Api, alice: Person, telegram: Telegram) -> None:
    gone = await api.polls()
    gone.cancel()
    await asyncio.wait({gone})
    await telegram.fault("getUpdates", "malformed")
    await alice.says("hello")
    await until(lambda: bool(telegram.calls("getUpdates")))
    assert [(call["status"], call["result_or_error"]) for call in telegram.calls("getUpdates")] == [(0, [])]
    assert len(await api.ok("getUpdates")) == 2, "the fault was kept for the next poll"


async def test_faults_over_http(api: Api, alice: Person) -> None:
    assert await api.control("faults", {"method": "sendMessage", "kind": "403", "times": 5}) == (200, {})
    assert (await send(api, alice))[0] == 403
    assert await api.control("faults", verb="DELETE") == (200, {})
    assert (await send(api, alice))[0] == 200


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"method": "sendMessage", "kind": "flood"}, '"flood" is no fault of sendmessage'),
        ({"method": "sendMessage", "kind": "shuffle"}, '"shuffle" is no fault of sendmessage'),
        ({"method": "sendMessage"}, '"kind" is missing'),
        ({"kind": "403", "time": 2}, "A fault has no time"),
        ({"kind": "403", "times": "2"}, '"times" should be'),
    ],
)
async def test_unknown_faults_are_refused(api: Api, fault: dict[str, Any], error: str) -> None:
    status, body = await api.control("faults", fault)
    assert status == 409
    assert body["error"].startswith(error)
