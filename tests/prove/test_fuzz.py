"""Updates of all shapes, half of them spoiled: the bot goes on, and the valid texts among them are kept and answered.

Part of `make prove`. AJAR_PROVE_FUZZ says how many (100,000 by default), AJAR_PROVE_SEED repeats a run.
"""

import asyncio
import json
import os
import random
from collections import Counter, defaultdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from structlog.testing import capture_logs

import tests.silence.world as world_module
from tests.crash.stage import START, Place, begins, bot_at
from tests.prove.recorded import texts_in
from tests.prove.schedules import run
from tests.prove.updates import CANARY, Updates
from tests.silence.world import CHARLIE, NAMES, A, B, World

UPDATES: Final = int(os.environ.get("AJAR_PROVE_FUZZ", "100000"))
SEED: Final = int(os.environ.get("AJAR_PROVE_SEED", "0")) or random.randrange(1, 1_000_000_000)
BATCH: Final = 50
PEOPLE: Final = (A, CHARLIE, 77, 78, 79)
"""The writers of drawn updates; B writes the valid ones."""
QUICK: Final = 60.0
"""Seconds in which a batch must be handled, by the loop's own time."""


@pytest.mark.timeout(7200)
def test_bot_goes_on_whatever_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_module, "NAMES", defaultdict(lambda: "Somebody", NAMES))
    place = Place(tmp_path / "root")
    place.folder.mkdir()
    run(partial(_live, place), SEED)


async def _live(place: Place) -> None:
    await begins(place, ritual=False)(lambda *_: None)
    counts: Counter[str] = Counter()
    memory = []
    with capture_logs() as logged:
        async with bot_at(place, START, lambda *_: None) as world:
            world.recorder.next_id(B)  # they have a Line from the message before
            drawn = Updates(
                SEED, [A, CHARLIE, 77, 78, 79], lambda: [data for _, data in world.recorder.buttons(A)][-40:]
            )
            for number in range(UPDATES // BATCH):
                batch = [drawn.one() for _ in range(BATCH)]
                await _handle(world, batch, number, counts)
                _look(logged, batch, drawn.whole, counts)
                memory.append(psutil.Process().memory_info().rss >> 20)
            found = Counter(await texts_in(world.built.store))
    print(f"AJAR_PROVE_SEED={SEED} {dict(counts)}, {memory[len(memory) // 5]} to {memory[-1]} MiB")  # noqa: T201
    lost = [number for number in range(UPDATES // BATCH) if found[_valid(number)] != 1]
    assert not lost, f"valid texts that were lost or doubled: {lost[:20]}"
    assert memory[-1] < 1.2 * memory[len(memory) // 5] + 20, "memory grows"


def _valid(number: int) -> str:
    return f"Valid text {number}."


async def _handle(world: World, batch: list[Any], number: int, counts: Counter[str]) -> None:
    """Let all of them arrive, and a valid text with them."""
    answered = len(world.recorder.seen[B])
    message = world._message(B, world.recorder.next_id(B), _valid(number))
    valid = {"update_id": 10**9 + number, "message": message}
    try:
        async with asyncio.timeout(QUICK):
            await world.built.inbox.take([*batch[: BATCH // 2], valid, *batch[BATCH // 2 :]])
            await world.built.inbox.finish()
            await _work_off(world)
    except TimeoutError:
        waits = [_where(task) for task in asyncio.all_tasks() if task.get_name() == "lane"]
        raise AssertionError(f"a lane is blocked, at {waits}: {json.dumps(batch)}") from None
    assert world.built.inbox.held == 0, f"a lane is blocked: {batch}"
    assert len(world.recorder.seen[B]) > answered, f"not answered: {batch}"
    counts.update(updates=len(batch), valid=1)
    world.clock.set(world.clock.now() + timedelta(minutes=5))
    for calls in world.recorder.seen.values():
        counts["calls"] += len(calls)
        calls.clear()
    for user_id, shown in world.recorder.chats.items():
        for message_id in sorted(shown)[:-20]:
            del world.recorder.chats[user_id][message_id]


async def _work_off(world: World) -> None:
    """Send all that can be sent now: of each chat's waiting answers one goes at a time."""
    while True:
        await world.work()
        async with world.built.store.reading() as rows:
            if not await rows.notices.can_claim(world.clock.now()):
                return


def _where(task: asyncio.Task[Any]) -> list[str]:
    """Return where a task waits."""
    found: list[str] = []
    waiting: Any = task.get_coro()
    while frame := getattr(waiting, "cr_frame", None):
        found.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        waiting = waiting.cr_await
    return found


def _look(logged: list[Any], batch: list[Any], whole: set[int], counts: Counter[str]) -> None:
    """Check that no text got into the log, and that only spoiled updates failed."""
    assert CANARY not in repr(logged), f"a text is in the log: {logged}"
    for entry in logged:
        if entry["event"] == "incident":
            assert entry.get("update") not in whole, f"{entry}\n{json.dumps(batch)}"
            counts["unreadable" if "_read" in str(entry["trace"]) else "given up"] += 1
    logged.clear()
    whole.clear()
