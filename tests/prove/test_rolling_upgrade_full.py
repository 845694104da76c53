"""A new version joins the one before on PostgreSQL: both answer, the old one stops, and nothing is lost or doubled.

The version before is the last one with another schema, from the repository's history; AJAR_PROVE_FROM names another.
"""

import asyncio
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from sqlalchemy import make_url

from bot.demo.runner import BOT
from bot.metrics import ENOUGH_PEOPLE
from bot.places import FILE_NAME
from bot.storage.migrate import HEAD
from tests.bench.contestants import ROOT, Balanced
from tests.databases import PostgresServer
from tests.journeys.house import free_port, until, webhook_settings
from tests.journeys.test_several import HELP, all_settled, logs, people
from tests.several import seed_asked
from tests.standin import BotProcess, Person, Telegram, stand_in, start_bot
from tests.tg.test_several import TOO_LONG, answered

PEOPLE, TEXTS = 8, 6
"""Texts of each person in each phase."""
MIGRATIONS = "bot/storage/migrations/versions"


@pytest.mark.timeout(600)
async def test_new_version_takes_over_from_the_one_before(
    postgres: PostgresServer, tmp_path: Path, places_folder: Path
) -> None:
    before = await _version_before(tmp_path / "before")
    async with postgres.new() as url, stand_in() as telegram:
        listening = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        old, new = (
            _bot(telegram, tmp_path / name, url, listen, listening[0], places_folder / FILE_NAME)
            for name, listen in zip(("old", "new"), listening, strict=True)
        )
        old._env["PYTHONPATH"] = str(before)
        at_old, at_new = (f"http://{each}/telegram" for each in listening)
        telegram.world.webhook = balanced = Balanced(telegram.world.updates, [at_old])
        crowd = people(telegram, PEOPLE)
        async with old:
            await logs(old, "ready bot=")
            from_schema = await _schema(url)
            helped = asyncio.create_task(_ask_for_help(crowd))
            await new.begin()
            try:
                await logs(new, "ready bot=")
                await helped
                assert await _schema(url) == HEAD
                await seed_asked(telegram, url, [*crowd, *people(telegram, ENOUGH_PEOPLE)])
                balanced.lead_to([at_old, at_new])
                await _talk(crowd, 0)
                handled = [await _handled(listen) for listen in listening]
                assert min(handled) >= PEOPLE, f"both answer: {handled}"
                talking = asyncio.create_task(_talk(crowd, TEXTS))
                balanced.lead_to([at_new])
                assert await old.stop() == 0
                await talking
                await all_settled(postgres, url)
                assert await new.stop() == 0
            finally:
                if new._process and new._process.returncode is None:
                    await new.kill()
    print(  # noqa: T201
        f"from {from_schema} to {HEAD}: {PEOPLE} people, {2 * TEXTS} texts each; handled while both ran: "
        f"{handled[0]} by the old one, {handled[1]} by the new one"
    )
    for person in crowd:
        assert answered(person) == list(range(TOO_LONG, TOO_LONG + 2 * TEXTS)), "each once, in order"
    for bot in (old, new):
        assert "incident" not in bot.output
        assert "update.failed" not in bot.output


async def _version_before(folder: Path) -> Path:
    """Check the earlier version out."""
    wanted = os.environ.get("AJAR_PROVE_FROM")
    if not wanted:
        newest = (await _git("log", "-1", "--format=%H", "--", MIGRATIONS)).decode().strip()
        wanted = f"{newest}^"
    with tarfile.open(fileobj=io.BytesIO(await _git("archive", wanted))) as archive:
        archive.extractall(folder, filter="data")
    return folder


async def _git(*arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec("git", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0, "this proof needs the repository with its history"
    return said


def _bot(telegram: Telegram, folder: Path, url: str, listen: str, address: str, cities: Path) -> BotProcess:
    folder.mkdir()
    (folder / FILE_NAME).hardlink_to(cities)
    settings = webhook_settings() | {"AJAR_LISTEN": listen, "AJAR_WEBHOOK_URL": f"http://{address}/telegram"}
    database = make_url(url).set(drivername="postgresql").render_as_string()
    endings = str(folder.parent / "endings")
    return start_bot(telegram, folder, command=BOT, AJAR_DATABASE_URL=database, AJAR_ENDINGS_DIR=endings, **settings)


async def _schema(url: str) -> str:
    place = make_url(url)
    connection = await asyncpg.connect(host=str(place.query["host"]), user=place.username, database=place.database)
    try:
        found: str = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found
    finally:
        await connection.close()


async def _ask_for_help(crowd: Sequence[Person]) -> None:
    """Write while the new version migrates the database, which no process but it knows of yet."""
    for _ in range(TEXTS):
        for person in crowd:
            await person.says("/help")
    await until(
        lambda: all(sum(HELP in seen.text for seen in person.sees if seen.by_bot) == TEXTS for person in crowd),
        "each /help is answered once",
    )


async def _talk(crowd: Sequence[Person], first: int) -> None:
    for number in range(first, first + TEXTS):
        for person in crowd:
            await person.says("x" * (TOO_LONG + number))
    await until(
        lambda: all(len(answered(person)) >= first + TEXTS for person in crowd),
        f"{[answered(person) for person in crowd]}",
    )


async def _handled(listen: str) -> int:
    """Return how many updates this process has handled."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{listen}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(int(float(line.split()[-1])) for line in lines if line.startswith("ajar_updates_handled_total"))
