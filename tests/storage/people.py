"""Short ways to rows that a test needs but is not about."""

from datetime import datetime, time, timedelta

from bot.domain.model import Ask, AskState, Line, User
from bot.storage.ids import new_id
from bot.storage.store import Rows

ALICE, BOB = 1001, 1002


async def ready(rows: Rows, user_id: int, now: datetime, *, due_in: timedelta = timedelta(days=1)) -> User:
    """A user who has done the start, asked daily at eight in London."""
    user = await rows.users.add(user_id, "en", now)
    at = now + due_in
    return await rows.users.change(user, ask_at=time(8), zone="Europe/London", next_ask_at=at, next_ask_day=at.date())


async def asked(
    rows: Rows, user: User, now: datetime, *, state: AskState = AskState.OPEN, prompt_id: str | None = None
) -> Ask:
    """An Ask of today."""
    ask = Ask(new_id(now), user.id, now.date(), state, now, prompt_id=prompt_id, shown_at=now)
    assert await rows.asks.add([ask]) == {ask.id}
    return ask


async def kept(
    rows: Rows, user: User, words: str, now: datetime, *, message_id: int = 7, ask: Ask | None = None
) -> Line:
    line = Line(new_id(now), user.id, now.date(), ask.id if ask else None, message_id)
    await rows.lines.keep(line, words, prompt_id=ask.prompt_id if ask else None, now=now)
    return line
