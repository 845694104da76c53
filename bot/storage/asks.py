"""Rows of Asks: which prompt each user was asked for each date, and how it ended."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Row, Select, Text, bindparam, delete, func, literal_column, select, tuple_, update

from bot.domain.model import UNDECIDED, Ask, AskOpening, AskState
from bot.storage.columns import Id
from bot.storage.conflicts import insert_into
from bot.storage.direct import DirectConnection
from bot.storage.prompt_ids import PromptIds
from bot.storage.schema import ask_messages, asks, lines, shown_prompts

_UNDECIDED: Final = tuple(state.value for state in UNDECIDED)
_REOPENED: Final = (AskState.SKIPPED, AskState.LEFT, AskState.MISSED, *_UNDECIDED)

# Statements that every turn needs are built once: building one takes longer than executing it.
_OF_USER: Final = select(asks).where(asks.c.user_id == bindparam("user_id"))
FIND_ASK: Final = _OF_USER.where(asks.c.id == bindparam("ask_id"))
_ON: Final = _OF_USER.where(asks.c.day == bindparam("day"))
LATEST_ASK: Final = _OF_USER.order_by(asks.c.day.desc()).limit(1)
_LATEST_SHOWN: Final = _OF_USER.where(asks.c.shown_at.is_not(None)).order_by(asks.c.day.desc()).limit(1)
_ZERO: Final = literal_column("0", Id)
_BROUGHT_BACK: Final = select(asks.c.id, asks.c.callback_line_id).where(
    asks.c.id.in_(bindparam("ask_ids", expanding=True)),
    asks.c.user_id + _ZERO == bindparam("user_id"),  # as a sum, so that SQLite ignores the index on user_id
    asks.c.callback_line_id.is_not(None),
    asks.c.prompt_id.is_(None),
)
_SINCE: Final = _OF_USER.where(asks.c.day >= bindparam("since"), asks.c.day < bindparam("before"))
_SHOWN_BY: Final[Select[Any]] = (
    select(*asks.c, ask_messages.c.prompt_id.label("shown_prompt_id"))
    .join(ask_messages, ask_messages.c.ask_id == asks.c.id)
    .where(ask_messages.c.user_id == bindparam("user_id"), ask_messages.c.message_id == bindparam("message_id"))
)
LAST_MESSAGE: Final = (
    select(ask_messages.c.ask_id, ask_messages.c.message_id)
    .where(ask_messages.c.user_id == bindparam("user_id"))
    .order_by(ask_messages.c.message_id.desc())
    .limit(1)
)
"""The newest message that shows any Ask, which is nearly always the one being answered."""
_NEWEST_MESSAGE: Final = select(func.max(ask_messages.c.message_id)).where(
    ask_messages.c.user_id == bindparam("user_id"), ask_messages.c.ask_id == bindparam("ask_id")
)
_MOVE: Final = update(asks).where(asks.c.id == bindparam("ask_id"), asks.c.state.in_(bindparam("of", expanding=True)))
_SET_PROMPT: Final = update(asks).where(asks.c.id == bindparam("ask_id"))
SHOWN_PROMPTS: Final = (
    select(shown_prompts.c.prompt_id, shown_prompts.c.shown_at)
    .where(shown_prompts.c.user_id == bindparam("user_id"))
    .order_by(shown_prompts.c.shown_at)
)
_LEAVE_OTHERS: Final = (
    update(asks)
    .where(asks.c.user_id == bindparam("of_user"), asks.c.day < bindparam("before"), asks.c.state.in_(_UNDECIDED))
    .values(state=AskState.LEFT)
)


@cache
def _add(dialect: str) -> Any:
    """Skip only a date that already has its Ask. A duplicate id has to fail, or the date would get no Ask."""
    statement = insert_into(dialect, asks).on_conflict_do_nothing(index_elements=["user_id", "day"])
    return statement.returning(asks.c.id)


@cache
def _remember_shown(dialect: str) -> Any:
    statement = insert_into(dialect, shown_prompts)
    return statement.on_conflict_do_update(
        index_elements=["user_id", "prompt_id"], set_={"shown_at": statement.excluded.shown_at}
    )


@cache
def _showing(dialect: str) -> Any:
    """If the Ask is gone, nothing is inserted."""
    shown = select(
        asks.c.user_id, bindparam("of_message", type_=Id), asks.c.id, bindparam("shown_prompt", type_=Text)
    ).where(asks.c.user_id == bindparam("of_user"), asks.c.id == bindparam("of_ask"))
    columns = ["user_id", "message_id", "ask_id", "prompt_id"]
    statement = insert_into(dialect, ask_messages).from_select(columns, shown)
    return statement.on_conflict_do_update(
        index_elements=["user_id", "message_id"],
        set_={"ask_id": statement.excluded.ask_id, "prompt_id": statement.excluded.prompt_id},
    )


def _past(user_ids: Sequence[int], since: date, before: date) -> tuple[Any, ...]:
    """Return the conditions for these users' Asks from `since` to the day before `before`, without their latest Ask."""
    later = asks.alias("later")
    has_later = select(later.c.id).where(later.c.user_id == asks.c.user_id, later.c.day > asks.c.day).exists()
    return asks.c.user_id.in_(user_ids), asks.c.day >= since, asks.c.day < before, has_later


class Asks:
    """Asks by id, by date, and by the message that shows them."""

    def __init__(self, connection: DirectConnection, prompt_ids: PromptIds) -> None:
        self._connection = connection
        self._prompt_ids = prompt_ids

    async def find(self, user_id: int, ask_id: int) -> Ask | None:
        return await self._one(FIND_ASK, user_id=user_id, ask_id=ask_id)

    async def on(self, user_id: int, day: date) -> Ask | None:
        return await self._one(_ON, user_id=user_id, day=day)

    async def latest(self, user_id: int) -> Ask | None:
        """Return the Ask of the latest date."""
        return await self._one(LATEST_ASK, user_id=user_id)

    async def latest_shown(self, user_id: int) -> Ask | None:
        """Return the Ask of the latest date that was sent, or is being sent."""
        return await self._one(_LATEST_SHOWN, user_id=user_id)

    async def between(self, user_id: int, since: date, before: date) -> list[Ask]:
        """Return the Asks of the dates from `since` up to the day before `before`."""
        found = await self._connection.execute(_SINCE, {"user_id": user_id, "since": since, "before": before})
        return [await self._ask(row, row.prompt_id) for row in found]

    async def shown_by(self, user_id: int, message_id: int) -> Ask | None:
        """Return the Ask that this message shows, with the prompt in the message: it may have been swapped since."""
        facts = {"user_id": user_id, "message_id": message_id}
        row = (await self._connection.execute(_SHOWN_BY, facts)).one_or_none()
        return await self._ask(row, row.shown_prompt_id or row.prompt_id) if row else None

    async def newest_message(self, user_id: int, ask_id: int) -> int | None:
        """Return the newest message that shows this Ask."""
        last = (await self._connection.execute(LAST_MESSAGE, {"user_id": user_id})).one_or_none()
        if last is None or last.ask_id == ask_id:
            return last.message_id if last else None
        found = await self._connection.execute(_NEWEST_MESSAGE, {"user_id": user_id, "ask_id": ask_id})
        message_id: int | None = found.scalar_one()
        return message_id

    async def messages(self, ask: Ask) -> list[int]:
        """Return all messages that show or have shown this Ask."""
        found = await self._connection.scalars(
            select(ask_messages.c.message_id).where(
                ask_messages.c.user_id == ask.user_id, ask_messages.c.ask_id == ask.id
            )
        )
        return list(found)

    async def add(self, new: Sequence[Ask]) -> set[int]:
        """Add Asks and return the ids of those added. A date that already has an Ask keeps it."""
        if not new:
            return set()
        added = await self._connection.execute(
            _add(self._connection.dialect.name),
            [
                {
                    "id": ask.id, "user_id": ask.user_id, "day": ask.day, "state": ask.state, "due_at": ask.due_at,
                    "prompt_id": await self._prompt_ids.stored(ask.user_id, ask.prompt_id),
                    "shown_at": ask.shown_at, "snoozed_until": ask.snoozed_until,
                }
                for ask in new
            ],
        )  # fmt: skip
        return {row.id for row in added}

    async def decide(self, ask: Ask, state: AskState, **facts: Any) -> bool:
        """Move an undecided Ask to `state`. False if it has been decided otherwise in the meantime."""
        return await self._move(ask.id, _UNDECIDED, state, facts)

    async def reopen(self, ask: Ask, state: AskState, **facts: Any) -> bool:
        """Move an Ask that was skipped, left or missed, or is undecided, to `state`."""
        return await self._move(ask.id, _REOPENED, state, facts)

    async def answered(self, ask: Ask) -> None:
        """Move an Ask that now has its Line to ANSWERED, from any state that `reopen` accepts."""
        facts = {"ask_id": ask.id, "of": _REOPENED, "state": AskState.ANSWERED}
        await self._connection.execute_later(_MOVE, facts)

    async def settle_day(self, ask_id: int, day: date) -> None:
        """Set the local date of an Ask that was sent before we knew the user's zone."""
        await self._connection.execute(update(asks).where(asks.c.id == ask_id).values(day=day))

    async def asked(self, ask: Ask, **facts: Any) -> None:
        """Move an Ask that is being sent to OPEN, from any state that `reopen` accepts."""
        await self._connection.execute_later(
            _MOVE, {"ask_id": ask.id, "of": _REOPENED, "state": AskState.OPEN, **facts}
        )

    async def unanswer(self, ask_id: int) -> None:
        """Count the Ask as skipped, because the Line that answered it is gone."""
        await self._move(ask_id, (AskState.ANSWERED,), AskState.SKIPPED, {})

    async def _move(self, ask_id: int, of: Sequence[str], state: AskState, facts: dict[str, Any]) -> bool:
        done = await self._connection.execute(_MOVE, {"ask_id": ask_id, "of": of, "state": state, **facts})
        return bool(done.rowcount)

    async def leave_others(self, ask: Ask) -> None:
        """Close the undecided Asks of earlier dates, because a new one is being asked."""
        await self._connection.execute_later(_LEAVE_OTHERS, {"of_user": ask.user_id, "before": ask.day})

    async def brought_back(self, user_id: int, ask_ids: Sequence[int]) -> dict[int, int]:
        """Return the Lines that these Asks bring back, by the Ask's id; only Callbacks bring back one."""
        facts = {"user_id": user_id, "ask_ids": list(ask_ids)}
        return {row.id: row.callback_line_id for row in await self._connection.execute(_BROUGHT_BACK, facts)}

    async def set_prompt(
        self, ask: Ask, prompt_id: str | None, now: datetime, *, callback_line_id: int | None = None
    ) -> None:
        """Store the prompt of an Ask or the Line that it brings back, if any, and when it was asked.

        A Line in whose place a prompt comes stays stored, so that we know when the last Callback was.
        """
        if prompt_id is not None:
            callback_line_id = ask.callback_line_id
        stored = await self._prompt_ids.stored(ask.user_id, prompt_id)
        facts = {"ask_id": ask.id, "prompt_id": stored, "callback_line_id": callback_line_id, "shown_at": now}
        await self._connection.execute_later(_SET_PROMPT, facts)
        if prompt_id is not None:
            await self.remember_shown(ask.user_id, prompt_id, now)

    async def remember_shown(self, user_id: int, prompt_id: str, now: datetime) -> None:
        """Store when this prompt was shown to this user, as an Ask or before a Ritual."""
        shown = {
            "user_id": user_id, "prompt_id": await self._prompt_ids.stored(user_id, prompt_id), "shown_at": now,
        }  # fmt: skip
        await self._connection.execute_later(_remember_shown(self._connection.dialect.name), shown)

    async def shown(self, user_id: int) -> dict[str, datetime]:
        """Return when each prompt was last shown to this user."""
        found = (await self._connection.execute(SHOWN_PROMPTS, {"user_id": user_id})).all()
        if not found:
            return {}
        prompts = await self._prompt_ids.of(user_id)
        return {prompts.read(row.prompt_id): row.shown_at for row in found}

    async def showing(self, user_id: int, message_id: int, ask_id: int, prompt_id: str | None) -> None:
        """Note that this message shows this prompt, unless the user erased everything while we were sending it."""
        try:
            stored = await self._prompt_ids.stored(user_id, prompt_id)
        except LookupError:
            return
        showing = {"of_user": user_id, "of_message": message_id, "of_ask": ask_id, "shown_prompt": stored}
        await self._connection.execute_later(_showing(self._connection.dialect.name), showing)

    async def past_messages(self, user_ids: Sequence[int], since: date, before: date) -> list[tuple[int, int]]:
        """Return the messages (user, message) that show these users' Asks from `since` to the day before `before`.

        Messages of a user's latest Ask aren't among them.
        """
        found = await self._connection.execute(
            select(ask_messages.c.user_id, ask_messages.c.message_id)
            .join(asks, asks.c.id == ask_messages.c.ask_id)
            .where(*_past(user_ids, since, before))
        )
        return [(row.user_id, row.message_id) for row in found]

    async def past_unanswered(self, user_ids: Sequence[int], since: date, before: date) -> list[int]:
        """Return the Asks of these users and dates that no Line answers, except each user's latest Ask."""
        answer = select(lines.c.id).where(lines.c.ask_id == asks.c.id)
        return list(
            await self._connection.scalars(select(asks.c.id).where(*_past(user_ids, since, before), ~answer.exists()))
        )

    async def forget_messages(self, found: Sequence[tuple[int, int]]) -> None:
        """Forget which Asks these messages show."""
        await self._connection.execute(
            delete(ask_messages).where(tuple_(ask_messages.c.user_id, ask_messages.c.message_id).in_(found))
        )

    async def remove(self, ask_ids: Sequence[int]) -> None:
        """Remove Asks, unless a Line answers them now."""
        answer = select(lines.c.id).where(lines.c.ask_id == asks.c.id)
        await self._connection.execute(delete(asks).where(asks.c.id.in_(ask_ids), ~answer.exists()))

    async def _one(self, statement: Select[Any], **facts: Any) -> Ask | None:
        row = (await self._connection.execute(statement, facts)).one_or_none()
        return await self._ask(row, row.prompt_id) if row else None

    async def _ask(self, row: Row[Any], stored: str | None) -> Ask:
        """Return the Ask of a row, with the prompt in its stored form."""
        return Ask(
            id=row.id,
            user_id=row.user_id,
            day=row.day,
            state=AskState(row.state),
            due_at=row.due_at,
            prompt_id=await self._prompt_ids.read(row.user_id, stored),
            shown_at=row.shown_at,
            snoozed_until=row.snoozed_until,
            opening=AskOpening(row.opening) if row.opening else None,
            callback_line_id=row.callback_line_id,
        )
