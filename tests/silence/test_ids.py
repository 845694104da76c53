"""No number that is sent to anyone tells a time: neither of the reader's acts nor of the other one's."""

import json
import re
import secrets
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from unittest import mock

from bot.storage import ids
from tests.silence.world import START, A, B, Beginning, World

FORMERLY = 21
"""Bits of chance in ids that tell when they were made, below the milliseconds."""
NEAR = timedelta(days=400)


async def _lives(world: World) -> None:
    """Create something of every kind that buttons can be about, shared and private."""
    for user_id in (A, B):
        await world.says(user_id, "/today")
        await world.says(user_id, "rain on the roof all night")
        if user_id == A:
            for action in ("share:", "share_wish:listen", "share_at:quarter"):
                await world.taps_newest(A, action)
        await world.says(user_id, "and again in the morning")
        if user_id == A:
            for action in ("keep", "share:", "share_wish:listen", "share_at:quarter"):
                await world.taps_newest(A, action)
        for command in ("share", "waiting", "settings", "unpair", "erase", "help"):
            await world.says(user_id, f"/{command}")
    await world.says(A, "/ritual")
    for action in ("rit_days", "rit_day:6", "rit_hour:6.20"):
        await world.taps_newest(A, action)
    await world.until(world.clock.now() + timedelta(minutes=20))
    assert any(data.startswith("v1:all_later") for _, data in world.recorder.buttons(B))
    await world.taps_newest(B, "open_one:")
    await world.taps_newest(B, "respond:line")
    await world.says(B, "Ring me on the way.")
    await world.taps_newest(B, "reply_send")
    await world.taps_newest(B, "rit_yes")
    await world.until(START + timedelta(days=6))  # a Sunday, two hours before the moment
    await world.says(A, "/ritual")
    for action in ("rit_open", "rit_write"):
        await world.taps_newest(A, action)
    await world.says(A, "The line of this week.")
    await world.taps_newest(A, "rit_wish:listen")
    await world.taps_newest(A, "rit_in:either")
    await world.says(A, "/unpair")
    await world.taps_newest(A, "unpair")
    await world.says(B, "/share")
    await world.says(A, "/pair")
    await world.says(B, f"/start {world.link_to(A)}")
    await world.taps_newest(B, "guest_yes")
    await world.taps_newest(A, "pair_yes")
    await world.says(B, "/unpair")


async def test_no_visible_number_tells_a_time(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        with mock.patch.object(ids, "secrets", secrets):
            await _lives(world)
        sent = {
            (call.method, number)
            for user_id in (A, B)
            for call in world.recorder.seen[user_id]
            for number in map(int, re.findall(r"\d{10,}", json.dumps(json.loads(call.params))))
            if number not in (A, B)
        }
        buttons = {data.split(":")[1] for user_id in (A, B) for _, data in world.recorder.buttons(user_id)}
    assert {"unpair", "pair_yes", "share", "rit_out", "line"} & buttons, buttons
    rows = _ids(tmp_path / "life" / "ajar.db")
    assert len({number for _, number in sent} & rows) > 10, "next to no id was sent"
    assert {(method, number) for method, number in sent if _tells(number)} == set()


def _tells(number: int) -> bool:
    """Return whether it holds a moment near this life, as ids do that are counted from the time."""
    told = ids._START + timedelta(milliseconds=min(number >> FORMERLY, 1 << 44))
    return abs(told - START) < NEAR


def _ids(file: Path) -> set[int]:
    with closing(sqlite3.connect(file)) as connection:
        tables = ("asks", "lines", "drafts", "invites", "pairs", "reflections", "responses", "rituals")
        return {number for table in tables for (number,) in connection.execute(f"SELECT id FROM {table}")}  # noqa: S608
