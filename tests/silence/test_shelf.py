"""Words that A adds to a Line, even to one that B has opened, change nothing that B can observe."""

from pathlib import Path

from tests.silence.world import A, B, Beginning, Call

NAMED = "heavy, torn, like wet wool"


async def _seen_by_b(beginning: Beginning, folder: Path, *, names: bool) -> tuple[Call, ...]:
    async with beginning.life(folder) as world:
        if names:
            line = beginning.opened.line
            for tap in ("shelf:{}", "board:heavy.{}", "feel:heavy.{}", "feel:torn.{}", "feel_own:{}"):
                await world.taps(A, world.recorder.next_id(A) - 1, f"v1:{tap.format(line)}")
            await world.says(A, "like wet wool")
            await world.says(A, "/words")
            assert any(NAMED in call.params for call in world.recorder.seen[A]), "A has named nothing"
        for command in ("/waiting", "/share", "/ritual", "/words"):
            await world.says(B, command)
        return tuple(world.recorder.seen[B])


async def test_b_observes_nothing_of_words(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    named = await _seen_by_b(beginning, tmp_path / "named", names=True)
    unnamed = await _seen_by_b(beginning, tmp_path / "unnamed", names=False)
    assert len(named) >= 4, "B saw too little for this to prove anything"
    assert named == unnamed
