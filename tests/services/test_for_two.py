"""Questions about the two of you come only to somebody who, as far as they know, is in a Pair."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.content import Role
from bot.domain.results import Asked, NoOther, Skipped, Snoozed
from bot.services.settings import Settings
from bot.storage.store import Store
from tests.databases import SqliteTemplate
from tests.services.conftest import ALICE, BOB, LIBRARY, House
from tests.simulation import HereDatabase, ids_from

OF_TWO = {prompt.id for prompt in LIBRARY.prompts.values() if prompt.role is not Role.TELLER}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WEEKS = 60
"""Days after which all of the lightest questions were asked."""


@pytest.fixture
def home(library_home: House) -> House:
    return library_home


async def paired(home: House) -> None:
    async with home.store.writing() as rows:
        assert await rows.pairs.make(ALICE, BOB, home.clock.now())


async def leaves(home: House, leaver: int) -> None:
    async with home.store.writing() as rows:
        pair = await rows.pairs.active(leaver)
        assert pair
        await rows.pairs.end(pair, leaver)


async def asked_for_weeks(home: House, days: int = WEEKS) -> list[str]:
    """The prompts that come to Alice, who answers everything."""
    found = []
    for day in range(days):
        asked = await home.is_asked(ALICE)
        found.append(asked.prompt_id or "none, as all were used up")
        await home.says(ALICE, "as usual", day + 1)
    return found


async def asked_of_two(home: House) -> Asked:
    """Alice, who is in a Pair and has left out everything else, is asked about the two of them."""
    await home.arrives(ALICE)
    await home.arrives(BOB)
    await paired(home)
    user = await home.user(ALICE)
    async with home.store.writing() as rows:
        others = frozenset(theme.id for theme in LIBRARY.themes) - {"us", "work", "body"}
        await rows.users.change(user, muted_themes=others)
    while True:
        asked = await home.is_asked(ALICE)
        if asked.prompt_id in OF_TWO:
            return asked


async def test_none_before_pairing_and_some_after(home: House) -> None:
    await home.arrives(ALICE)
    await home.arrives(BOB)
    assert OF_TWO.isdisjoint(await asked_for_weeks(home))
    await paired(home)
    assert not OF_TWO.isdisjoint(await asked_for_weeks(home))


async def test_leaver_gets_none_after_the_end(home: House) -> None:
    await home.arrives(ALICE)
    await home.arrives(BOB)
    await paired(home)
    await leaves(home, ALICE)
    assert OF_TWO.isdisjoint(await asked_for_weeks(home))


async def test_untold_partner_is_asked_as_before(
    sqlite_template: SqliteTemplate, tmp_path: Path, keys: KeyRing
) -> None:
    """The questions must not reveal that the other one has gone."""
    lives = []
    for left in (False, True):
        folder = tmp_path / str(left)
        folder.mkdir()
        with ids_from(7):
            store = Store(HereDatabase(sqlite_template.copy(folder)), keys)
            home = House(store, HandClock(NOON), LIBRARY)
            await home.arrives(ALICE)
            await home.arrives(BOB)
            await paired(home)
            before = await asked_for_weeks(home, 5)
            if left:
                await leaves(home, BOB)
            lives.append(before + await asked_for_weeks(home))
            async with store.writing() as rows:
                assert await rows.pairs.tell_ended(ALICE) is left
            after = await asked_for_weeks(home)
            assert OF_TWO.isdisjoint(after) is left
            await store.close()
    stayed, was_left = lives
    assert was_left == stayed
    assert not OF_TWO.isdisjoint(was_left[5:])


async def test_end_hides_the_open_question(home: House) -> None:
    asked = await asked_of_two(home)
    snoozed = await home.does(ALICE, home.asks.snooze, "hour", asked.ask_id)
    assert isinstance(snoozed, Snoozed)
    await leaves(home, ALICE)
    home.clock.set(snoozed.until)
    ((_, back),) = await home.deliver()
    assert back
    assert (back.ask_id, back.prompt_id in OF_TWO) == (asked.ask_id, False)


@pytest.mark.parametrize("how", ["today", "another", "lighter", "bring_back"])
async def test_no_button_or_command_brings_one(home: House, how: str) -> None:
    asked = await asked_of_two(home)
    if how == "bring_back":
        assert isinstance(await home.does(ALICE, home.asks.skip, asked.ask_id), Skipped)
    await leaves(home, ALICE)
    if how in {"today", "bring_back"}:
        shown = await home.does(ALICE, getattr(home.asks, how), *(() if how == "today" else (asked.ask_id,)))
        assert isinstance(shown, Asked)
        assert shown.prompt_id not in OF_TWO
        return
    for _ in range(20):
        home.clock.advance(MINUTE)
        shown = await home.does(ALICE, getattr(home.asks, how), asked.ask_id)
        assert isinstance(shown, NoOther) or shown.prompt_id not in OF_TWO


async def test_asking_about_two_keeps_another_theme(home: House) -> None:
    """They may have no partner tomorrow, and must then still have something to be asked about."""
    await home.arrives(ALICE)
    await home.arrives(BOB)
    await paired(home)
    settings = Settings(LIBRARY)
    for theme in LIBRARY.themes:
        if theme.id != "us":
            await home.does(ALICE, settings.set_theme, theme.id, on=False)
    left_in = {theme.id for theme in LIBRARY.themes} - (await home.user(ALICE)).muted_themes
    assert left_in == {"us", LIBRARY.themes[-1].id}
    assert {one.partition(".")[0] for one in await asked_for_weeks(home, 10)} == left_in
