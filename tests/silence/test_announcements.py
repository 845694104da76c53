"""How often B's phone lights up reveals nothing that A has not shared, and A can't use it to knock."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from bot.domain.notices import NoticeKind
from bot.storage.notices import Settled
from tests.silence.world import A, B, Beginning, World

QUARTER: Final = timedelta(minutes=15)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
ANNOUNCES: Final = "left you"
LISBON: Final = ZoneInfo("Europe/Lisbon")


@pytest.fixture
async def beginning(tmp_path: Path) -> Beginning:
    return await Beginning.make(tmp_path)


@asynccontextmanager
async def life(beginning: Beginning, folder: Path) -> AsyncIterator[World]:
    async with beginning.life(folder) as world:
        await world.says(A, "/today")
        await world.says(A, "the first line of the day")
        yield world


async def previews(world: World, words: str) -> None:
    """A keeps a further line and looks at its preview."""
    await world.says(A, words)
    if any(data.startswith("v1:keep") for data in newest(world, A)[1]):
        await world.taps_newest(A, "keep")
    await world.taps_newest(A, "share:")
    await world.taps_newest(A, "share_wish:listen")


async def shares(world: World, words: str, when: str = "share_at:quarter") -> None:
    await previews(world, words)
    await world.taps_newest(A, when)


async def shares_at(world: World, words: str, clock: str) -> None:
    """A shares a line, for that hour by B's clock, which is nine hours behind A's."""
    hour, minute = clock.split(":")
    await previews(world, words)
    await world.taps_newest(A, "share_days")
    await world.says(A, f"{(int(hour) + 9) % 24:02}:{minute}")


async def takes_back(world: World) -> None:
    await world.taps_newest(A, "share_back")


async def waits(world: World, how_long: timedelta) -> None:
    await world.until(world.clock.now() + how_long)


def announced(world: World) -> list[tuple[datetime, str]]:
    """What B was told, and when."""
    sent = [call for call in world.recorder.seen[B] if call.method == "sendMessage" and ANNOUNCES in call.params]
    return [(call.at, call.params) for call in sent]


def times(world: World) -> list[str]:
    return [f"{at.astimezone(LISBON):%H:%M}" for at, _ in announced(world)]


def newest(world: World, user_id: int = B) -> tuple[int, list[str]]:
    """The newest message with buttons, and the data that those carry."""
    message_id = max(at for at, _ in world.recorder.buttons(user_id))
    return message_id, [data for at, data in world.recorder.buttons(user_id) if at == message_id]


def opens(data: list[str]) -> list[str]:
    return [one for one in data if one.startswith(("v1:open:", "v1:open_one:"))]


def text(world: World, message_id: int) -> str:
    return str(world.recorder.chats[B][message_id]["text"])


def last_text(world: World) -> str:
    return text(world, max(world.recorder.chats[B]))


# --- taken back and shared again -------------------------------------------------------------------------------------


async def test_sharing_and_withdrawing_cannot_pester(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        for _ in range(4):
            await shares(world, "the same again")
            await waits(world, QUARTER + MINUTE)
            await takes_back(world)
        assert times(world) == ["09:15"]
        await shares(world, "and this one stays")
        await waits(world, HOUR)
        assert times(world) == ["09:15", "10:19"], "its own time is later than an hour after the first one"


async def test_announcement_waits_after_taking_back(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await shares(world, "one")
        await waits(world, QUARTER + MINUTE)
        await takes_back(world)
        await shares(world, "other")
        await waits(world, 40 * MINUTE)
        assert times(world) == ["09:15"]
        await world.says(B, "/waiting")
        assert "still closed" in last_text(world), "who looks for it is told"
    async with life(beginning, tmp_path / "without looking") as world:
        await shares(world, "one")
        await waits(world, QUARTER + MINUTE)
        await takes_back(world)
        await shares(world, "other")
        await waits(world, HOUR)
        assert times(world) == ["09:15", "10:15"]


async def test_taken_back_before_announced_delays_nothing(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await shares(world, "one")
        await waits(world, 10 * MINUTE)
        await takes_back(world)
        await shares(world, "other")
        await waits(world, HOUR)
        assert times(world) == ["09:25"]


async def test_deleted_line_counts_as_taken_back(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await shares(world, "one")
        await waits(world, QUARTER + MINUTE)
        await world.taps_newest(A, "delete:")
        await world.taps_newest(A, "erase_line")
        await shares(world, "other")
        await waits(world, HOUR)
        assert times(world) == ["09:15", "10:15"]


async def test_announcement_moves_to_free_time(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await world.until(world.clock.now().replace(hour=21, minute=15))
        await shares(world, "one")
        await waits(world, QUARTER + MINUTE)
        await takes_back(world)
        await shares(world, "other")
        await waits(world, timedelta(hours=12))
        assert times(world) == ["21:30", "07:00"]


# --- several at once -------------------------------------------------------------------------------------------------


async def test_ten_lines_are_one_message(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        for number in range(10):
            await shares(world, f"line number {number}")
        await waits(world, QUARTER)
        assert times(world) == ["09:15"]
        message_id, data = newest(world)
        assert "left you 10 lines" in text(world, message_id)
        for number, one in enumerate(opens(data)):
            await world.taps(B, message_id, one)
            assert f"line number {number}" in last_text(world)
        assert len(opens(data)) == 10
        assert message_id not in {at for at, _ in world.recorder.buttons(B)}, "nothing is left to be opened from it"


async def test_close_lines_share_an_announcement(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        for clock in ("09:20", "09:25", "09:34", "09:36", "09:51"):
            await shares_at(world, f"for {clock.replace(':', ' ')}", clock)
        await waits(world, 2 * HOUR)
        assert times(world) == ["09:34", "09:51"]
        assert ["left you 3 lines" in params for _, params in announced(world)] == [True, False]
        assert "left you 2 lines" in announced(world)[1][1]


async def test_no_two_announcements_within_a_quarter(beginning: Beginning, tmp_path: Path) -> None:
    """The second one was set only after the first had come, for a time shortly after it."""
    async with life(beginning, tmp_path) as world:
        await shares_at(world, "one", "09:15")
        await waits(world, QUARTER)
        await shares_at(world, "two", "09:26")
        await waits(world, HOUR)
        assert times(world) == ["09:15", "09:30"]


async def test_waiting_leads_into_no_quiet_hours(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await world.until(world.clock.now().replace(hour=21, minute=0))
        await shares_at(world, "one", "21:55")
        await shares_at(world, "two", "22:05")
        await waits(world, timedelta(hours=12))
        assert times(world) == ["21:55", "07:00"]


async def test_morning_combines_waiting_lines(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await world.until(world.clock.now().replace(hour=22, minute=0))
        for number in range(3):
            await shares(world, f"late {number}")
            await waits(world, HOUR)
        await waits(world, timedelta(hours=9))
        assert times(world) == ["07:00"]
        assert "left you 3 lines" in announced(world)[0][1]


async def test_pause_combines_waiting_lines(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await world.says(B, "/pause")
        await world.taps_newest(B, "pause_open")
        for number in range(3):
            await shares(world, f"in the pause {number}")
            await waits(world, 2 * HOUR)
        assert announced(world) == []
        await world.says(B, "/resume")
        await waits(world, QUARTER)
        (only,) = announced(world)
        assert "left you 3 lines" in only[1]


async def test_ritual_moment_has_its_own_message(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        await world.says(A, "/ritual")
        for action in ("rit_days", "rit_day:0", "rit_hour:0.20"):
            await world.taps_newest(A, action)
        await world.says(B, "/ritual")
        await world.taps_newest(B, "rit_yes")
        await world.until(world.clock.now() + timedelta(days=7) - HOUR)
        await world.says(A, "/ritual")
        for action in ("rit_open", "rit_write"):
            await world.taps_newest(A, action)
        await world.says(A, "the line of this week")
        await world.taps_newest(A, "rit_wish:listen")
        await world.taps_newest(A, "rit_in:either")
        await shares_at(world, "for the same moment", "11:00")  # 12:00 for B, whose summer time began yesterday
        await waits(world, 4 * HOUR)
        assert times(world) == ["12:00", "12:00"]
        assert all("left you a line" in params for _, params in announced(world))


# --- what becomes of some of them ------------------------------------------------------------------------------------


async def _three(world: World) -> tuple[int, list[str]]:
    """Three lines, announced: the message, and its buttons to open one."""
    for number in range(3):
        await shares(world, f"line number {number}")
    await waits(world, QUARTER)
    message_id, data = newest(world)
    assert len(opens(data)) == 3
    return message_id, opens(data)


async def test_taking_one_back_leaves_the_others(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        message_id, data = await _three(world)
        before = text(world, message_id)
        await takes_back(world)  # the last of them
        assert text(world, message_id) == before, "nothing that B sees tells that before B asks"
        await world.taps(B, message_id, data[2])
        assert "has taken this one back" in last_text(world)
        assert opens([one for at, one in world.recorder.buttons(B) if at == message_id]) == data
        for number in (1, 0):
            await world.taps(B, message_id, data[number])
            assert f"line number {number}" in last_text(world)
        await world.taps(B, message_id, data[0])
        assert "opened this one already" in world.recorder.seen[B][-1].params
        assert announced(world)[1:] == []


async def test_lines_of_one_message_move_together(beginning: Beginning, tmp_path: Path) -> None:
    async with life(beginning, tmp_path) as world:
        message_id, data = await _three(world)
        await world.taps(B, message_id, data[0])
        await takes_back(world)
        await world.taps_newest(B, "all_later")
        await world.taps_newest(B, "all_back")
        assert "left you a line" in text(world, message_id), "a single one is as if it had been alone"
        await world.taps_newest(B, "open_later")
        await world.taps_newest(B, "open_at:tonight")
        await waits(world, timedelta(hours=14))
        assert len(announced(world)) == 2
    async with life(beginning, tmp_path / "all of them") as world:
        message_id, data = await _three(world)
        await world.taps_newest(B, "all_later")
        await world.taps_newest(B, "all_at:tonight")
        assert "bring them up again" in text(world, message_id)
        await takes_back(world)
        await waits(world, timedelta(hours=12, minutes=30))
        assert [params.count("open_one") for _, params in announced(world)] == [3, 2]
        await world.taps_newest(B, "all_not_now")
        assert "They stay closed" in last_text(world)
        await world.taps(B, message_id, "v1:all_back:" + world_announcement(world))
        await waits(world, timedelta(days=2))
        assert len(announced(world)) == 2
        await world.says(B, "/waiting")
        assert len(opens(newest(world)[1])) == 2


def world_announcement(world: World) -> str:
    """The id of the first message about several lines."""
    found = re.search(r"all_later:(\d+)", announced(world)[0][1])
    assert found
    return found[1]


@pytest.mark.parametrize("taken", [1, 2, 3])
async def test_remaining_lines_are_still_announced(beginning: Beginning, tmp_path: Path, taken: int) -> None:
    async with life(beginning, tmp_path) as world:
        for number in range(3):
            await shares(world, f"line number {number}")
        world.recorder.unreachable.add(B)
        await waits(world, QUARTER + 5 * MINUTE)
        for _ in range(taken):
            await takes_back(world)
        world.recorder.unreachable.discard(B)
        await waits(world, HOUR)
        wanted = {1: ["left you 2 lines"], 2: ["left you a line"], 3: []}[taken]
        assert [one in params for one, (_, params) in zip(wanted, announced(world), strict=True)] == [True] * len(
            wanted
        )


@pytest.mark.parametrize("ends", ["unpair", "erase"])
async def test_end_leaves_nothing_to_announce(beginning: Beginning, tmp_path: Path, ends: str) -> None:
    async with life(beginning, tmp_path) as world:
        for number in range(3):
            await shares(world, f"line number {number}")
        world.recorder.unreachable.add(B)
        await waits(world, QUARTER + 5 * MINUTE)
        await world.says(A, f"/{ends}")
        await world.taps_newest(A, {"unpair": "unpair:", "erase": "erase_all"}[ends])
        world.recorder.unreachable.discard(B)
        await waits(world, HOUR)
        assert announced(world) == []


@pytest.mark.parametrize("ends", ["unpair", "erase"])
async def test_buttons_answer_alike_after_an_end(beginning: Beginning, tmp_path: Path, ends: str) -> None:
    for number in range(6):
        async with life(beginning, tmp_path / str(number)) as world:
            message_id, _ = await _three(world)
            data = newest(world)[1] + [f"v1:all_at:tonight.{world_announcement(world)}"]
            await world.says(A, f"/{ends}")
            await world.taps_newest(A, {"unpair": "unpair:", "erase": "erase_all"}[ends])
            await world.taps(B, message_id, data[number])
            assert "Sharing has ended" in last_text(world)


async def test_kill_loses_and_doubles_nothing(beginning: Beginning, tmp_path: Path) -> None:
    """The message has its own Notice, which is made in one transaction with everything that it announces."""
    async with life(beginning, tmp_path) as world:
        for number in range(3):
            await shares(world, f"line number {number}")
        world.clock.advance(QUARTER)
        async with world.built.store.writing() as rows:  # what a process does that dies before it sends
            (first,) = await rows.notices.claim(world.clock.now(), 1, 1)
        assert first.kind is NoticeKind.REFLECTION
        await world.work()
        await waits(world, 5 * MINUTE)
        assert len(announced(world)) == 1
        assert "left you 3 lines" in announced(world)[0][1]
        with closing(sqlite3.connect(tmp_path / "ajar.db")) as rows_of:
            ended = rows_of.execute("SELECT kind, state FROM notices WHERE user_id = ?", (B,)).fetchall()
        about = [how for kind, how in ended if kind in {NoticeKind.REFLECTION, NoticeKind.ANNOUNCEMENT}]
        assert sorted(about) == [Settled.NEEDLESS] * 3 + [Settled.SENT]


# --- what each can learn ---------------------------------------------------------------------------------------------


async def test_sharer_sees_no_announcement_time(beginning: Beginning, tmp_path: Path) -> None:
    seen = []
    for number, acts in enumerate((("/help",), ("/pause", "pause_open"), ("/waiting",))):
        async with life(beginning, tmp_path / str(number)) as world:
            await world.says(B, acts[0])
            for tap in acts[1:]:
                await world.taps_newest(B, tap)
            await waits(world, MINUTE)
            await shares(world, "one")
            await waits(world, QUARTER + MINUTE)
            await takes_back(world)
            for words in ("two", "three"):
                await shares(world, words)
            await waits(world, 2 * HOUR)
            await world.says(A, "/share")
            await world.taps_newest(A, "share_see")
            seen.append(world.recorder.seen[A])
    assert seen[0] == seen[1] == seen[2]
