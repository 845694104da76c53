"""Updates are kept until confirmed; a long poll waits for them; two pollers get in each other's way."""

import asyncio
import itertools
import time
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.updates import CONFLICT, REPLACED
from tests.demo.conftest import Api
from tests.standin import Person, Telegram


async def texts(api: Api, **params: Any) -> list[str]:
    return [update["message"]["text"] for update in await api.ok("getUpdates", **params)]


async def test_updates_are_repeated_until_confirmed(api: Api, alice: Person, telegram: Telegram) -> None:
    for text in ("one", "two", "three"):
        await alice.says(text)
    first = await api.ok("getUpdates")
    assert await api.ok("getUpdates") == first
    ids = [update["update_id"] for update in first]
    assert ids == list(range(ids[0], ids[0] + 3))
    assert await texts(api, offset=ids[1]) == ["two", "three"]
    assert await texts(api, offset=0) == ["two", "three"]
    assert await texts(api, offset=ids[2] + 1) == []
    assert telegram.pending == 0


async def test_limit(api: Api, alice: Person) -> None:
    for n in range(120):
        await alice.says(str(n))
    assert await texts(api, limit=2) == ["0", "1"]
    assert len(await texts(api)) == 100


async def test_negative_offset_counts_from_the_end(api: Api, alice: Person, telegram: Telegram) -> None:
    for text in ("one", "two", "three"):
        await alice.says(text)
    assert await texts(api, offset=-1) == ["three"]
    assert telegram.pending == 1


async def test_offset_far_ahead_confirms_nothing(api: Api, alice: Person) -> None:
    await alice.says("one")
    newest = (await api.ok("getUpdates"))[-1]["update_id"]
    assert await texts(api, offset=newest + 11) == ["one"]
    assert await texts(api, offset=newest + 10) == []


async def test_long_poll_waits_until_something_comes(api: Api, alice: Person) -> None:
    poll = asyncio.create_task(texts(api, timeout=30))
    done, _ = await asyncio.wait({poll}, timeout=0.3)
    assert not done, "it must hold while there is nothing"
    await alice.says("now")
    async with asyncio.timeout(20):  # before the poll itself ends
        assert await poll == ["now"]


async def test_long_poll_times_out_empty(api: Api, alice: Person) -> None:
    assert alice.chat.started
    began = time.monotonic()
    assert await texts(api, timeout=1) == []
    assert 0.9 < time.monotonic() - began < 3


async def test_short_poll_does_not_wait(api: Api, alice: Person) -> None:
    """The best of three, since the machine may be busy."""
    assert alice.chat.started
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert await texts(api) == []
        took.append(time.monotonic() - began)
    assert min(took) < 0.5


async def test_second_poll_ends_the_first(api: Api, alice: Person) -> None:
    first = await api.polls()
    second = asyncio.create_task(texts(api, timeout=30))
    status, body = await first
    assert (status, body["description"]) == (409, CONFLICT.description)
    await alice.says("hello")
    assert await second == ["hello"]


async def test_polling_and_webhook_exclude_each_other(api: Api, alice: Person) -> None:
    assert alice.chat.started
    poll = await api.polls()
    await api.ok("setWebhook", url="http://127.0.0.1:9/hook")
    status, body = await poll
    assert (status, body["description"]) == (409, REPLACED.description)
    active = (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )
    assert await api.refused("getUpdates") == active
    await api.ok("deleteWebhook")
    assert await texts(api) == []


async def test_updates_live_for_a_day(api: Api, alice: Person, telegram: Telegram) -> None:
    await alice.says("old")
    telegram.advance(timedelta(hours=23))
    await alice.says("new")
    assert await texts(api) == ["old", "new"]
    telegram.advance(timedelta(hours=2))
    assert await texts(api) == ["new"]


async def test_ids_restart_after_a_quiet_week(api: Api, alice: Person, telegram: Telegram) -> None:
    seen = []
    for _ in range(4):
        await alice.says("hello")
        seen.append((await api.ok("getUpdates"))[-1]["update_id"])
        telegram.advance(timedelta(days=8))
    steps = [later - earlier for earlier, later in itertools.pairwise(seen)]
    assert all(step != 1 for step in steps)


async def test_only_requested_kinds_are_sent(api: Api, alice: Person) -> None:
    await api.ok("getUpdates", allowed_updates=["message", "message_reaction"])
    mine = await alice.says("hello")
    await alice.edits(mine, "hello again")
    await alice.reacts(mine, "👍")
    updates = await api.ok("getUpdates")
    assert [sorted(set(update) - {"update_id"}) for update in updates] == [["message"], ["message_reaction"]]
    await api.ok("getUpdates", offset=updates[-1]["update_id"] + 1, allowed_updates=[])
    await alice.edits(mine, "hello once more")
    await alice.reacts(mine, "")
    updates = await api.ok("getUpdates")
    assert [sorted(set(update) - {"update_id"}) for update in updates] == [["edited_message"]], (
        "reactions are off again"
    )
    assert "misspelt" in await api.refused("getUpdates", allowed_updates=["misspelt"])


async def test_raw_updates_are_delivered_unchanged(api: Api, alice: Person) -> None:
    assert alice.chat.started
    future = {"tea_ceremony": {"cups": 2}}
    _, answer = await api.control("updates", future)
    assert await api.ok("getUpdates") == [{"update_id": answer["update_id"], **future}]
    old = answer["update_id"] - 500
    await api.control("updates", {"update_id": old, "message": 1})
    assert [update["update_id"] for update in await api.ok("getUpdates")] == [old, answer["update_id"]]
    await alice.says("next")
    assert [update["update_id"] for update in await api.ok("getUpdates")][-1] == answer["update_id"] + 1


@pytest.mark.parametrize("drop", [True, False])
async def test_dropping_pending_updates(api: Api, alice: Person, telegram: Telegram, drop: bool) -> None:
    await alice.says("hello")
    await api.ok("deleteWebhook", drop_pending_updates=drop)
    assert telegram.pending == (0 if drop else 1)
