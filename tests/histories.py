"""What several processes did to users' rows on PostgreSQL, in the order in which they did it, and whether it is right.

Triggers write it down in the transactions that do it, so there is only what was committed. `faults` then looks through
it as Jepsen's checkers do: it knows the order and nothing of how the processes agree.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import asyncpg
from sqlalchemy import make_url


class What(StrEnum):
    """What can happen to an update."""

    WRITTEN = "written"
    CLAIMED = "claimed"
    """By its owner; without one it was released."""
    HANDLED = "handled"
    KEPT = "kept"
    """Its text was kept, as a Line or a Draft: its effect."""
    TO_SAY = "to say"
    """Its answer became a Notice."""
    ANSWERED = "answered"
    """Its answer was settled."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an update."""

    transaction: int
    what: What
    lane: int
    update_id: int
    """For what was kept, the id of the message."""
    owner: int | None = None
    """The process."""


_RECORD: Final = """
CREATE TABLE history (
    number bigserial PRIMARY KEY, transaction bigint NOT NULL DEFAULT txid_current(),
    what text NOT NULL, lane bigint NOT NULL, update_id bigint NOT NULL, owner bigint
);
CREATE FUNCTION note_inbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO history (what, lane, update_id) VALUES ('written', NEW.lane, NEW.id);
        IF NEW.owner IS NOT NULL THEN
            INSERT INTO history (what, lane, update_id, owner) VALUES ('claimed', NEW.lane, NEW.id, NEW.owner);
        END IF;
        RETURN NULL;
    END IF;
    IF OLD.handled_at IS NULL AND NEW.handled_at IS NOT NULL THEN
        INSERT INTO history (what, lane, update_id, owner) VALUES ('handled', OLD.lane, OLD.id, OLD.owner);
    ELSIF NEW.owner IS DISTINCT FROM OLD.owner THEN
        INSERT INTO history (what, lane, update_id, owner) VALUES ('claimed', OLD.lane, OLD.id, NEW.owner);
    END IF;
    IF OLD.lane IS NOT NULL AND NEW.lane IS NULL THEN
        INSERT INTO history (what, lane, update_id) VALUES ('answered', OLD.lane, OLD.id);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION note_answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO history (what, lane, update_id, owner) VALUES ('to say', NEW.user_id, NEW.subject_id, NEW.owner);
    RETURN NULL;
END $$;
CREATE FUNCTION note_text() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO history (what, lane, update_id) VALUES ('kept', NEW.user_id, NEW.message_id);
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON inbox FOR EACH ROW EXECUTE FUNCTION note_inbox();
CREATE TRIGGER noted AFTER INSERT ON notices FOR EACH ROW WHEN (NEW.kind = 'answer') EXECUTE FUNCTION note_answer();
CREATE TRIGGER noted AFTER INSERT ON drafts FOR EACH ROW EXECUTE FUNCTION note_text();
CREATE TRIGGER noted AFTER INSERT ON lines FOR EACH ROW EXECUTE FUNCTION note_text();
"""
_FORGET: Final = """
DROP FUNCTION note_inbox, note_answer, note_text CASCADE;
DROP TABLE history;
"""


@dataclass
class Recording:
    """The history of a database, which is there once the recording has ended."""

    events: list[Event] = field(default_factory=list)


@asynccontextmanager
async def recorded(url: str) -> AsyncIterator[Recording]:
    """Write down what happens in a database that is migrated already."""
    recording = Recording()
    async with _connected(url) as connection:
        await connection.execute(_RECORD)
    try:
        yield recording
    finally:
        async with _connected(url) as connection:
            rows = await connection.fetch("SELECT * FROM history ORDER BY number")
            await connection.execute(_FORGET)
        recording.events = [
            Event(row["transaction"], What(row["what"]), row["lane"], row["update_id"], row["owner"]) for row in rows
        ]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    address = make_url(url)
    connection = await asyncpg.connect(host=address.query["host"], user="postgres", database=address.database)
    try:
        yield connection
    finally:
        await connection.close()


def faults(events: Sequence[Event], *, in_order: bool = True, only_texts: bool = True) -> list[str]:
    """Return what is wrong with a history in which everything has come to its end.

    - Each update is written down, handled and answered once, and its text kept once; with taps and commands among them,
      `only_texts` is False, and nothing is said about what was kept.
    - Only the process that has claimed an update handles it, and no other has a claim in its lane at that time.
    - Its effect, and the Notice of its answer, are committed with it.
    - Updates of a lane are handled and answered in their order; `in_order` is False if they didn't arrive in it.
    """
    lanes: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        lanes[event.lane].append(event)
    return [
        f"lane {lane}: {fault}"
        for lane, own in lanes.items()
        for fault in (
            *_counted(own),
            *_claimed(own),
            *_together(own, only_texts=only_texts),
            *(_kept(own) if only_texts else ()),
            *(_ordered(own) if in_order else ()),
        )
    ]


def _counted(events: Sequence[Event]) -> Iterator[str]:
    known = {event.update_id for event in events if event.what is not What.KEPT}
    for what in (What.WRITTEN, What.HANDLED, What.TO_SAY, What.ANSWERED):
        found = Counter(event.update_id for event in events if event.what is what)
        for update_id in known:
            if found[update_id] != 1:
                yield f"update {update_id} was {what} {found[update_id]} times"


def _kept(events: Sequence[Event]) -> Iterator[str]:
    written = {event.update_id for event in events if event.what is What.WRITTEN}
    messages = Counter(event.update_id for event in events if event.what is What.KEPT)
    yield from (f"message {message_id} was kept {times} times" for message_id, times in messages.items() if times > 1)
    if len(messages) != len(written):
        yield f"of {len(written)} texts {len(messages)} were kept"


def _claimed(events: Sequence[Event]) -> Iterator[str]:
    """Follow the claims of a lane, as each transaction leaves them."""
    claims: dict[int, int] = {}
    last = {event.transaction: number for number, event in enumerate(events)}
    for number, event in enumerate(events):
        if event.what is What.HANDLED:
            if event.owner is None or claims.pop(event.update_id, None) != event.owner:
                yield f"update {event.update_id} was handled by {event.owner}, which had no claim"
        elif event.what is What.CLAIMED and event.owner:
            claims[event.update_id] = event.owner
        elif event.what is What.CLAIMED:
            claims.pop(event.update_id, None)
        if last[event.transaction] == number and len(set(claims.values())) > 1:
            yield f"several processes have the lane after transaction {event.transaction}: {claims}"


def _together(events: Sequence[Event], *, only_texts: bool) -> Iterator[str]:
    """See that every transaction that handles updates also adds their answers, and keeps them if they are texts."""
    effects = (What.TO_SAY, What.KEPT) if only_texts else (What.TO_SAY,)
    parts: defaultdict[int, Counter[What]] = defaultdict(Counter)
    for event in events:
        parts[event.transaction][event.what] += 1
    for transaction, counts in parts.items():
        if any(counts[effect] != counts[What.HANDLED] for effect in effects):
            yield f"transaction {transaction} did only a part: {dict(counts)}"


def _ordered(events: Sequence[Event]) -> Iterator[str]:
    """See that a lane's updates are handled, and their answers settled, in the order of their ids.

    One transaction settles several answers, in any order.
    """
    for what in (What.HANDLED, What.ANSWERED):
        furthest = 0
        steps: dict[int, list[int]] = {}
        for event in events:
            if event.what is what:
                steps.setdefault(event.transaction, []).append(event.update_id)
        for update_ids in steps.values():
            if min(update_ids) < furthest:
                yield f"update {min(update_ids)} was {what} after {furthest}"
            furthest = max(furthest, *update_ids)
