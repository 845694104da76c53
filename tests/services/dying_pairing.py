"""Goes through pairing, and kills a process before each single statement of each step, and before and after its commit.

`main` ends well if what was found after each kill is either the state before
the step or the state after it, nothing in between, and if the step then succeeds from there.
"""

import asyncio
import gc
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from bot.crypto import KeyRing
from bot.domain.invitations import Secret
from bot.domain.model import User
from bot.domain.results import InviteOpen, Result
from bot.library import Library
from bot.services.pairing import Pairing
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.services.visit import Visit
from bot.storage.migrate import migrate
from bot.storage.store import Rows, Store
from tests.dying import Reached, killed

ALICE, BOB = 1001, 1002
NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
KEYS = KeyRing.new()
NOTHING = Library.of([], [])
SHARING = Sharing(NOTHING)
RITUALS = Rituals(SHARING, NOTHING)
PAIRING = Pairing(RITUALS.on_unpaired, SHARING.on_unpaired)
MOST_STATEMENTS = 60

Step = Callable[[Rows], Awaitable[Result]]


async def asks(rows: Rows) -> Result:
    return await PAIRING.pair(Visit(rows, await _user(rows, ALICE), NOW))


async def opens(rows: Rows) -> Result:
    invite = await rows.invites.of(ALICE, NOW)
    assert invite
    read = await PAIRING.read_own_invite(Visit(rows, await _user(rows, ALICE), NOW), InviteOpen(invite.id, NOW))
    return await PAIRING.open(Visit(rows, await _user(rows, BOB), NOW), Secret(link=read["link"]))


async def accepts(rows: Rows) -> Result:
    return await PAIRING.accept(Visit(rows, await _user(rows, BOB), NOW), await _invite(rows), "Bob")


async def confirms(rows: Rows) -> Result:
    return await PAIRING.confirm(Visit(rows, await _user(rows, ALICE), NOW), await _invite(rows))


async def leaves(rows: Rows) -> Result:
    pair = await rows.pairs.active(BOB)
    assert pair
    return await PAIRING.unpair(Visit(rows, await _user(rows, BOB), NOW), pair.id)


async def _user(rows: Rows, user_id: int) -> User:
    user = await rows.users.find(user_id)
    assert user
    return user


async def _invite(rows: Rows) -> int:
    invite = await rows.invites.of(ALICE, NOW)
    assert invite
    return invite.id


async def begin(file: Path) -> None:
    await migrate(_url(file))
    store = Store.at(_url(file), KEYS)
    async with store.writing() as rows:
        for user_id in (ALICE, BOB):
            await rows.users.add(user_id, "en", NOW)
        await rows.users.set_name(ALICE, "Alice")
    await store.close()


def takes(file: Path, step: Step) -> Callable[[Reached], Awaitable[None]]:
    """Take the step. Its statements, the commit and what follows are counted."""

    async def work(reached: Reached) -> None:
        store = Store.at(_url(file), KEYS)
        async with store.writing() as rows:
            connection = rows._connection.sync_connection  # the one place that every statement passes through
            event.listen(connection, "before_cursor_execute", reached)
            event.listen(connection, "commit", reached)
            await step(rows)
        reached()
        await store.close()

    return work


def found(file: Path) -> dict[str, int]:
    """Count the rows of everything that pairing touches, by kind."""
    counted = {
        name: f"SELECT count(*) FROM {name}"  # noqa: S608  # these names
        for name in ("pairs", "pair_members", "invites", "endings", "notices", "users")
    } | {
        "claimed": "SELECT count(*) FROM invites WHERE guest_id IS NOT NULL",
        "accepted": "SELECT count(*) FROM invites WHERE accepted_at IS NOT NULL",
        "open notices": "SELECT count(*) FROM notices WHERE settled_at IS NULL",
        "names": "SELECT count(*) FROM users WHERE name IS NOT NULL",
    }
    with closing(sqlite3.connect(file)) as connection:
        return {name: connection.execute(query).fetchone()[0] for name, query in counted.items()}


def main(folder: Path) -> None:
    """Kill every step everywhere, and print how many kills there were. This forks, so it has a process to itself."""
    gc.freeze()
    now = folder / "now.db"
    asyncio.run(begin(now))
    kills = 0
    for step in (asks, opens, accepts, confirms, leaves):
        before, after = found(now), None
        for kill_at in range(1, MOST_STATEMENTS):
            file = folder / f"{step.__name__}-{kill_at}.db"
            shutil.copy(now, file)
            if not killed(takes(file, step), kill_at):
                break
            kills += 1
            if found(file) == before:
                assert after is None, "something was undone"
                assert not killed(takes(file, step))
            else:
                after = found(file)
        assert after is not None, f"{step.__name__} was never killed after its commit"
        assert not killed(takes(now, step))
        assert found(now) == after, f"{step.__name__}: {after} is neither {before} nor {found(now)}"
    assert found(now)["pairs"] == 0
    sys.stdout.write(f"{kills}\n")


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"
