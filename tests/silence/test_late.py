"""A late answer shows nothing of a Pair that has ended meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.silence.world import BEFORE, COMING, A, B, Beginning, World

ENDED = "Sharing has ended"
REPLY = "Ring me on the way."
Act = Callable[[World], Coroutine[Any, Any, None]]


async def leaves(world: World) -> None:
    await world.says(A, "/unpair")
    await world.taps_newest(A, "unpair:")


async def erases(world: World) -> None:
    await world.says(A, "/erase")
    await world.taps_newest(A, "erase_all:")


async def _opens_a_second_one(world: World) -> str:
    """A shares something and B is told about it. Returns its words."""
    words = "The kettle sang before I did."
    await world.says(A, "/today")
    await world.says(A, words)
    for action in ("share:", "share_wish:listen", "share_at:quarter"):
        await world.taps_newest(A, action)
    await world.until(world.clock.now() + timedelta(minutes=40))
    return words


async def _late(world: World, act: Act, *taps: str, user_id: int = B) -> list[str]:
    """B, who was told about it, and whose taps are answered only after A has acted."""
    world.recorder.unreachable.add(user_id)
    before = len(world.recorder.seen[user_id])
    for tap in taps:
        await world.taps_newest(user_id, tap)
    await act(world)
    world.recorder.unreachable.discard(user_id)
    await world.until(world.clock.now() + timedelta(hours=1))
    return [call.params for call in world.recorder.seen[user_id][before:]]


@pytest.mark.parametrize("act", [leaves, erases])
async def test_late_opening_shows_no_words(tmp_path: Path, act: Act) -> None:
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        words = await _opens_a_second_one(world)
        told = await _late(world, act, "open:")
        assert not any(words in params for params in told)
        assert any(ENDED in params for params in told), told
        await world.says(B, "/share")
        assert "nobody you share with" in world.recorder.seen[B][-1].params, "it is said once"


@pytest.mark.parametrize("act", [leaves, erases])
async def test_late_lookup_shows_no_words(tmp_path: Path, act: Act) -> None:
    """B had shared the line, A has written back, and B looks at it again."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.until(world.clock.now() + timedelta(hours=2))
        await world.taps_newest(A, "open:")
        await world.taps_newest(A, "respond:line")
        await world.says(A, REPLY)
        await world.taps_newest(A, "reply_send:")
        await world.until(world.clock.now() + timedelta(minutes=1))
        assert any(REPLY in call.params for call in world.recorder.seen[B])
        told = await _late(world, act, f"share_see:{beginning.coming.reflection}")
        assert not any(REPLY in params or COMING in params for params in told)
        assert any(ENDED in params for params in told), told


async def test_late_answer_without_an_end_comes(tmp_path: Path) -> None:
    """This shows that the tests above can fail."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        words = await _opens_a_second_one(world)
        told = await _late(world, lambda _: asyncio.sleep(0), "open:")
        assert any(words in params for params in told)
        assert not any(BEFORE in params for params in told)
