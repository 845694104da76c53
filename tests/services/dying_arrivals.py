"""Takes an export in, and kills the process before and after each commit.

`main` ends well if the process that continues after a kill imports everything once, and says so once.
"""

import asyncio
import gc
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bot import export_document as document
from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.notices import NoticeKind
from bot.domain.results.arrivals import ArrivalUnderWay
from bot.library import Library
from bot.services.arrivals import Arrivals, TakingIn, put
from bot.services.asks import Asks
from bot.services.pairing import Pairing
from bot.services.start import Start
from bot.services.visit import Visit
from bot.storage import importing
from bot.storage.migrate import migrate
from bot.storage.store import Rows, Store
from tests.dying import Reached, killed

ALICE = 1001
NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
KEYS = KeyRing.new()
DAYS = 5
WORDS = [f"Line {number}." for number in range(DAYS)]
COUNTED = ("lines", "asks", "rests", "shown_prompts", "records", "arrivals")


def export() -> bytes:
    days = [date(2027, 1, 1) + timedelta(days=number) for number in range(DAYS)]
    at = [datetime(day.year, day.month, day.day, 8, tzinfo=UTC) for day in days]
    question = document.Question(id="work.a")
    whole = document.Document(
        made_at=NOW,
        account=ALICE,
        profile=document.Profile(
            language="en", language_chosen=True, since=at[0], ask_at=at[0].time(), zone="Europe/London", days=[1],
            receives_only=False, soft_reminder=False, discreet=False, depth=1, ceiling=2, comfortable=0,
            hour_offered=False, muted_themes=[], muted_sensitivities=[], rhythm="daily", unanswered=0,
        ),
        lines=[
            document.Line(number=number + 1, date=day, kept_at=at[number], words=WORDS[number], answers=day)
            for number, day in enumerate(days)
        ],
        asks=[document.Ask(date=day, state="answered", question=question, due_at=at[0]) for day in days],
        skipped_dates=[document.SkippedDates(first=date(2026, 1, 1), last=date(2026, 12, 31), reason="off")],
        shown_questions=[document.ShownQuestion(question=question, shown_at=at[0])],
        responses=[document.Response(answer="words", words="I see.", sent_at=at[0])],
    )  # fmt: skip
    return whole.model_dump_json().encode()


async def begin(file: Path) -> None:
    """Somebody has said yes to what arrived for them."""
    await migrate(_url(file))
    store = Store.at(_url(file), KEYS)
    await put(store, [export()], NOW)
    async with store.writing(ALICE) as rows:
        visit = Visit(rows, await rows.users.add(ALICE, "en", NOW), NOW)
        assert await Arrivals(Start(Asks(Library.of([], [])), Pairing())).take_in(visit) == ArrivalUnderWay()
    await store.close()


def takes_in(file: Path, now: datetime) -> Callable[[Reached], Awaitable[None]]:
    """Take it in as the outbox does, if it is still to be done."""

    async def work(reached: Reached) -> None:
        class Dying(Store):
            @asynccontextmanager
            async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[Rows]:
                async with super().writing(*user_ids, wait=wait) as rows:
                    yield rows
                    reached()
                reached()

        importing._BATCH = 2  # type: ignore[misc]
        store = Dying.at(_url(file), KEYS)
        async with store.writing() as rows:
            claimed = await rows.notices.claim(now, 9, 1)
        for notice in claimed:
            if notice.kind is NoticeKind.TAKE_IN:
                await TakingIn(store, HandClock(now)).run(notice)
        await store.close()

    return work


def found(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection:
        counted = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608  # these names
            for name in COUNTED
        }
        told = "SELECT count(*) FROM notices WHERE kind = 'taken_in' AND settled_at IS NULL"
        return counted | {"told": connection.execute(told).fetchone()[0]}


async def words(file: Path) -> list[str]:
    store = Store.at(_url(file), KEYS)
    async with store.reading() as rows:
        user = await rows.users.find(ALICE)
        assert user
        assert user.zone == "Europe/London"
        page = await rows.lines.page(ALICE, None, 2 * DAYS)
        read = [await rows.lines.words(line) for line in reversed(page)]
    await store.close()
    return read


def main(folder: Path) -> None:
    """Kill it everywhere, and print how many kills there were. This forks, so it has a process to itself."""
    gc.freeze()
    first = folder / "first.db"
    asyncio.run(begin(first))
    everything = {"lines": DAYS, "asks": DAYS, "rests": 1, "shown_prompts": 1, "records": 1, "arrivals": 0, "told": 1}
    kills, half = 0, 0
    while True:
        file = folder / f"{kills}.db"
        shutil.copy(first, file)
        if not killed(takes_in(file, NOW), kills + 1):
            break
        kills += 1
        half += 0 < found(file)["lines"] < DAYS
        assert not killed(takes_in(file, NOW + timedelta(minutes=2)))  # once the lease has run out
        assert found(file) == everything, f"after kill {kills}: {found(file)}"
        assert asyncio.run(words(file)) == WORDS
    assert half, "it was never killed half way"
    sys.stdout.write(f"{kills}\n")


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"
