"""Every screen of B's that is not about sharing is the same whether A is there or has left; so is the news of it."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.silence.lives import ENDED
from tests.silence.world import A, B, Beginning, Call, World

REACHES: Final = frozenset({"share", "waiting", "pair", "join", "unpair", "ritual", "noticed"})
"""Commands by which B reaches for sharing."""
NOT_TAPPED: Final = (
    "share",
    "open",
    "respond",
    "stem",
    "questions",
    "reply_",
    "undo",
    "keep_question",
    "follow_up",
    "landed",
    "pair",
    "guest",
    "rit_",
    "unpair",
    "ask_unpair",
    "erase_all",
    "send",
    "code",
)
"""Prefixes of buttons by which B reaches for sharing, or that would erase everything of B's."""
FAR: Final = 3
"""How many taps deep the screens are explored."""
Act = Callable[[World], Coroutine[Any, Any, None]]


async def stays(_: World) -> None:
    """A does nothing."""


async def leaves(world: World) -> None:
    await world.says(A, "/unpair")
    await world.taps_newest(A, "unpair")


async def erases(world: World) -> None:
    await world.says(A, "/erase")
    await world.taps_newest(A, "erase_all")


async def leaves_and_asks_another(world: World) -> None:
    await leaves(world)
    await world.says(A, "/pair")


async def _looks_at_everything(world: World, beginning: Beginning) -> tuple[set[str], list[Call]]:
    """Try every command and every button below it. Return the actions that were tapped and what B saw."""
    tapped: set[str] = set()
    coming = beginning.coming.line
    for command in sorted(world.commands - REACHES):
        await world.says(B, f"/{command}")
        while await _taps_on(world, tapped, FAR):
            await world.says(B, f"/{command}")
    for text in ("rain on the roof all night", "and again", "22:30 to 6:45", "x" * 301, "Bobby", "ab1d-efgh"):
        await world.says(B, text)
        await _taps_on(world, tapped, 2)  # a text that is kept shows its own buttons after that
    await world.edits(B, 1, "What I shared, in other words.")  # the message about the line that is coming to A
    for data in (f"line:{coming}", f"change:{coming}.0", f"delete:{coming}.0", f"change:{coming}.1"):
        await world.taps(B, 1, f"v1:{data}")
        await _taps_on(world, tapped, 1)
    await world.until(world.clock.now() + timedelta(days=3))
    return tapped, list(world.recorder.seen[B])


async def _taps_on(world: World, tapped: set[str], far: int) -> bool:
    """Tap a new kind of button on the newest message, and go on from there. Return whether there was one."""
    message_id = max(world.recorder.chats[B])
    for step in range(far):
        offered = [data for at, data in world.recorder.buttons(B) if at == message_id]
        fresh = [data for data in offered if _kind(data) not in tapped and not data[3:].startswith(NOT_TAPPED)]
        if not fresh:
            return step > 0
        tapped.add(_kind(fresh[0]))
        await world.taps(B, message_id, fresh[0])
        message_id = max(world.recorder.chats[B])
    return True


def _kind(data: str) -> str:
    return data.split(":")[1]


async def _seen(beginning: Beginning, folder: Path, act: Act) -> tuple[set[str], list[Call]]:
    async with beginning.life(folder) as world:
        await act(world)
        await world.until(world.clock.now() + timedelta(minutes=5))
        return await _looks_at_everything(world, beginning)


async def test_no_screen_reveals_a_departure(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    tapped, alone = await _seen(beginning, tmp_path / "alone", stays)
    assert {"name", "settings", "pause_for", "language", "change", "keep"} <= tapped
    for act in (leaves_and_asks_another, erases):
        _, lived = await _seen(beginning, tmp_path / act.__name__, act)
        for here, there in zip(lived, alone, strict=True):
            assert here == there, act.__name__


async def _told(beginning: Beginning, folder: Path, act: Act, command: str, *, days: int) -> list[str]:
    """Return what B reads on reaching for sharing, when A has done this `days` ago."""
    async with beginning.life(folder) as world:
        if days:
            await act(world)
        await world.until(world.clock.now() + timedelta(days=3, minutes=7))
        if not days:
            await act(world)
        await world.until(world.clock.now() + timedelta(minutes=1))
        before = len(world.recorder.seen[B])
        await world.says(B, f"/{command}")
        return [call.params for call in world.recorder.seen[B][before:]]


@pytest.mark.parametrize("command", sorted(REACHES))
async def test_end_hides_time_and_reason(tmp_path: Path, command: str) -> None:
    beginning = await Beginning.make(tmp_path)
    just_now = await _told(beginning, tmp_path / "now", leaves, command, days=0)
    long_ago = await _told(beginning, tmp_path / "long ago", erases, command, days=3)
    assert just_now == long_ago
    assert command == "join" or any(ENDED in params for params in just_now), just_now
