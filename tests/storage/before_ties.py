"""A database as an Ajar from before migration 0014 left it: words that aren't tied, choices stored in plain text."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from bot.crypto import KeyRing, new_data_key, seal
from bot.storage.engine import single_engine, sqlite_file
from tests.storage.test_migrate import at_version

ALICE, BOB, CHARLIE = 1, 2, 3
PAIR, RITUAL = 77, 55
DUE = 5000
MOMENT = 9000
DRAFTED, SCHEDULED, ANNOUNCED, OPENED, ANSWERED, WITHDRAWN, TO_NOBODY, DAMAGED, PUT_IN = range(11, 20)
SENT, UNSENT = 31, 32
WORDS = "The dog waited at the door."
BACK = "It waits for me, too."
REWORDED = "The dog waited."

_STATES = {
    DRAFTED: "drafted",
    SCHEDULED: "scheduled",
    ANNOUNCED: "announced",
    OPENED: "opened",
    ANSWERED: "answered",
    WITHDRAWN: "withdrawn",
    TO_NOBODY: "opened",
    DAMAGED: "announced",
    PUT_IN: "drafted",
}


async def make(url: str, keys: KeyRing) -> None:
    """Fill the empty database behind `url`."""
    if file := sqlite_file(url):
        Path(file).parent.mkdir(exist_ok=True)
    await at_version(url, "0013")
    engine = single_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_live, keys)
    finally:
        await engine.dispose()


def _live(connection: Connection, keys: KeyRing) -> None:
    secrets = {user_id: new_data_key() for user_id in (ALICE, BOB, CHARLIE)}

    def sealed(words: str, user: int, table: str, row: int, column: str = "words") -> bytes:
        return seal(secrets[user], words, table=table, column=column, row=row, user=user)

    for user_id, name in ((ALICE, "Alice"), (BOB, "Bob"), (CHARLIE, "Charlie")):
        muted = ("work", "loss money") if user_id == ALICE else ("", "")
        _insert(
            connection, "users", id=user_id, data_key=keys.wrap(secrets[user_id], user_id, tied=False), language="en",
            language_chosen=0, name=sealed(name, user_id, "users", user_id, "name"), created_at=1, consented_at=1,
            days=127, soft_reminder=0, discreet=0, recap=0, depth=1, ceiling=2, comfortable=0, hour_offered=0,
            muted_themes=muted[0], muted_sensitivities=muted[1], rhythm="daily", unanswered=0,
        )  # fmt: skip
    line = {"user_id": ALICE, "day": "2026-11-22", "message_id": 1, "kept_at": 1}
    _insert(connection, "lines", id=21, words=sealed(WORDS, ALICE, "lines", 21), **line)
    _insert(connection, "pairs", id=PAIR, a=ALICE, b=BOB, since=1)
    for user_id in (ALICE, BOB):
        _insert(connection, "pair_members", user_id=user_id, pair_id=PAIR)
    for about, state in _STATES.items():
        shared = {} if state == "drafted" else {"shared_at": 1, "due_at": DUE, "announced_at": DUE}
        words = None if state == "withdrawn" else sealed(WORDS, ALICE, "reflections", about)
        _insert(
            connection, "reflections", id=about, user_id=ALICE, partner_id=0 if about == TO_NOBODY else BOB,
            pair_id=PAIR, state=state, words=words and words[:-1] + bytes([words[-1] ^ (about == DAMAGED)]),
            rewording=sealed(REWORDED, ALICE, "reflections", about, "rewording") if about == SCHEDULED else None,
            drafted_at=1, wish="listen", ritual=int(about == PUT_IN), **shared,
        )  # fmt: skip
    answers: tuple[tuple[int, int, int | None], ...] = ((SENT, ANSWERED, DUE), (UNSENT, OPENED, None))
    for response_id, about, sent_at in answers:
        words = sealed(BACK, BOB, "responses", response_id)
        response = {"id": response_id, "user_id": BOB, "reflection_id": about, "answer": "line", "words": words}
        _insert(connection, "responses", **response, sent_at=sent_at, landed=0 if sent_at else None)
    ritual = {"weekday": 6, "at": "20:00", "zone": "UTC", "proposed_at": 1, "next_at": MOMENT, "agreed": 1}
    _insert(connection, "rituals", id=RITUAL, pair_id=PAIR, proposer_id=ALICE, **ritual)
    for user_id, put_in in ((ALICE, {"reflection_id": PUT_IN, "terms": "met"}), (BOB, {})):
        seat = {"ritual_id": RITUAL, "user_id": user_id, **put_in}
        _insert(connection, "ritual_seats", id=40 + user_id, **seat)


def _insert(connection: Connection, table: str, **facts: Any) -> None:
    names = ", ".join(facts)
    values = ", ".join(f":{name}" for name in facts)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), facts)  # noqa: S608  # our own names
