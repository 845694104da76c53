"""Charlie knows every id and code of the two and taps forged buttons, but learns nothing and changes nothing."""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.silence.world import BEFORE, CHARLIE, COMING, A, B, Beginning, Call, World

UNLIKELY = 4_242_424_242
"""An id that belongs to nothing."""
OWN_TRACES = frozenset({"inbox", "wrong_codes", "alembic_version", "notes", "traces"})
"""Tables about what was sent in a chat, not about what anybody owns."""
SAMPLE = 6
"""How many ids each button is tried with, other ones for each; make prove tries all."""
ENOUGH = 1000
NOT_IDS = frozenset({"pair_renew", "set_days"})
"""Buttons about no row whose answer differs each time: a fresh code, weekdays as digits."""
PICKS = {
    "share_wish": ("listen.0",),
    "share_at": ("quarter.0", "tonight.29000000"),
    "share_days": ("0",),
    "share_day": ("20270330.0",),
    "share_time": ("30000000.0",),
    "rit_line": ("30000000",),
    "respond": ("thanks", "line"),
    "expected": ("fine",),
    "came": ("fine",),
    "stem": ("heard", "would-try"),
    "open_at": ("tonight", "tomorrow"),
    "all_at": ("tonight", "tomorrow"),
    "landed": ("yes", "no"),
    "snooze": ("hour", "tonight"),
}
"""Buttons that carry the chosen value before the id."""
OF_THE_TAP = frozenset({"message_id", "message_ids", "callback_query_id"})
ENDS_ALL = frozenset({"withdraw"})
"""Carries nothing, and after it Charlie would only be asked for consent again."""


async def test_forged_buttons_say_and_change_nothing(tmp_path: Path) -> None:
    await forge_buttons(tmp_path, SAMPLE)


async def forge_buttons(folder: Path, sample: int | None = None) -> None:
    """Let Charlie tap every button with so many ids of the two, or with each."""
    beginning = await Beginning.make(folder)
    async with beginning.life(folder / "life") as world:
        await _two_live(world)
        file = folder / "life" / "ajar.db"
        ids, before = _ids(file), _rows_of_the_two(file)
        quiet = {user_id: len(world.recorder.seen[user_id]) for user_id in (A, B)}
        tried = 0
        for action, shape in _forged(world):
            await _answer(world, f"v1:{action}:{shape.format(UNLIKELY)}")  # may change Charlie's own state, once
            some = random.sample(ids, sample) if sample else ids
            answers = {about: await _answer(world, f"v1:{action}:{shape.format(about)}") for about in (UNLIKELY, *some)}
            tried += len(answers)
            strange = answers.pop(UNLIKELY)
            same = action in NOT_IDS or all(answer == strange for answer in answers.values())
            assert same, f"{action} {shape} tells of ids: {strange} and {answers}"
        assert tried > ENOUGH, "next to nothing was tried"
        assert _rows_of_the_two(file) == before
        assert {user_id: len(world.recorder.seen[user_id]) for user_id in (A, B)} == quiet
        _tells_nothing(world, ids)


async def test_commands_and_codes_lead_charlie_nowhere(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await _two_live(world)
        file = tmp_path / "life" / "ajar.db"
        ids, before = _ids(file), _rows_of_the_two(file)
        for text in ("/share", "/waiting", "/unpair", "/today", "/join", *(f"/join {one}" for one in ids[:6])):
            await world.says(CHARLIE, text)
        for one in ids[:12]:
            await world.says(CHARLIE, f"/start {one}")
        assert _rows_of_the_two(file) == before
        _tells_nothing(world, ids)


async def test_each_has_only_their_own_side(tmp_path: Path) -> None:
    """The sharer can't open or answer; the receiver can't reword, put off or take back what the other one shared."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        opened, coming = beginning.opened.reflection, beginning.coming.reflection
        file = tmp_path / "life" / "ajar.db"
        for user_id in (A, B):  # writing for the first time stores the language of their Telegram
            await world.taps(user_id, 1, "v1:blank:")
        before = _rows_of_the_two(file)
        for action in ("share_show", "share_words", "share_use", "share_back", "share_drop", "share_when", "share_how"):
            await world.taps(B, 1, f"v1:{action}:{opened}")
            await world.taps(A, 1, f"v1:{action}:{coming}")
        for data in (f"share_wish:advice.0.{coming}", f"share_at:hour.0.{coming}", f"share_time:30000000.0.{coming}"):
            await world.taps(A, 1, f"v1:{data}")
        for action in ("open", "open_one", "open_later", "open_back", "not_now"):
            await world.taps(B, 1, f"v1:{action}:{coming}")  # one's own
            await world.taps(A, 1, f"v1:{action}:{coming}")  # before it was announced
        await world.taps(A, 1, f"v1:respond:thanks.{coming}")
        await world.taps(A, 1, f"v1:respond:thanks.{opened}")
        assert _rows_of_the_two(file) == before
        assert COMING not in _said_to(world, A)
        assert BEFORE not in _said_to(world, B)


async def _two_live(world: World) -> None:
    """Play some life of the two, so that there are ids of every kind."""
    for user_id in (A, B):
        await world.says(user_id, "/today")
        await world.says(user_id, "rain on the roof all night")
        await world.says(user_id, "and again in the morning")
        newest = [data for _, data in world.recorder.buttons(user_id) if data.startswith("v1:share:")][-1]
        await world.taps(user_id, 1, newest)
        await world.says(user_id, "/settings")
    await world.says(CHARLIE, "/today")
    await world.says(CHARLIE, "my own line")


def _forged(world: World) -> Iterator[tuple[str, str]]:
    """Every action the bot knows, with the ids in every form in which a button carries them."""
    for action in sorted(world.actions - ENDS_ALL):
        yield action, "{}"
    for action, picks in PICKS.items():
        for pick in picks:
            yield action, pick + ".{}"


async def _answer(world: World, data: str) -> list[tuple[str, str]]:
    """What Charlie sees after a tap, without the ids of messages and of the tap itself."""
    before = len(world.recorder.seen[CHARLIE])
    message_id = world.recorder.next_id(CHARLIE)
    await world.taps(CHARLIE, message_id, data)
    about = data.rpartition(":")[2].rpartition(".")[2]
    return [_seen(call, about) for call in world.recorder.seen[CHARLIE][before:]]


def _seen(call: Call, about: str) -> tuple[str, str]:
    params = {key: value for key, value in json.loads(call.params).items() if key not in OF_THE_TAP}
    return call.method, json.dumps(params).replace(about, "ID")


def _tells_nothing(world: World, ids: list[int]) -> None:
    said = _said_to(world, CHARLIE)
    for secret in ("Alice", "Bob", BEFORE, COMING, "rain on the roof"):
        assert secret not in said
    assert not [one for one in ids if str(one) in said and one > UNLIKELY]


def _said_to(world: World, user_id: int) -> str:
    return "\n".join(json.dumps(json.loads(call.params), ensure_ascii=False) for call in world.recorder.seen[user_id])


def _ids(file: Path) -> list[int]:
    """Ids of rows that are not Charlie's, some of every kind."""
    with closing(sqlite3.connect(file)) as connection:
        found: set[int] = {A, B}
        for table in _tables(connection) - OWN_TRACES:
            columns = _columns(connection, table)
            owner = "WHERE user_id <> ?" if "user_id" in columns else "WHERE ? > 0"
            for column in columns & {"id", "pair_id", "line_id", "reflection_id", "ask_id"}:
                rows = connection.execute(f"SELECT {column} FROM {table} {owner} LIMIT 1", (CHARLIE,))  # noqa: S608
                found |= {value for (value,) in rows if isinstance(value, int) and value != CHARLIE}
        return sorted(found)


def _rows_of_the_two(file: Path) -> dict[str, list[Any]]:
    """Everything in the database that is not Charlie's own."""
    with closing(sqlite3.connect(file)) as connection:
        kept: dict[str, list[Any]] = {}
        for table in sorted(_tables(connection) - OWN_TRACES):
            columns = _columns(connection, table)
            key = next(name for name in ("user_id", "id", "version", "chat_id") if name in columns)
            rows = connection.execute(f"SELECT * FROM {table} WHERE {key} <> ?", (CHARLIE,))  # noqa: S608
            kept[table] = sorted(rows.fetchall(), key=repr)
        return kept


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
