"""Arrivals: exports from another bot that an operator has imported, and that their owners may take in.

`ajar import` stores the files sealed, as an Arrival. We ask its owner at the start, after they have agreed to this
bot's policy, and nobody but the Telegram account that the export belongs to. Without an answer we remove it after
ARRIVALS_KEPT.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from bot.clock import Clock
from bot.domain.feelings import LONGEST_OWN
from bot.domain.model import Rhythm, SkipReason
from bot.domain.notices import Notice, NoticeKind
from bot.domain.pairing import clean_name
from bot.domain.results import Outdated, Ready, Result
from bot.domain.results.arrivals import ArrivalOffered, ArrivalTaken, ArrivalUnderWay
from bot.domain.times import is_zone
from bot.domain.typed import LINE_LIMIT
from bot.export_document import Document, Profile, WrongDocument, parse
from bot.i18n import negotiate
from bot.logs import incident
from bot.services.planning import replan
from bot.services.start import Start, next_step
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.importing import in_pieces
from bot.storage.notices import Settled
from bot.storage.store import Rows, Store, is_passing

ARRIVALS_KEPT: Final = timedelta(days=14)
_PLANNED_BY: Final = frozenset({"ask_at", "zone"})
"""The facts that the next Ask depends on; we set them last."""

log = structlog.stdlib.get_logger(__name__)


class Arrivals:
    """The use cases of somebody whose export has arrived."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self.notice_handlers: NoticeHandlers = {NoticeKind.TAKEN_IN: self.tell}

    async def take_in(self, visit: Visit) -> Result:
        """Schedule taking in the Arrival of this user, if they have nothing here yet."""
        if not await visit.rows.arrivals.waits(visit.user.id) or not await _has_nothing(visit):
            return Outdated()
        await visit.rows.notices.plan_once([(visit.user.id, NoticeKind.TAKE_IN, visit.user.id, visit.now)], visit.now)
        return ArrivalUnderWay()

    async def tell(self, visit: Visit, _: Notice) -> Result | None:
        """Say whether taking it in worked."""
        if await visit.rows.arrivals.waits(visit.user.id):
            return ArrivalOffered(failed=True)
        step = await next_step(visit.rows, visit.user, visit.now)
        return ArrivalTaken(step.first_at) if isinstance(step, Ready) else step

    async def leave(self, visit: Visit) -> Result:
        """Remove the Arrival, and begin as anybody else does."""
        if not await visit.rows.arrivals.drop(visit.user.id):
            return Outdated()
        return await self._start.begin(visit)


async def is_taking_in(visit: Visit) -> bool:
    """Return whether this user's export is being taken in. A user who has set an hour has begun without it."""
    return visit.user.ask_at is None and await visit.rows.notices.is_open(NoticeKind.TAKE_IN, visit.user.id)


class TakingIn:
    """Takes in an Arrival when the outbox claims its Notice.

    It writes in many small transactions, so that other users don't have to wait. Meanwhile we handle none of its
    owner's other updates (`is_taking_in`). After a kill, the next attempt therefore removes what is already there and
    begins again. If the Arrival can't be taken in, nothing of it stays, and we offer it again.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self, notice: Notice) -> None:
        """Take in everything, unless its owner no longer wants it."""
        try:
            await self._run(notice)
        except _NotWanted:
            await self._undo(notice)
        except Exception as error:
            if is_passing(error):
                raise
            incident(log, error, notice=notice.id)
            await self._undo(notice, tell=True)

    async def _run(self, notice: Notice) -> None:
        await self._undo(notice)
        async with self._store.reading() as rows:
            if (arrival := await rows.arrivals.find(notice.user_id)) is None:
                raise _NotWanted
            begun = await rows.imports.begin(notice.user_id, arrival)
        steps = begun.steps()
        while step := await asyncio.to_thread(next, steps, None):
            async with self._step(notice) as visit:
                await visit.rows.imports.write(*step)
        async with self._step(notice) as visit:
            await visit.rows.imports.complete(begun, visit.now)
            if begun.profile:
                await _settle(visit, begun.profile)
            await visit.rows.arrivals.drop(visit.user.id)
            await _end(visit.rows, notice, visit.now)

    @asynccontextmanager
    async def _step(self, notice: Notice) -> AsyncIterator[Visit]:
        """Open one of the small transactions. Raises _NotWanted."""
        async with self._store.writing(notice.user_id) as rows:
            now = self._clock.now()
            user = await rows.users.find(notice.user_id)
            if user is None or not user.has_agreed or not await rows.notices.renew(notice, now):
                raise _NotWanted
            yield Visit(rows, user, now)

    async def _undo(self, notice: Notice, *, tell: bool = False) -> None:
        """Remove what was written so far, unless its owner has erased everything or another process has taken over."""
        async with self._store.writing(notice.user_id) as rows:
            now = self._clock.now()
            if await rows.notices.renew(notice, now):
                await rows.imports.undo(notice.user_id)
                if tell:
                    await _end(rows, notice, now)


class _NotWanted(Exception):  # named for what has happened, like the outcomes of a delivery
    """Its owner has erased everything or withdrawn their consent, or another process has taken over."""


async def _end(rows: Rows, notice: Notice, now: datetime) -> None:
    """Plan the message about the outcome. Settling in the same transaction ensures that nobody begins again."""
    await rows.notices.settle(notice, Settled.NEEDLESS, now)
    await rows.notices.plan_once([(notice.user_id, NoticeKind.TAKEN_IN, notice.user_id, now)], now)


async def _has_nothing(visit: Visit) -> bool:
    begun = visit.user.ask_at or await visit.rows.asks.latest(visit.user.id)
    return not begun and not await visit.rows.lines.page(visit.user.id, None, 1)


async def _settle(visit: Visit, profile: Profile) -> None:
    """Apply the profile's settings, as if its owner had set them here."""
    facts: dict[str, Any] = {name: getattr(profile, name) for name in Profile.model_fields}
    name, since = facts.pop("name"), facts.pop("since")
    facts |= {
        "last_day": facts.pop("covered_until"),
        "language": negotiate(profile.language),
        "days": frozenset(day - 1 for day in profile.days),
        "rhythm": Rhythm(profile.rhythm),
        "muted_themes": frozenset(profile.muted_themes),
        "muted_sensitivities": frozenset(profile.muted_sensitivities),
    }
    await visit.rows.users.set_name(visit.user.id, clean_name(name or "") or None)
    await visit.rows.users.set_since(visit.user.id, since)
    await asyncio.sleep(0)  # each of these changes is compiled when it is first made, all on the event loop
    first = {name: fact for name, fact in facts.items() if name not in _PLANNED_BY}
    visit = visit.as_user(await visit.rows.users.change(visit.user, **first))
    await asyncio.sleep(0)
    await replan(visit, **{name: facts[name] for name in _PLANNED_BY})


# For the operator's command


async def put(store: Store, files: Sequence[bytes], now: datetime) -> datetime:
    """Store the files of one export for its owner. Return when the offer ends. Raises WrongDocument."""
    account, content = await asyncio.to_thread(_packed, files)
    async with store.reading() as rows:
        sealed = await rows.arrivals.seal(account, content)
    async with store.writing() as rows:
        if await rows.users.find(account):
            raise WrongDocument("its owner already uses this bot; an export is taken in at the start only")
        await rows.arrivals.put(sealed, now)
    return now + ARRIVALS_KEPT


def _packed(files: Sequence[bytes]) -> tuple[int, bytes]:
    """Return the owner's account and the content to store. Raises WrongDocument."""
    documents = checked(files)
    return documents[0].account, in_pieces(documents)


def checked(files: Sequence[bytes]) -> list[Document]:
    """Return the documents of one complete export, in order. Raises WrongDocument."""
    documents = sorted((parse(file) for file in files), key=lambda document: document.part)
    if len({(document.account, document.made_at) for document in documents}) != 1:
        raise WrongDocument("these files are not of one export")
    if [document.part for document in documents] != list(range(1, len(documents) + 1)):
        raise WrongDocument("a part is missing, or there twice")
    if [document.last for document in documents] != [False] * (len(documents) - 1) + [True]:
        raise WrongDocument("the last part is missing")
    profile = documents[0].profile
    if profile is None:  # without its zone, setting one would recompute the dates of the Lines
        raise WrongDocument("profile: it is missing in the first part")
    if not profile.days:
        raise WrongDocument("profile.days: there is none")
    if profile.zone and not is_zone(profile.zone):
        raise WrongDocument("profile.zone: no time zone that is known here")
    _fits("lines.words", LINE_LIMIT, (line.words for document in documents for line in document.lines))
    _fits(
        "lines.feelings",
        LONGEST_OWN,
        (each.word for document in documents for line in document.lines for each in line.feelings if not each.shelf),
    )
    if any(span.reason not in set(SkipReason) for document in documents for span in document.skipped_dates):
        raise WrongDocument("skipped_dates.reason: not one that is known here")
    _once("lines.number", [line.number for document in documents for line in document.lines])
    _once("asks.date", [ask.date for document in documents for ask in document.asks])
    _once("skipped_dates.first", [span.first for document in documents for span in document.skipped_dates])
    _once("shown_questions", [shown.question.id for document in documents for shown in document.shown_questions])
    return documents


def _fits(place: str, limit: int, texts: Iterable[str | None]) -> None:
    """Refuse a text longer than can be typed here, since no screen has room for it. Raises WrongDocument."""
    if any(len(text or "") > limit for text in texts):
        raise WrongDocument(f"{place}: longer than {limit} characters")


def _once(place: str, values: Sequence[Any]) -> None:
    if any(count > 1 for count in Counter(values).values()):
        raise WrongDocument(f"{place}: the same one is there twice")
