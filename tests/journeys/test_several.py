"""Several processes on PostgreSQL: one fetches updates, all answer, and what one leaves another one takes over."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from bot.places import FILE_NAME
from tests.databases import PostgresServer
from tests.journeys.house import until, webhook_settings
from tests.standin import BotProcess, Person, Telegram, stand_in, start_bot

pytestmark = pytest.mark.process

HELP = "One small question a day, one line back. It"
TAKEN_OVER = 40
"""Seconds within which another process has taken over: ten until one that stands still counts as gone, and a busy
machine."""


@asynccontextmanager
async def several(
    url: str, folder: Path, cities: Path, *each: dict[str, str], roles: Sequence[str] = ()
) -> AsyncIterator[tuple[Telegram, list[BotProcess]]]:
    """Run a bot for each of these settings, all started at once on one database."""
    address = make_url(url).set(drivername="postgresql").render_as_string()
    async with stand_in() as telegram:
        bots = []
        for number, own in enumerate(each):
            place = folder / f"bot{number}"
            place.mkdir()
            (place / FILE_NAME).hardlink_to(cities)
            common = {"AJAR_DATABASE_URL": address, "AJAR_ENDINGS_DIR": str(folder / "endings")}
            role = roles[number] if roles else "all"
            bots.append(start_bot(telegram, place, arguments=("--role", role), **common, **own))
        try:
            await asyncio.gather(*(bot.begin() for bot in bots))
            for bot in bots:
                await logs(bot, "ready bot=")
            yield telegram, bots
            for bot in bots:
                assert await bot.stop() in (0, -signal.SIGKILL)
        finally:
            for bot in bots:
                if bot._process and bot._process.returncode is None:
                    bot._process.send_signal(signal.SIGCONT)
                    await bot.kill()


async def logs(bot: BotProcess, part: str, *, after: int = 0, seconds: float = TAKEN_OVER) -> None:
    await until(lambda: part in bot.output[after:], f"{part}\n{bot.output[after:]}", seconds=seconds)


def people(telegram: Telegram, count: int) -> list[Person]:
    return [Person(telegram, telegram.world.person(first_name="P", language_code="en")) for _ in range(count)]


def answers(person: Person) -> int:
    return sum(HELP in seen.text for seen in person.sees if seen.by_bot)


async def all_answered(crowd: list[Person], times: int) -> None:
    await until(
        lambda: all(answers(person) >= times for person in crowd),
        f"{times} answers: {[answers(person) for person in crowd]}",
    )


async def all_settled(postgres: PostgresServer, url: str) -> None:
    """Wait until nothing is under way, so that nothing may have arrived without a row that says so."""
    connection = await asyncpg.connect(host=postgres.socket, user="postgres", database=make_url(url).database)
    try:
        async with asyncio.timeout(TAKEN_OVER):
            while await connection.fetchval("SELECT count(*) FROM inbox WHERE lane IS NOT NULL"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


def leader(bots: list[BotProcess]) -> BotProcess:
    (found,) = [bot for bot in bots if "duty=receiving" in bot.output]
    return found


async def test_one_fetches_and_another_takes_over(
    postgres: PostgresServer, tmp_path: Path, places_folder: Path
) -> None:
    """When the one that fetches is killed, and when it is frozen; then it wakes up and begins anew."""
    async with postgres.emptied() as url, several(url, tmp_path, places_folder / FILE_NAME, {}, {}) as found:
        telegram, bots = found
        crowd = people(telegram, 6)
        for person in crowd:
            await person.says("/help")
        await all_answered(crowd, 1)
        first = leader(bots)
        (second,) = [bot for bot in bots if bot is not first]
        await all_settled(postgres, url)
        await first.kill()
        for person in crowd:
            await person.says("/help")
        await logs(second, "duty=receiving")
        await all_answered(crowd, 2)
        await first.begin()
        said = len(first.output)
        await logs(first, "ready bot=", after=said)
        await all_settled(postgres, url)
        os.kill(second.pid, signal.SIGSTOP)
        for person in crowd:
            await person.says("/help")
        await logs(first, "duty=receiving", after=said)
        await all_answered(crowd, 3)
        os.kill(second.pid, signal.SIGCONT)
        await logs(second, "process.starts_over")
        for person in crowd:
            await person.says("/help")
        await all_answered(crowd, 4)
        await telegram.confirmed()
        assert [answers(person) for person in crowd] == [4] * len(crowd)
        assert not [call for call in telegram.calls() if call["status"] == 409]


async def test_web_takes_in_and_workers_answer(postgres: PostgresServer, tmp_path: Path, places_folder: Path) -> None:
    """All start at once on an empty database. Common duties are done once, and a killed worker is replaced."""
    webhook = webhook_settings()
    shared = {name: value for name, value in webhook.items() if name != "AJAR_LISTEN"}
    async with (
        postgres.new() as url,
        several(
            url, tmp_path, places_folder / FILE_NAME, webhook, shared, shared, roles=("web", "worker", "worker")
        ) as found,
    ):
        telegram, (_, *workers) = found
        crowd = people(telegram, 6)
        for times in (1, 2, 3):
            for person in crowd:
                await person.says("/help")
            await all_answered(crowd, times)
        await all_settled(postgres, url)
        assert [answers(person) for person in crowd] == [3] * len(crowd)
        await workers[0].kill()
        for person in crowd:
            await person.says("/help")
        await all_answered(crowd, 4)
        assert len(telegram.calls("setWebhook")) == 1
        registered = [call["params"].get("language_code") for call in telegram.calls("setMyCommands")]
        assert len(registered) == len(set(registered)), "once for each language"
