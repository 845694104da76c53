"""An answer to the day's question takes few visits to SQLite's thread, each of which costs more than its statements."""

from pathlib import Path

import pytest

from bot.storage.sqlite import Connection
from bot.tg.turn import Handling, UpdateProcessor
from tests.silence.world import A, Beginning


async def test_kept_line_takes_two_visits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[str] = []
    visit, process = Connection.work, UpdateProcessor.process

    async def noted_visit(self: Connection, work: object, *arguments: object) -> object:
        visits.append("visit")
        return await visit(self, work, *arguments)  # type: ignore[arg-type]

    async def noted_process(self: UpdateProcessor, update: object, handling: Handling, arrived: float | None) -> None:
        visits.clear()
        await process(self, update, handling, arrived)  # type: ignore[arg-type]
        turns.append(len(visits))

    turns: list[int] = []
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path) as world:
        await world.says(A, "/today")
        monkeypatch.setattr(Connection, "work", noted_visit)
        monkeypatch.setattr(UpdateProcessor, "process", noted_process)
        await world.says(A, "The dog waited at the door.")
    assert turns == [3], "everything is read in one visit and written in another; the third is the commit"
