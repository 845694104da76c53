"""Rows of Kept questions, sealed with the receiver's data key."""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.sharing import QUESTIONS, ResponseKind
from bot.storage.damage import open_or_none
from bot.storage.schema import kept_questions
from bot.storage.users import Users


class KeptQuestions:
    """Kept questions, which only their keeper ever sees."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def keep(self, user_id: int, question_id: int, question: ResponseKind, due_at: datetime) -> None:
        sealed = await self._users.seal(
            user_id, question, table="kept_questions", column="question", row=question_id, tied_to=()
        )
        await self._connection.execute(
            insert(kept_questions).values(id=question_id, user_id=user_id, question=sealed, due_at=due_at)
        )

    async def find(self, user_id: int, question_id: int) -> ResponseKind | None:
        """Return the question; None if it was dropped or doesn't open."""
        found = await self._connection.execute(
            select(kept_questions).where(kept_questions.c.user_id == user_id, kept_questions.c.id == question_id)
        )
        if (row := found.one_or_none()) is None:
            return None
        place = await self._users.place(user_id, table="kept_questions", column="question", row=question_id, tied_to=())
        question = open_or_none(await self._users.data_key(user_id), row.question, **place)
        return ResponseKind(question) if question in set(QUESTIONS) else None

    async def due_at(self, user_id: int, question_id: int) -> datetime | None:
        """Return when to remind the keeper; None if the question isn't there any more."""
        found = await self._connection.execute(
            select(kept_questions.c.due_at).where(
                kept_questions.c.user_id == user_id, kept_questions.c.id == question_id
            )
        )
        due_at: datetime | None = found.scalar_one_or_none()
        return due_at

    async def drop(self, user_id: int, question_id: int) -> None:
        await self._connection.execute(
            delete(kept_questions).where(kept_questions.c.user_id == user_id, kept_questions.c.id == question_id)
        )
        self._users.removed_words = True

    async def drop_before(self, due_before: datetime) -> None:
        """Remove those whose reminder was due before this moment."""
        await self._connection.execute(delete(kept_questions).where(kept_questions.c.due_at < due_before))
