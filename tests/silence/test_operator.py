"""The operator may be one of two: what the bot reports there doesn't depend on what the other one does."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.tg.operator_chat import WEEK, OperatorChat
from tests.silence.world import A, B, Beginning, Call


async def _seen_by_b(beginning: Beginning, folder: Path, *, busy: bool) -> tuple[Call, ...]:
    async with beginning.life(folder, operator_chat=B) as world:
        chat = world.built.operator_chat
        assert chat
        await chat.sum_up()
        if busy:
            await world.says(A, "/today")
            await world.says(A, "The dog waited at the door.")
            await world.says(A, "/noticed You filled my tank.")
            assert len(world.recorder.seen[A]) >= 3, "A has done nothing"
        await world.says(B, "/ops")
        await world.until(world.clock.now() + WEEK + timedelta(hours=1))
        await chat.sum_up()
        assert chat._waiting.empty(), "sums are told only where there are many"
        await world.says(B, "/ops")
        return tuple(call for call in world.recorder.seen[B] if "database 0" in call.params)


async def test_operator_observes_nothing_of_the_partner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OperatorChat, "_on_disk", lambda _: (12, None))
    beginning = await Beginning.make(tmp_path)
    busy = await _seen_by_b(beginning, tmp_path / "busy", busy=True)
    idle = await _seen_by_b(beginning, tmp_path / "idle", busy=False)
    assert len(busy) == 2, "B has seen too little for this to prove anything"
    assert busy == idle


async def test_ops_is_unknown_to_everybody_else(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    seen = []
    for name, command in (("ops", "/ops"), ("nonsense", "/opt")):
        async with beginning.life(tmp_path / name, operator_chat=B) as world:
            await world.says(A, command)
            await world.edits(A, world.said[A][-1], f"{command} please")
            await world.says(A, f"{command}@ajar_bot")
            seen.append(tuple(world.recorder.seen[A]))
    assert len(seen[0]) >= 3, "A was answered too seldom for this to prove anything"
    assert seen[0] == seen[1]
