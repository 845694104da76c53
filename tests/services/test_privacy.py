"""Erasing everything, on both databases: nothing of one is left, the other keeps their own and learns nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.model import Dialog, Waiting
from bot.domain.notices import NoticeKind
from bot.domain.results import Erased, EraseWanted, Result
from bot.domain.results.pairing import NotPaired, SharingEnded
from bot.domain.results.receiving import Opened
from bot.domain.sharing import ResponseKind, State
from bot.services.privacy import Privacy
from bot.storage.schema import metadata, records, reflections, responses
from tests.services.test_exporting import OF_BOB, export_of
from tests.services.test_sharing import ALICE, BOB, Home, home  # noqa: F401  # the fixture

_PEOPLE = ("user_id", "partner_id", "proposer_id", "guest_id", "a", "b")
ASKED_BEFORE = timedelta(minutes=59)


async def _erases(home: Home, user_id: int, asked_at: datetime | None = None) -> Result:  # noqa: F811
    privacy = Privacy(home.pairing)
    asked = asked_at or home.now - ASKED_BEFORE
    return await home.do(user_id, lambda visit: privacy.erase(visit.rows, visit.user, asked, visit.now))


async def _traces(home: Home, user_id: int) -> set[str]:  # noqa: F811
    """Return the tables that have a row of this person."""
    found = set()
    async with home.store.reading() as rows:
        for table in metadata.sorted_tables:
            for column in table.c:
                if column.name in _PEOPLE or (table.name == "users" and column.name == "id"):
                    query = select(table).where(column == user_id).limit(1)
                    if (await rows._connection.execute(query)).first():
                        found.add(f"{table.name}.{column.name}")
    return found


async def _lives_a_little(home: Home) -> None:  # noqa: F811
    """Alice has an opened and answered Reflection, one that is announced, one that is due, and something awaited."""
    (opened,) = await home.announced()
    assert isinstance(await home.opens(opened), Opened)
    await home.answers(opened)
    await home.announced()
    await home.shares()
    async with home.store.writing(ALICE) as rows:
        await rows.dialogs.await_(ALICE, Dialog(Waiting.NAME, 0, home.now + timedelta(hours=1)))
        await rows.invites.wrong(ALICE, home.now)
        await rows.notices.add([(ALICE, NoticeKind.ASK, 77, home.now)], home.now)


async def test_nothing_is_left_after_an_erase(home: Home) -> None:  # noqa: F811
    await _lives_a_little(home)
    assert {"lines.user_id", "reflections.user_id", "pairs.a", "notices.user_id"} <= await _traces(home, ALICE)
    assert await _erases(home, ALICE) == Erased()
    assert await _traces(home, ALICE) == set()
    assert await home.due() == [], "nothing about it is said to anybody"
    assert await home.waiting() == SharingEnded()


async def test_receivers_erase_spares_the_sharer(home: Home) -> None:  # noqa: F811
    (opened,) = await home.announced()
    await home.opens(opened)
    await home.answers(opened, ResponseKind.THANKS)
    (waiting,) = await home.announced()
    assert await _erases(home, BOB) == Erased()
    assert await _traces(home, BOB) == set()
    assert await home.state(waiting) is State.CANCELLED
    assert await home.hears() == []
    assert await home.looks(opened) == SharingEnded()
    async with home.store.reading() as rows:
        (line, *_) = await rows.lines.page(ALICE, None, 1)
        assert await rows.lines.words(line)


@pytest.mark.parametrize("ago", [timedelta(hours=1, seconds=1), timedelta(days=300), -timedelta(seconds=1)])
async def test_old_erase_button_asks_anew(home: Home, ago: timedelta) -> None:  # noqa: F811
    """A later tap on it, in a new life, must not erase that life too."""
    before = await _traces(home, ALICE)
    assert await _erases(home, ALICE, home.now - ago) == EraseWanted(home.now)
    assert await _traces(home, ALICE) == before
    assert await home.pair()


async def test_invite_reopens_when_its_guest_erases(home: Home) -> None:  # noqa: F811
    """Its maker sees what was there before the guest came."""
    await home.leaves(ALICE)
    async with home.store.writing(ALICE) as rows:
        invite = await rows.invites.make(ALICE, home.now + timedelta(days=1))
        secrets = await rows.invites.secrets(invite)
        assert secrets
        claimed = await rows.invites.claim(BOB, link=secrets.link, code="", now=home.now)
        assert claimed
        await rows.invites.accept(claimed, BOB, home.now)
        await rows.notices.add([(ALICE, NoticeKind.GUEST, invite.id, home.now)], home.now)
    assert await _erases(home, BOB) == Erased()
    assert await home.due() == []
    async with home.store.reading() as rows:
        assert await rows.invites.of(ALICE, home.now) == invite


@pytest.mark.parametrize("way", ["unpair", "erase"])
async def test_receiver_sees_erase_as_an_end(home: Home, way: str) -> None:  # noqa: F811
    """In whatever way it ends, every old button of the receiver, and of the sharer, answers the same."""
    (opened, answered, announced) = await home.announced(3)
    for about in (opened, answered):
        await home.opens(about)
    await home.answers(answered)
    await (home.leaves(ALICE) if way == "unpair" else _erases(home, ALICE))
    gone = NotPaired(beside=True)
    assert await home.opens(announced) == SharingEnded(), "heard once, when they reach for it"
    assert await home.opens(announced) == gone
    assert await home.puts_off(announced) == gone
    for about in (opened, answered):
        assert await home.opens(about) == gone
        assert await home.answers(about) == gone
    assert await home.waiting() == NotPaired()


@pytest.mark.parametrize("way", ["unpair", "erase"])
async def test_sharer_sees_erase_as_an_end(home: Home, way: str) -> None:  # noqa: F811
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    await (home.leaves(BOB) if way == "unpair" else _erases(home, BOB))
    assert await home.lands(response) == SharingEnded()
    assert await home.lands(response) == NotPaired(beside=True)
    assert await home.looks(about) == SharingEnded()
    assert await home.takes_back(about) == SharingEnded()


async def _answered(home: Home) -> int:  # noqa: F811
    """Bob has answered a line in his own words, and Alice has said privately how that landed. Return the line."""
    (opened,) = await home.announced()
    await home.opens(opened)
    await home.chooses(opened, ResponseKind.LINE)
    await home.sends(await home.replies(opened, OF_BOB))
    response = await home.response()
    await home.lands(response)
    return opened


async def _all_of(home: Home, user_id: int) -> dict[str, Any]:  # noqa: F811
    return (await export_of(home, user_id)).model_dump(exclude={"made_at"})


@pytest.mark.parametrize(("leaver", "other"), [(ALICE, BOB), (BOB, ALICE)])
async def test_export_shows_erase_as_an_end(home: Home, leaver: int, other: int) -> None:  # noqa: F811
    """Their own words stay theirs, although the rows that they belonged to are gone."""
    await _answered(home)
    await home.leaves(leaver)
    before = await _all_of(home, other)
    assert before["responses"] if other == BOB else before["remarks"]
    assert await _erases(home, leaver) == Erased()
    assert await _traces(home, leaver) == set()
    assert await _all_of(home, other) == before


async def test_erased_answer_leaves_the_sharer(home: Home) -> None:  # noqa: F811
    opened = await _answered(home)
    await _erases(home, BOB)
    assert await home.looks(opened) == SharingEnded()
    assert OF_BOB not in str(await _all_of(home, ALICE))
    async with home.store.reading() as rows:
        assert await rows.responses.to(opened) is None
        assert list(await rows._connection.execute(select(responses))) == []
        assert list(await rows._connection.execute(select(records.c.user_id))) == [(ALICE,)], "what she said about it"


async def test_erased_line_stays_in_the_chat(home: Home) -> None:  # noqa: F811
    """Its message stays in the receiver's chat, since they have read it; whatever they tap there is as after an end."""
    (first,), (second,) = await home.announced(), await home.announced()
    for about in (first, second):
        await home.opens(about)
    await home.answers(first)
    await home.leaves(ALICE)
    assert await home.opens(first) == SharingEnded()
    after_an_end = [await home.opens(about) for about in (first, second)], await home.answers(second)
    await _erases(home, ALICE)
    assert ([await home.opens(about) for about in (first, second)], await home.answers(second)) == after_an_end
    async with home.store.reading() as rows:
        assert await rows.openings.find(BOB, second), "that he opened it is his"
        assert list(await rows._connection.execute(select(reflections))) == []
