"""What an earlier Ajar has sealed is tied to its recipient, whatever comes in between, and can't be untied."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, func, select, update

from bot import copies
from bot.config import load
from bot.crypto import KeyRing
from bot.domain.content import Wish
from bot.domain.ritual import Terms
from bot.storage.backup import BackupError
from bot.storage.engine import single_engine
from bot.storage.migrate import migrate
from bot.storage.schema import metadata, reflections, responses, ritual_seats, users
from bot.storage.seals import KINDS
from bot.storage.store import TIED, Rows, Store
from bot.storage.tying import Tying
from bot.storage.users import Users
from tests import forks
from tests.conftest import BOTH
from tests.databases import PostgresServer, run_apart, sqlite_url
from tests.storage import dying_tying
from tests.storage.before_ties import (
    ALICE,
    ANNOUNCED,
    ANSWERED,
    BACK,
    BOB,
    CHARLIE,
    DAMAGED,
    DRAFTED,
    OPENED,
    PAIR,
    PUT_IN,
    REWORDED,
    RITUAL,
    SCHEDULED,
    SENT,
    TO_NOBODY,
    UNSENT,
    WITHDRAWN,
    WORDS,
    make,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def _make_and_migrate(url: str, keys: KeyRing) -> None:
    await make(url, keys)
    await migrate(url)


@pytest.fixture(scope="module")
def untied_file(tmp_path_factory: pytest.TempPathFactory, keys: KeyRing) -> Path:
    """A database of before that was migrated, to be copied: making one takes as long as several tests."""
    file = tmp_path_factory.mktemp("untied") / "untied.db"
    run_apart(_make_and_migrate(sqlite_url(file), keys))
    return file


@pytest.fixture(scope="module")
def untied_database(postgres: PostgresServer, keys: KeyRing) -> Iterator[str]:
    """The name of such a database on PostgreSQL."""
    name = f"untied_{postgres.owner}"
    run_apart(postgres.run(f"CREATE DATABASE {name}"))
    run_apart(_make_and_migrate(postgres.url(name), keys))
    yield name
    run_apart(postgres.run(f"DROP DATABASE {name}"))


@pytest.fixture(params=BOTH)
async def untied_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database of before that was migrated; the test runs once on each kind."""
    if request.param == "sqlite":
        yield sqlite_url(Path(shutil.copy(request.getfixturevalue("untied_file"), tmp_path / "ajar.db")))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        async with server.new(like=request.getfixturevalue("untied_database")) as url:
            yield url


@pytest.fixture
async def store(untied_url: str, keys: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(untied_url, keys)
    yield store
    await store.close()


async def known(rows: Rows) -> dict[str, Any]:
    """Return what everybody can read and has chosen."""
    alice, bob = await rows.users.find(ALICE), await rows.users.find(BOB)
    sent, unsent = await rows.responses.theirs(ALICE, SENT), await rows.responses.mine(BOB, UNSENT)
    scheduled = await rows.reflections.mine(ALICE, SCHEDULED)
    assert alice
    assert bob
    assert sent
    assert unsent
    assert scheduled
    return {
        "left out": (alice.muted_themes, alice.muted_sensitivities, bob.muted_themes, bob.muted_sensitivities),
        "pair": [await rows.pairs.active(user_id) is not None for user_id in (ALICE, BOB, CHARLIE)],
        "sharer": await rows.reflections.words_of(ALICE, [*range(DRAFTED, DAMAGED), PUT_IN]),
        "reworded": await rows.reflections.proposed(scheduled),
        "there": [
            about for about in range(DRAFTED, PUT_IN + 1) if await rows.reflections.theirs(BOB, about) is not None
        ],
        "waiting": [one.id for one in await rows.reflections.waiting_for(BOB, PAIR, NOW, 10)],
        "receiver": [await rows.reflections.words_for(BOB, about) for about in (OPENED, ANSWERED, TO_NOBODY)],
        "back": (await rows.responses.words(sent), await rows.responses.words(unsent), sent.landed),
        "put in": [(member.reflection_id, member.terms) for member in await rows.rituals.members(RITUAL)],
    }


EXPECTED: dict[str, Any] = {
    "left out": (frozenset({"work"}), frozenset({"loss", "money"}), frozenset(), frozenset()),
    "pair": [True, True, False],
    "sharer": dict.fromkeys((DRAFTED, SCHEDULED, ANNOUNCED, OPENED, ANSWERED, TO_NOBODY, PUT_IN), WORDS),
    "reworded": REWORDED,
    "there": [SCHEDULED, ANNOUNCED, OPENED, ANSWERED, WITHDRAWN],
    "waiting": [SCHEDULED, ANNOUNCED],
    "receiver": [WORDS, WORDS, None],
    "back": (BACK, BACK, False),
    "put in": [(PUT_IN, Terms.MET), (None, None)],
}


async def all_read(store: Store) -> None:
    async with store.reading() as rows:
        assert await known(rows) == EXPECTED
        opened = await rows.seals.open_all()
    assert opened.places == [f"reflections.words of row {DAMAGED}"]


async def test_tying_changes_nothing_readable(store: Store) -> None:
    await all_read(store)
    assert await store.tie_all() == 3
    await all_read(store)
    assert await store.tie_all() == 0


async def test_afterwards_nothing_is_untied(store: Store) -> None:
    await store.tie_all()
    async with store.reading() as rows:
        forms = {
            f"{kind.column.table.name}.{kind.column.name}": {
                form for (form,) in await rows._connection.execute(
                    select(func.substr(kind.column, 1, 1, type_=LargeBinary)).where(kind.column.is_not(None))
                )
            }
            for kind in KINDS if kind.facts
        }  # fmt: skip
        damaged = forms.pop("reflections.words")
        assert damaged == {b"\x01", b"\x02"}, "what doesn't open stays as it is"
        assert {frozenset(found) for found in forms.values() if found} == {frozenset({b"\x02"})}, forms
        for plain in (users.c.muted_themes, users.c.muted_sensitivities, responses.c.landed, ritual_seats.c.terms):
            assert {value for (value,) in await rows._connection.execute(select(plain))} <= {None, frozenset()}


def test_every_sealed_column_is_covered() -> None:
    sealed = {
        column for table in metadata.sorted_tables for column in table.c if column.type.__class__.__name__ == "Sealed"
    }
    assert {kind.column for kind in KINDS} == sealed


async def test_concurrent_writes_are_kept(store: Store) -> None:
    """Somebody goes on as usual while their rows wait to be tied."""
    async with store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, muted_sensitivities=frozenset())
        scheduled, announced = [await rows.reflections.mine(ALICE, one) for one in (SCHEDULED, ANNOUNCED)]
        assert scheduled
        assert announced
        assert await rows.reflections.use_proposed(scheduled, NOW)
        assert await rows.reflections.wish(announced, Wish.ADVICE)
        member = await rows.rituals.member_of(ALICE)
        assert member
        await rows.rituals.put_in(member, PUT_IN, Terms.EITHER)
        sent = await rows.responses.theirs(ALICE, SENT)
        assert sent
        assert not await rows.responses.landed(sent, well=True), "that was said before"
    async with store.writing(BOB) as rows:
        unsent = await rows.responses.mine(BOB, UNSENT)
        assert unsent
        assert await rows.responses.send(unsent, NOW)
    assert await store.tie_all() == 3
    async with store.reading() as rows:
        found = await known(rows)
        assert (await rows.seals.open_all()).damaged == 1
    assert found == {
        **EXPECTED,
        "left out": (frozenset({"work"}), frozenset(), frozenset(), frozenset()),
        "sharer": {**EXPECTED["sharer"], SCHEDULED: REWORDED},
        "reworded": None,
        "waiting": [ANNOUNCED, SCHEDULED],
        "put in": [(PUT_IN, Terms.EITHER), (None, None)],
    }


async def test_unexpected_error_concerns_only_one_user(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tie = Tying.tie

    async def fails(self: Tying, user_id: int) -> bool:
        if user_id == ALICE:
            raise LookupError
        return await tie(self, user_id)

    with monkeypatch.context() as failing:
        failing.setattr(Tying, "tie", fails)
        with pytest.raises(LookupError):
            await store.tie_all()
    async with store.reading() as rows:
        assert await rows.users.with_untied(0, 10) == [ALICE]
    assert await store.tie_all() == 1


async def test_share_to_a_deleted_user_stays(store: Store) -> None:
    async with store.writing(BOB) as rows:
        await rows.reflections.forget_partner(BOB)
        await rows.users.erase(BOB)
    assert await store.tie_all() == 2
    async with store.reading() as rows:
        assert await rows.reflections.words_of(ALICE, [OPENED, ANSWERED]) == {OPENED: WORDS, ANSWERED: WORDS}
        assert (await rows.seals.open_all()).places == [f"reflections.words of row {DAMAGED}"]


async def test_tied_rows_resist_replacement(store: Store) -> None:
    """Somebody has kept the earlier rows and writes them back for somebody else."""
    query = select(reflections.c.words, reflections.c.consent).where(reflections.c.id == OPENED)
    async with store.reading() as rows:
        before = (await rows._connection.execute(query)).one()
    await store.tie_all()
    async with store.writing() as rows:
        forged = {"words": before.words, "consent": before.consent, "partner_id": CHARLIE}
        await rows._connection.execute(update(reflections).where(reflections.c.id == OPENED).values(forged))
        await rows._connection.execute(update(responses).values(landed=1, landing=None))
        await rows._connection.execute(update(ritual_seats).values(terms="either", consent=None))
        await rows._connection.execute(update(users).values(muted=None))
    assert await store.tie_all() == 0
    async with store.reading() as rows:
        assert await rows.reflections.theirs(CHARLIE, OPENED) is None
        assert await rows.reflections.words_for(CHARLIE, OPENED) is None
        sent = await rows.responses.theirs(ALICE, SENT)
        assert sent
        assert sent.landed is None
        assert {member.terms for member in await rows.rituals.members(RITUAL)} == {None}
        bob = await rows.users.find(BOB)
        assert bob
        assert "loss" in bob.muted_sensitivities
        assert f"reflections.words of row {OPENED}" in (await rows.seals.open_all()).places


@pytest.mark.usefixtures("store")
async def test_rewrapped_user_is_tied_too(untied_url: str, keys: KeyRing) -> None:
    rotated = Store.at(untied_url, keys.rotated())
    for user_id in (ALICE, BOB):
        async with rotated.writing() as rows:
            await rows.users.wrap_anew(user_id)
    await all_read(rotated)
    assert await rotated.tie_all() == 3
    async with rotated.writing() as rows:
        await rows.users.wrap_anew(ALICE)
    assert await rotated.tie_all() == 0
    await all_read(rotated)
    await rotated.close()


async def test_nobody_is_looked_for_once_all_are_tied(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking reads all users, and so, at every start, half a gigabyte of a million people."""
    assert await store.tie_all() == 3
    assert await store.tie_all() == 0

    def looks(*_: object) -> None:
        raise LookupError

    with monkeypatch.context() as failing:
        failing.setattr(Users, "with_untied", looks)
        assert await store.tie_all() == 0


async def test_damaged_data_key_delays_nobody(store: Store) -> None:
    async with store.writing() as rows:
        await rows._connection.execute(update(users).where(users.c.id == ALICE).values(data_key=b"\x01" * 65))
    assert await store.tie_all() == 2
    assert await store.tie_all() == 0
    async with store.reading() as rows:
        assert await rows.note(TIED) is None, "if the key is put right, what it has sealed is still to be tied"


async def test_two_starts_at_once_tie_once(store: Store, untied_url: str, keys: KeyRing) -> None:
    other = Store.at(untied_url, keys)
    assert sum(await asyncio.gather(store.tie_all(), other.tie_all())) == 3
    await other.close()
    await all_read(store)


@pytest.mark.process
async def test_killed_tying_continues(store: Store, untied_url: str, keys: KeyRing, tmp_path: Path) -> None:
    work = partial(dying_tying.main, untied_url, keys.text)
    ended = await forks.run_beside(work, cwd=tmp_path, env=os.environ, seconds=100)
    assert int(ended.stdout) > 5, ended.stderr or "it was hardly killed"
    assert await store.tie_all() == 0, "the try that was let live tied all"
    await all_read(store)


@pytest.mark.parametrize("untied", [(ALICE,), (ALICE, BOB), (BOB, CHARLIE)])
async def test_half_tied_database_is_readable(store: Store, untied: tuple[int, ...]) -> None:
    for user_id in {ALICE, BOB, CHARLIE} - set(untied):
        async with store.writing(user_id) as rows:
            assert await rows.tying.tie(user_id)
    await all_read(store)


async def test_restored_backup_is_tied(tmp_path: Path, keys: KeyRing) -> None:
    copy = tmp_path / "old" / "copy.db"
    await make(f"sqlite+aiosqlite:///{copy}", keys)
    settings = load({"AJAR_DATA_DIR": str(tmp_path / "var"), "AJAR_MASTER_KEY": keys.text}, None, need_token=False)
    with pytest.raises(BackupError, match=f"reflections.words of row {DAMAGED}"):
        await copies.put_back(settings, copy)
    await _drop(f"sqlite+aiosqlite:///{copy}", DAMAGED)
    assert await copies.verify(settings, copy)
    await copies.put_back(settings, copy)
    store = Store.at(settings.database_url, keys)
    async with store.reading() as rows:
        assert await rows.users.with_untied(0, 10) == []
        assert await rows.reflections.words_of(ALICE, [OPENED]) == {OPENED: WORDS}
        assert (await rows.seals.open_all()).damaged == 0
    await store.close()


async def _drop(url: str, about: int) -> None:
    engine = single_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"DELETE FROM reflections WHERE id = {about}")  # noqa: S608
    await engine.dispose()
