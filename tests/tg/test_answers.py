"""An answer that may have been given before: to a question there is a bound, counted in the row of its update."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.silence.world import A, Beginning


@pytest.mark.parametrize(("before", "comes"), [(0, True), (-1, False), (-5, False), (1, False)])
async def test_a_question_that_may_have_come_twice_does_not_come_again(
    tmp_path: Path, before: int, comes: bool
) -> None:
    """As after kills between its sending and the note that it was sent; `1` is that note."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.says(A, "/today")
        world.built.turns._answered.clear()  # the process was killed before it could note it
        update_id = A * 1_000_000 + world.updates[A]
        (file,) = (tmp_path / "life").rglob("*.db")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE updates SET answered = ? WHERE id = ?", (before, update_id))
        seen = len(world.recorder.seen[A])
        await world.built.ingress.take(
            {"update_id": update_id, "message": world._message(A, world.said[A][-1], "/today")}
        )
        assert (len(world.recorder.seen[A]) > seen) is comes
