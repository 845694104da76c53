"""The webhook: whose requests it believes, what it repeats, and that nothing is lost when the bot is away."""

import asyncio
import io
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.demo.webhook import checked_hook
from bot.tg.webhook_watch import WebhookWatch
from bot.web.server import SECRET_HEADER
from tests.forks import ajar
from tests.journeys.conftest import Make
from tests.journeys.house import SECRET, House, until, webhook_settings
from tests.standin import stand_in, start_bot

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("webhook",)
HELP = "One small question a day, one line back. It"


def address(house: House) -> str:
    hook = house.telegram.world.webhook.hook
    assert hook
    return hook.url


async def test_secret_is_registered_at_telegram(house: House) -> None:
    hook = house.telegram.world.webhook.hook
    assert hook
    assert hook.secret == SECRET


@pytest.mark.parametrize("headers", [{}, {SECRET_HEADER: ""}, {SECRET_HEADER: "x" * 300}, {SECRET_HEADER: SECRET[:-1]}])
async def test_wrong_secret_is_not_believed(house: House, headers: dict[str, str]) -> None:
    alice = house.newcomer()
    user = {"id": alice.id, "is_bot": False, "first_name": "Alice"}
    chat = {"id": alice.id, "type": "private", "first_name": "Alice"}
    forged = {"update_id": 5, "message": {"message_id": 1, "date": 1, "chat": chat, "from": user, "text": "hello"}}
    called = len(house.telegram.calls())
    async with aiohttp.ClientSession() as session:
        async with session.post(address(house), json=forged, headers=headers) as answer:
            assert answer.status == 403
        async with session.get(address(house)) as answer:
            assert answer.status == 405
    assert not house.telegram.calls("sendMessage", since=called), "the bot may still be registering its profile"
    assert house.stored("SELECT 1 FROM inbox WHERE id = 5") == []


async def test_binary_secret_is_refused_quietly(house: House) -> None:
    parts = urlsplit(address(house))
    head = f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n{SECRET_HEADER}: ".encode()
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(head + b"\xff\xfe\r\nConnection: close\r\n\r\n{}")
        assert connection.recv(100).split()[1] in {b"403", b"400"}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[]", 200), (b"5", 200), (b"{}", 200), (b" " * 2_000_000, 413)],
)
async def test_invalid_update_is_answered_harmlessly(house: House, body: bytes, status: int) -> None:
    house.expects("incident")  # it is logged that it can't be read
    async with (
        aiohttp.ClientSession() as session,
        session.post(address(house), data=io.BytesIO(body), headers={SECRET_HEADER: SECRET}) as answer,
    ):
        assert answer.status == status
    alice = house.newcomer()
    await alice.says("/help")
    await alice.hears(HELP)


@pytest.mark.parametrize(("path", "status"), [("live", "alive"), ("ready", "ok"), ("", "ok")])
async def test_health_is_served_beside_the_webhook(house: House, path: str, status: str) -> None:
    parts = urlsplit(address(house))
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{parts.hostname}:{parts.port}/health{path and '/'}{path}") as answer,
    ):
        assert answer.status == 200
        assert (await answer.json())["status"] == status


async def test_polling_bot_leaves_another_webhook_alone(house: House, tmp_path: Path) -> None:
    """The bot that runs goes on; the one that starts says what to type."""
    before = address(house)
    second = start_bot(house.telegram, tmp_path / "second")
    await second.begin()
    assert second._process
    assert await asyncio.wait_for(second._process.wait(), 60) == 2
    assert "ajar run --take-over" in second.output
    assert address(house) == before
    alice = house.newcomer()
    await alice.says("/help")
    await alice.hears(HELP)


def _watch_often() -> None:
    """Run a bot that looks five times a second whether its webhook is still there."""
    WebhookWatch.__init__.__defaults__ = (0.2,)
    ajar(("run",))


async def test_removed_webhook_is_set_again(tmp_path: Path) -> None:
    """Another process takes the updates over and ends; nobody would answer then. One that stays has a webhook."""
    async with stand_in() as telegram:
        settings = webhook_settings()
        first = start_bot(telegram, tmp_path / "1", **settings)
        first.work = _watch_often
        second = start_bot(telegram, tmp_path / "2", arguments=("--take-over",))
        house = House(telegram, first, "webhook")
        async with house.running():
            assert address(house) == settings["AJAR_WEBHOOK_URL"]
            await second.begin()
            await house.logs("webhook.lost", seconds=60)
            await house.logs("webhook.set_again")
            await second.stop()
            assert address(house) == settings["AJAR_WEBHOOK_URL"]
            alice = house.newcomer()
            await alice.says("/help")
            await alice.hears(HELP)

            foreign = "https://other.example.org/hook"
            telegram.world.webhook.hook = checked_hook(foreign, "another-secret", 40)
            said = len(first.output)
            await house.logs("at other.example.org", after=said)
            await asyncio.sleep(1)
            assert address(house) == foreign
            assert "webhook.set_again" not in first.output[said:]
            assert first.output[said:].count("webhook.lost") < 10


async def test_downtime_messages_are_answered_in_order(house_of_its_own: Make) -> None:
    async with house_of_its_own("webhook") as house:
        alice, _ = await house.asked()
        await house.telegram.fault("sendMessage", "slow", chat_id=alice.id, seconds=2.0)
        await alice.says("First, while it is going.")
        await until(lambda: house.stored("SELECT 1 FROM lines"), "the line is kept")
        assert await house.bot.stop() == 0
        await alice.says("Second, while it is away.")
        await alice.says("/help")
        await house.starts()
        await alice.hears(HELP, seconds=20)
        await house.caught_up()
        told = [seen.text for seen in alice.sees if seen.by_bot]
        kept = [text for text in told if text.startswith(("Kept, and", "There is a line", HELP))]
        assert [re.split("[.:]", text)[0] for text in kept] == [
            "Kept, and shown to nobody",
            "There is a line to this question already",
            "One small question a day, one line back",
        ]
        assert await house.lines(alice) == ["First, while it is going."]
