"""One bot, the flows, and the search: while it runs, after a kill, and in what an operator makes of its data."""

from pathlib import Path

import aiohttp

from bot import copies
from bot.age import decrypt
from bot.config import load
from bot.crypto import KeyRing
from bot.operating import stats
from bot.places import FILE_NAME
from tests.canary.birds import Canaries, core_limit
from tests.canary.flows import Flow, run
from tests.databases import SqliteTemplate
from tests.journeys.house import free_port, open_house
from tests.standin import TEST_KEY


async def looked_through(
    folder: Path, places_folder: Path, template: SqliteTemplate, flows: tuple[Flow, ...], mode: str = "polling"
) -> Canaries:
    """Fail if any word that was typed in these flows can be read anywhere without the key."""
    canary = Canaries()
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    env = {"AJAR_LOG_LEVEL": "DEBUG", "TMPDIR": str(temporary)}
    if mode == "polling":  # a webhook listens as well
        env["AJAR_LISTEN"] = f"127.0.0.1:{free_port()}"
    async with open_house(folder / "bot", places_folder / FILE_NAME, template, mode, **env) as house:
        await run(house, canary, flows)
        pid = house.bot.pid
        assert core_limit(pid) == '["0", "0"]'
        assert canary.leaks(folder, pid=pid) == [], "while it runs"
        await _operates(house.bot.data_dir, folder)
        if mode == "polling":
            await _observes(env["AJAR_LISTEN"], folder)
        assert canary.leaks(folder, pid=pid) == [], "in what an operator makes"
        await house.bot.kill()
        assert canary.leaks(folder) == [], "after a kill"
        await house.starts()
    assert canary.leaks(folder) == [], "after a stop"
    return canary


async def _observes(address: str, folder: Path) -> None:
    """Ask the bot what an operator can ask."""
    async with aiohttp.ClientSession() as session:
        for path in ("metrics", "health/ready"):
            async with session.get(f"http://{address}/{path}") as response:
                (folder / path.replace("/", "-")).write_bytes(await response.read())
    assert "ajar_incidents_total" in (folder / "metrics").read_text()


async def _operates(data_dir: Path, folder: Path) -> None:
    """Make a backup, open it as somebody with the key could, and type the commands that show numbers."""
    config = load({"AJAR_DATA_DIR": str(data_dir), "AJAR_MASTER_KEY": TEST_KEY}, None, need_token=False)
    said = await copies.backup(config, folder / "backup.age", check=True)
    decrypt(folder / "backup.age", folder / "backup.db", KeyRing.parse(TEST_KEY))
    (folder / "said").write_text("\n".join([*said, *await stats(config)]))
