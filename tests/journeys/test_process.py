"""The bot as a process: how it starts, how it ends, and what its files and its log reveal."""

import asyncio
import os
import signal
import socket
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from bot.demo import people
from bot.demo.runner import BOT
from tests.forks import ajar, run_beside
from tests.journeys.conftest import Make
from tests.journeys.house import House, free_port, questions, until
from tests.journeys.test_troubles import message
from tests.standin import Person, stand_in, start_bot

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELP = "One small question a day, one line back. It"


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_stop_finishes_work_in_ten_seconds(house_of_its_own: Make, mode: str) -> None:
    listen = {} if mode == "webhook" else {"AJAR_LISTEN": f"127.0.0.1:{free_port()}"}
    async with house_of_its_own(mode, **listen) as house:
        alice, bob, carol = [await house.settled(name) for name in ("Alice", "Bob", "Carol")]
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{house.bot._env['AJAR_LISTEN']}/health") as health,
        ):
            assert (health.status, (await health.json())["status"]) == (200, "ok")
        await _are_in_flight(house, alice, bob, carol)

        began = asyncio.get_running_loop().time()
        os.kill(house.bot.pid, signal.SIGTERM)
        await asyncio.sleep(0.5)
        os.kill(house.bot.pid, signal.SIGTERM)  # changes nothing
        assert await house.bot.stop() == 0
        assert asyncio.get_running_loop().time() - began < 10

        assert len(questions(alice)) == 1
        assert _helps(bob) == 1
        assert _helps(carol) == 0
        registered = _registered(house)
        await house.telegram.no_faults()
        await house.telegram.fault("getMe", "502")
        await house.telegram.fault("getMe", "401")  # a passing 401; only a repeated one means that the token is wrong
        await house.starts()
        house.telegram.advance(minutes=1)  # Telegram asked us to wait with this one; Carol is not forgotten
        await carol.hears(HELP, seconds=20)
        await house.caught_up()
        assert len(questions(alice)) == 1
        assert (_helps(bob), _helps(carol)) == (1, 1)
        await alice.says("Said to the one before.")
        await alice.hears("Kept, and")
        assert _registered(house) == registered  # nothing new to tell


@pytest.mark.parametrize("kind", ["429", "502"])
@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_waiting_messages_delay_no_stop(house_of_its_own: Make, kind: str, mode: str) -> None:
    """An answer to somebody of whom nothing is stored comes after the start, a goodbye with a group's next update."""
    async with house_of_its_own(mode) as house:
        alice = house.newcomer()
        await house.telegram.fault("sendMessage", kind, times=-1, retry_after=60)
        group = await house.telegram.group(alice)
        await alice.says("/help")
        await until(lambda: len(house.telegram.calls("sendMessage")) > 1, "both were tried")
        began = asyncio.get_running_loop().time()
        assert await house.bot.stop() == 0
        assert asyncio.get_running_loop().time() - began < 3
        await house.telegram.no_faults()
        house.telegram.advance(minutes=1)
        await house.starts()
        await alice.hears(HELP)
        people.says_in_group(house.telegram.world, group.chat_id, "/help", alice.id)
        await house.telegram.until(lambda: group.bot_left)
        assert group.bot_left
        await house.caught_up()


def _registered(house: House) -> int:
    """Return how often the menu for everybody was registered; somebody who pauses also gets a menu of their own."""
    return sum("scope" not in call["params"] for call in house.telegram.calls("setMyCommands"))


@pytest.mark.parametrize("after", [0, 0.25, 0.65])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stop_during_loading_is_clean(tmp_path: Path, after: float, number: signal.Signals) -> None:
    async with stand_in() as telegram:
        bot = start_bot(telegram, tmp_path, command=BOT)
        await bot.begin()
        await _listens(bot.pid)
        await asyncio.sleep(after)
        os.kill(bot.pid, number)
        assert bot._process
        assert await asyncio.wait_for(bot._process.wait(), 10) == 0
        assert "Traceback" not in bot.output


async def _listens(pid: int) -> None:
    """Wait until the process handles both signals, SIGTERM last; before that, Python itself is being loaded."""
    status = Path(f"/proc/{pid}/status")
    async with asyncio.timeout(20):
        while not _caught(status.read_text()) >> (signal.SIGTERM - 1) & 1:  # noqa: ASYNC110, ASYNC240  # it sets no event
            await asyncio.sleep(0.001)


def _caught(status: str) -> int:
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), 16)


async def _are_in_flight(house: House, alice: Person, bob: Person, carol: Person) -> None:
    """Start a question to Alice and an answer to Bob that take three seconds, and one to Carol that waits a minute."""
    await bob.says("/pause")
    await bob.taps("Until I say so")
    await bob.hears("Paused")
    await carol.says("/pause")
    await carol.taps("Until I say so")
    await carol.hears("Paused")
    await house.telegram.fault("sendMessage", "slow", chat_id=alice.id, seconds=3.0)
    await house.telegram.fault("sendMessage", "slow", chat_id=bob.id, seconds=3.0)
    await house.telegram.fault("sendMessage", "429", chat_id=carol.id, retry_after=60, times=-1)
    house.telegram.advance(hours=11, minutes=31)
    await bob.says("/help")
    await carol.says("/help")
    faults = house.telegram.world.faults
    await until(lambda: len(faults._on) == 1, "both are on their way")
    await until(lambda: house.telegram.calls("sendMessage")[-1]["status"] == 429, "Carol must wait")


def _helps(person: Person) -> int:
    return len([seen for seen in person.sees if seen.by_bot and HELP in seen.text])


async def _runs(folder: Path, **env: str) -> tuple[int, list[str]]:
    """Wait until `ajar run` ends on its own; return its exit code and its standard error without the log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AJAR_")}
    run = partial(ajar, ("run",))
    ended = await run_beside(run, cwd=folder, env={**kept, "AJAR_DATA_DIR": str(folder / "data"), **env})
    assert not ended.stdout
    assert "Traceback" not in ended.stderr
    return ended.returncode, [line for line in ended.stderr.splitlines() if line.startswith("ajar: ")]


async def test_refused_token_exits_with_2(tmp_path: Path) -> None:
    wrong = "123456:NotTheOneThatTelegramKnows"
    async with stand_in() as telegram:
        code, said = await _runs(tmp_path, AJAR_BOT_TOKEN=wrong, AJAR_API_URL=telegram.url)
        assert len(telegram.calls("getMe")) >= 3
    assert code == 2
    (line,) = said
    assert "AJAR_BOT_TOKEN is refused by Telegram" in line
    assert wrong not in line


async def test_wrong_settings_are_one_line_each(tmp_path: Path) -> None:
    wrong = {
        "AJAR_BOT_TOKEN": "none of yours",
        "AJAR_WEBHOOK_URL": "http://bot.example.org",
        "AJAR_LISTEN": "everywhere",
        "AJAR_LOG_LEVEL": "LOUD",
        "AJAR_TOKEN": "misspelt",
    }
    code, said = await _runs(tmp_path, **wrong)
    assert code == 2
    assert {line.split()[1] for line in said} == {*wrong, "AJAR_WEBHOOK_SECRET"}
    assert not any(value in line for value in ("none of yours", "LOUD", "misspelt") for line in said)


@pytest.mark.parametrize("what", ["port", "folder"])
async def test_machine_refusal_is_one_line(tmp_path: Path, what: str) -> None:
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {
            "port": {"AJAR_LISTEN": f"127.0.0.1:{taken.getsockname()[1]}"},
            "folder": {"AJAR_DATA_DIR": str(tmp_path / "file" / "data")},
        }[what]
        async with stand_in() as telegram:
            code, said = await _runs(tmp_path, AJAR_BOT_TOKEN=telegram.token, AJAR_API_URL=telegram.url, **env)
    assert code == 2
    (line,) = said
    assert next(iter(env)) in line  # it names the setting


PRIVATE = (
    "Wolkenkratzer quietly trembling marmalade",
    "periwinkle submarine thunderously apologised",
    "hippopotamus of undisclosed melancholy",
    "kaleidoscope " * 30,
    "unforgettable typewriter",
    "flabbergasted lighthouse keeper",
    "poisonous rhododendron",
    "sphinxlike umbrella",
)


async def test_no_file_holds_lines_or_tokens(house_of_its_own: Make) -> None:
    async with house_of_its_own(AJAR_LOG_LEVEL="DEBUG") as house:
        alice, _ = await house.asked("Wilhelmina")
        said = await alice.says(PRIVATE[0])
        await alice.hears("Kept, and")
        await alice.edits(said, PRIVATE[1])
        await alice.hears("Changed, and")
        await alice.taps("Change")
        await alice.hears("Send it the way you want it.")
        await alice.says(PRIVATE[2])
        await alice.hears("Changed, and")
        await alice.says(PRIVATE[3])
        await alice.hears("a line has up to 300")
        await alice.says(PRIVATE[4])
        await alice.hears("There is a line to this question already")
        await house.telegram.fault("sendMessage", "400", description=f"Bad Request: {PRIVATE[5]}")
        await alice.says(PRIVATE[5])
        await house.logs("incident=")
        poison = message(alice, PRIVATE[6])
        poison["from"]["id"] = 2**70
        house.telegram.world.updates.add_raw({"message": poison})
        await house.caught_up()
        house.telegram.world.updates.add_raw({"message": {**message(alice, PRIVATE[6]), "date": PRIVATE[6]}})
        await house.telegram.fault("sendMessage", "cut_after")
        await alice.forwards(PRIVATE[7])
        await alice.hears("That was forwarded")
        assert await house.lines(alice) == [PRIVATE[2]]
        assert len(house.stored("SELECT 1 FROM drafts")) == 3
        _nothing_private(house)
        await house.bot.kill()  # so that the write-ahead log stays as it is
        _nothing_private(house)
        await house.starts()
        assert await house.bot.stop() == 0
        _nothing_private(house)


def _nothing_private(house: House) -> None:
    secrets = {word for text in PRIVATE for word in text.split() if len(word) > 6}
    secrets |= {"Wilhelmina", house.telegram.token, house.telegram.token.partition(":")[2]}
    files = {path: path.read_bytes() for path in house.bot.data_dir.rglob("*") if path.is_file()}
    assert {path.name for path in files} >= {"ajar.db", "bot.log"}
    ours = {path.name: content for path, content in files.items() if path.name != "places.index"}
    for name, content in ours.items():
        for secret in secrets:
            for encoding in ("utf-8", "utf-16-le"):
                assert secret.lower().encode(encoding) not in content.lower(), f"{secret} is in {name}"
