"""Looking back, changing and searching in A's journal changes nothing that B can observe."""

from pathlib import Path

from tests.silence.world import A, B, Beginning, Call

LEAFED = ("journal_line:{}", "shelf:{}", "feel:heavy.{}", "journal:", "journal_filters:", "journal_words:0")


async def _seen_by_b(beginning: Beginning, folder: Path, *, looks_back: bool) -> tuple[Call, ...]:
    async with beginning.life(folder) as world:
        if looks_back:
            await world.says(A, "/journal")
            line = beginning.opened.line
            for tap in (*LEAFED, "journal_word:{}.0", "journal_theme:us", "journal_all:", "journal_search:"):
                await world.taps(A, world.recorder.next_id(A) - 1, f"v1:{tap.format(line)}")
            await world.says(A, "a")
            assert any("Found in your lines" in call.params for call in world.recorder.seen[A])
            assert any("Your lines with the word" in call.params for call in world.recorder.seen[A])
        for command in ("/waiting", "/share", "/ritual", "/journal"):
            await world.says(B, command)
        return tuple(world.recorder.seen[B])


async def test_looking_back_is_unobservable(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    leafed = await _seen_by_b(beginning, tmp_path / "leafed", looks_back=True)
    closed = await _seen_by_b(beginning, tmp_path / "closed", looks_back=False)
    assert len(leafed) >= 4, "B saw too little for this to prove anything"
    assert leafed == closed
