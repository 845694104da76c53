"""The recap: comes by itself after a week with a Line, until its user doesn't want it, and shows what is theirs."""

import json
from datetime import date, time, timedelta

import pytest

from bot.domain.feelings import Feeling, unpack
from bot.domain.model import User
from bot.domain.notices import Notice, NoticeKind
from bot.domain.recap import due_after
from bot.domain.results import Kept, Result
from bot.domain.results.recap import RecapShown, RecapStopped
from bot.domain.times import local
from bot.services.recap import Recaps
from tests.services.conftest import ALICE, BOB, House

RECAPS = Recaps()


async def keeps(house: House, user_id: int, word: Feeling | None = None) -> None:
    """Let somebody answer their next Ask, and put a word to the Line."""
    asked = await house.is_asked(user_id)
    kept = await house.says(user_id, "The dog waited.", asked.ask_id % 1000 + 1)
    assert isinstance(kept, Kept)
    if word:
        async with house.store.writing(user_id) as rows:
            line = await rows.lines.find(user_id, kept.line_id)
            assert line
            await rows.lines.set_feelings(line, [word])


async def planned(house: House, user_id: int = ALICE) -> list[Notice]:
    """Return the recaps that are planned for this user, without claiming one."""
    async with house.store.reading() as rows:
        subjects = await rows.notices.unsaid(user_id, NoticeKind.RECAP)
    return [Notice(0, user_id, NoticeKind.RECAP, subject, house.clock.now()) for subject in subjects]


async def on_sunday(house: House) -> Result | None:
    """Move to when the next recap is due, and return what the bot says."""
    due = due_after(User(ALICE, "en", house.clock.now(), time(8), "Europe/London"), house.clock.now())
    assert due
    house.clock.set(due)
    async with house.store.writing() as rows:
        claimed = await rows.notices.claim(due, 50, 1)
    (notice,) = [notice for notice in claimed if notice.kind is NoticeKind.RECAP]
    result: Result | None = await house.does(notice.user_id, RECAPS.deliver, notice)
    return result


async def test_one_recap_is_planned(house: House) -> None:
    await house.arrives(ALICE)
    assert await planned(house) == []
    for _ in range(3):
        await keeps(house, ALICE)
        assert len(await planned(house)) == 1
    await house.arrives(BOB)
    await keeps(house, BOB)
    assert (len(await planned(house)), len(await planned(house, BOB))) == (1, 1)


async def test_only_the_first_explains_itself(house: House) -> None:
    await house.arrives(ALICE)
    await keeps(house, ALICE)
    assert await on_sunday(house) == RecapShown(by_itself=True, first=True)
    assert (await house.user(ALICE)).weekly_recap is None, "it may still have to be sent once more"
    async with house.store.writing() as rows:
        await rows.users.recap_has_come(ALICE)
        await rows.notices.cancel(NoticeKind.RECAP, ALICE, house.clock.now())
    await keeps(house, ALICE)
    assert await on_sunday(house) == RecapShown(by_itself=True)


async def test_week_without_a_line_has_none(house: House) -> None:
    await house.arrives(ALICE)
    await house.is_asked(ALICE)
    assert len(await planned(house)) == 1
    assert await on_sunday(house) is None
    assert (await house.user(ALICE)).weekly_recap is None, "the first one is still to come"


async def test_unwanted_recap_does_not_come(house: House) -> None:
    await house.arrives(ALICE)
    await keeps(house, ALICE)
    assert await house.does(ALICE, RECAPS.stop) == RecapStopped()
    assert await on_sunday(house) is None, "neither the one that was planned"
    async with house.store.writing() as rows:
        await rows.notices.cancel(NoticeKind.RECAP, ALICE, house.clock.now())
    await keeps(house, ALICE)
    assert await planned(house) == [], "nor another one"
    assert await house.does(ALICE, RECAPS.show) == RecapShown(), "but /recap still shows it"


async def test_pause_lets_it_fall_away(house: House) -> None:
    await house.arrives(ALICE)
    await keeps(house, ALICE)
    async with house.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, paused_at=house.clock.now())
    assert await on_sunday(house) is None


async def test_quiet_hours_put_it_off(house: House) -> None:
    await house.arrives(ALICE)
    await keeps(house, ALICE)
    async with house.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, quiet_from=time(0), quiet_to=time(23))
    assert await on_sunday(house) is None
    assert len(await planned(house)) == 1, "it is still to come"


async def test_recap_reads_own_words_by_week(house: House) -> None:
    await house.arrives(ALICE)
    await house.arrives(BOB)
    await keeps(house, ALICE, Feeling(shelf="heavy"))
    await keeps(house, BOB, Feeling(own="bob's"))
    for _ in range(7):
        await house.is_asked(ALICE)
    await keeps(house, ALICE, Feeling(own="wet wool"))
    read = await house.does(ALICE, RECAPS.read, RecapShown())
    weeks = {date.fromisoformat(first): unpack(words) for first, words in json.loads(read["weeks"])}
    assert len(weeks) == 8
    assert max(weeks) == local(house.clock.now(), "Europe/London").date() - timedelta(6)
    assert [words for words in weeks.values() if words] == [(Feeling(shelf="heavy"),), (Feeling(own="wet wool"),)]
    assert "bob" not in read["weeks"]


@pytest.mark.parametrize("result", [RecapShown(by_itself=True, first=True), RecapStopped()])
def test_result_has_no_words(result: Result) -> None:
    assert "heavy" not in result.pack()
