"""The Ritual reveals nothing of what doesn't go out: whatever A does before the moment, B observes the same."""

import random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.silence.lives import SHARING, Acts
from tests.silence.world import A, B, Beginning, Call, World

SAMPLE = 1

MOMENT = datetime(2027, 3, 28, 19, 0, tzinfo=UTC)
"""Eight in the evening of the Sunday on which Lisbon's clocks, which are B's, have changed; 4 a.m. for A."""
EARLY = MOMENT - timedelta(hours=3)
LATE = MOMENT - timedelta(minutes=20)
Act = Callable[[World], Coroutine[Any, Any, None]]


async def _taps(world: World, user_id: int, *actions: str) -> None:
    """Tap the newest button for each, one after the other."""
    for action in actions:
        await world.taps_newest(user_id, action)


async def nothing(_: World) -> None:
    """A doesn't even look."""


async def says_nothing_this_time(world: World) -> None:
    await _taps(world, A, "rit_none")


async def puts_in_if_there_is_one(world: World) -> None:
    await _writes(world, "rit_in:met")


async def puts_in_and_takes_out(world: World) -> None:
    await _writes(world, "rit_in:either", "rit_out")


async def thinks_about_it(world: World) -> None:
    await _writes(world, "rit_out")


async def deletes_what_is_in(world: World) -> None:
    await _writes(world, "rit_in:either")
    async with world.built.store.reading() as rows:
        (newest,) = await rows.lines.page(A, None, 1)
    await world.taps(A, 1, f"v1:erase_line:{newest.id}")


async def pauses(world: World) -> None:
    await world.says(A, "/pause")
    await _taps(world, A, "pause_open")


async def blocks(world: World) -> None:
    await world.blocks(A, blocked=True)


async def answers_the_question_for_herself(world: World) -> None:
    await _writes(world, "rit_out", how="rit_answer")


async def answers_the_question_if_there_is_one(world: World) -> None:
    await _writes(world, "rit_in:met", how="rit_answer")


async def _writes(world: World, *then: str, how: str = "rit_write") -> None:
    await _taps(world, A, how)
    await world.says(A, "The line of this week, which is mine.")
    await _taps(world, A, "rit_wish:listen", *then)


SILENT: dict[bool, tuple[Act, ...]] = {
    True: (
        says_nothing_this_time,
        puts_in_and_takes_out,
        deletes_what_is_in,
        answers_the_question_for_herself,
        blocks,
    ),
    False: (puts_in_if_there_is_one, answers_the_question_if_there_is_one, thinks_about_it, pauses),
}
"""What A does when B puts something in and there may be one from A too, and when B puts nothing in."""


async def _lived(beginning: Beginning, folder: Path, act: Act, *, b_puts_in: bool) -> list[Call]:
    async with beginning.life(folder) as world:
        await _agree(world)
        await world.until(EARLY)
        await world.says(B, "/ritual")
        if b_puts_in:
            await _taps(world, B, "rit_open", "rit_write")
            await world.says(B, "His own one.")
            await _taps(world, B, "rit_wish:listen", "rit_in:met")
        await world.until(LATE)
        await act(world)
        await world.until(MOMENT + timedelta(hours=14))
        for command in ("/ritual", "/waiting", "/share"):
            await world.says(B, command)
        await world.until(MOMENT + timedelta(days=6))
        return list(world.recorder.seen[B])


async def _agree(world: World, *, b_proposes: bool = True) -> None:
    """Let the two agree, on the same question for both as well.

    The clock of the one who proposes counts: the MOMENT, or two hours later, at six for A.
    """
    one, other, day, hour = (B, A, 6, 20) if b_proposes else (A, B, 0, 6)
    await world.says(one, "/ritual")
    await _taps(world, one, "rit_days", f"rit_day:{day}", f"rit_hour:{day}.{hour}")
    await _taps(world, other, "rit_yes_same")


async def _week(
    beginning: Beginning, folder: Path, seed: int | None, *, b_proposes: bool
) -> tuple[list[Call], list[str]]:
    """Two weeks of the Ritual, in which A acts by chance but in the end puts nothing in."""
    async with beginning.life(folder) as world:
        await _agree(world, b_proposes=b_proposes)
        chance = random.Random(seed)
        a = Acts(world, A, chance, SHARING, may_block=True, often=("ritual", "today", "pause", "settings"))
        first = MOMENT if b_proposes else MOMENT + timedelta(hours=2)
        for moment in (first, first + timedelta(days=7)):
            for hours in (100, 60, 38, 25, 16, 13, 11, 8, 5, 2):
                step = moment - timedelta(hours=hours)
                for part in range(chance.randrange(4) if seed is not None else 0):
                    await world.until(step + timedelta(minutes=7 * part, milliseconds=137))
                    await (a.act() if chance.random() < 0.6 else a.puts_in())
                await world.until(step + timedelta(minutes=30))
                await world.says(B, "/ritual")
            if seed is not None:
                await world.until(moment - timedelta(minutes=70, milliseconds=137))
                await a.puts_in_nothing()
            await world.until(moment - timedelta(minutes=65))
            await _taps(world, B, "rit_open", "rit_write")
            await world.says(B, f"His own one, {moment:%d.%m.}")
            await _taps(world, B, "rit_wish:listen", "rit_in:met")
            await world.until(moment + timedelta(hours=4))
            for command in ("ritual", "waiting", "share"):
                await world.says(B, f"/{command}")
        await world.until(MOMENT + timedelta(days=13))
        return list(world.recorder.seen[B]), a.done


@pytest.mark.parametrize("b_proposes", [True, False])
async def test_two_weeks_of_a_say_nothing(tmp_path: Path, b_proposes: bool) -> None:
    beginning = await Beginning.make(tmp_path)
    alone, _ = await _week(beginning, tmp_path / "alone", None, b_proposes=b_proposes)
    assert sum("rit_lines" in call.params for call in alone) >= 2, "B was not asked in both mornings"
    first = random.SystemRandom().randrange(1 << 30)
    for seed in range(first, first + SAMPLE):
        lived, done = await _week(beginning, tmp_path / str(seed), seed, b_proposes=b_proposes)
        assert lived == alone, f"seed {seed}:\n" + "\n".join(done)


@pytest.mark.parametrize("b_puts_in", [True, False])
async def test_unsent_entry_says_nothing(tmp_path: Path, b_puts_in: bool) -> None:
    beginning = await Beginning.make(tmp_path)
    alone = await _lived(beginning, tmp_path / "alone", nothing, b_puts_in=b_puts_in)
    assert any("rit_lines" in call.params for call in alone), "B was not asked"
    assert not any("left you a line" in call.params for call in alone)
    for act in SILENT[b_puts_in]:
        lived = await _lived(beginning, tmp_path / act.__name__, act, b_puts_in=b_puts_in)
        assert lived == alone, act.__name__


async def test_matching_entries_are_told_to_both(tmp_path: Path) -> None:
    """This shows that the tests above can fail."""
    beginning = await Beginning.make(tmp_path)
    met = await _lived(beginning, tmp_path / "met", puts_in_if_there_is_one, b_puts_in=True)
    assert any("left you a line" in call.params for call in met)


# A proposal by B that is not agreed to


async def refuses(world: World) -> None:
    await world.says(A, "/ritual")
    await _taps(world, A, "rit_no")


async def refuses_and_proposes_something_else(world: World) -> None:
    """Use earlier buttons, since the present ones show that B has proposed something."""
    await refuses(world)
    for data in ("rit_days:", "rit_day:2", "rit_hour:2.9", "rit_show:", "rit_hour:5.21"):
        await world.taps(A, 1, f"v1:{data}")
    await refuses(world)


async def _proposed(beginning: Beginning, folder: Path, act: Act) -> list[Call]:
    """B proposes, looks, takes it back, proposes again, and waits until it has run out."""
    async with beginning.life(folder) as world:
        for hour in (20, 21):
            await world.says(B, "/ritual")
            await _taps(world, B, "rit_days", "rit_day:6", f"rit_hour:6.{hour}")
            await world.until(world.clock.now() + timedelta(minutes=20))
            await act(world)
            for step in (timedelta(hours=1), timedelta(days=2)):
                await world.until(world.clock.now() + step)
                await world.says(B, "/ritual")
                await _taps(world, B, "rit_end") if hour == 20 and step > timedelta(days=1) else None
        await world.until(world.clock.now() + timedelta(days=6))
        await world.says(B, "/ritual")
        return list(world.recorder.seen[B])


async def test_refusal_looks_like_no_answer(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    alone = await _proposed(beginning, tmp_path / "alone", nothing)
    for act in (refuses, refuses_and_proposes_something_else, blocks):
        assert await _proposed(beginning, tmp_path / act.__name__, act) == alone, act.__name__
