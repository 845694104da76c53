"""Several processes on PostgreSQL: one fetches updates, all answer, and what one leaves another one takes over."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from bot.places import FILE_NAME
from tests.databases import PostgresServer
from tests.standin import BotProcess, Person, Telegram, stand_in, start_bot

pytestmark = pytest.mark.process

HELP = "One small question a day, one line back. It"
TAKEN_OVER = 40
"""Seconds within which another process has taken over: ten until one that stands still counts as gone, and a busy
machine."""


@asynccontextmanager
async def several(
    postgres: PostgresServer, folder: Path, cities: Path, *settings: dict[str, str]
) -> AsyncIterator[tuple[Telegram, list[BotProcess]]]:
    """Run one bot for each of these settings, on one database."""
    async with postgres.emptied() as url, stand_in() as telegram:
        bots = []
        for number, own in enumerate(settings):
            place = folder / f"bot{number}"
            place.mkdir()
            (place / FILE_NAME).hardlink_to(cities)
            address = make_url(url).set(drivername="postgresql").render_as_string()
            bots.append(
                start_bot(telegram, place, AJAR_DATABASE_URL=address, AJAR_ENDINGS_DIR=str(folder / "endings"), **own)
            )
        try:
            for bot in bots:
                await bot.begin()
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


async def until(true: Callable[[], bool], what: str, *, seconds: float = TAKEN_OVER) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110  # another process changes it, which sets no event here
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(what) from None


def people(telegram: Telegram, count: int) -> list[Person]:
    return [Person(telegram, telegram.world.person(first_name="P", language_code="en")) for _ in range(count)]


def answers(person: Person) -> int:
    return sum(HELP in seen.text for seen in person.sees if seen.by_bot)


async def all_answered(crowd: list[Person], times: int) -> None:
    await until(
        lambda: all(answers(person) >= times for person in crowd),
        f"{times} answers: {[answers(person) for person in crowd]}",
    )


async def all_settled(postgres: PostgresServer) -> None:
    """Wait until nothing is under way, so that nothing may have arrived without a row that says so."""
    connection = await asyncpg.connect(host=postgres.socket, user="postgres", database=postgres._own)
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
    async with several(postgres, tmp_path, places_folder / FILE_NAME, {}, {}) as (telegram, bots):
        crowd = people(telegram, 6)
        for person in crowd:
            await person.says("/help")
        await all_answered(crowd, 1)
        first = leader(bots)
        (second,) = [bot for bot in bots if bot is not first]
        await all_settled(postgres)
        await first.kill()
        for person in crowd:
            await person.says("/help")
        await logs(second, "duty=receiving")
        await all_answered(crowd, 2)
        await first.begin()
        said = len(first.output)
        await logs(first, "ready bot=", after=said)
        await all_settled(postgres)
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
