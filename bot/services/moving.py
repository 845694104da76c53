"""Moving house: an export of another bot, which an operator has imported, is taken in once its owner says yes.

`ajar import` stores the files sealed, as an arrival. Its owner is asked at the start, after they have agreed to the
policy of this bot: only the Telegram account that the export belongs to ever is. Without an answer it is removed after
ARRIVALS_KEPT.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bot.domain.feelings import LONGEST_OWN
from bot.domain.model import Rhythm, SkipReason
from bot.domain.pairing import clean_name
from bot.domain.results import Outdated, Ready, Result
from bot.domain.results.moving import ArrivalTaken
from bot.domain.times import is_zone
from bot.domain.typed import LINE_LIMIT
from bot.export_document import SECTIONS, Document, Profile, WrongDocument, parse
from bot.i18n import negotiate
from bot.services.planning import replan
from bot.services.start import Start, next_step
from bot.services.visit import Visit
from bot.storage.arrivals import Arrival
from bot.storage.store import Store

ARRIVALS_KEPT: Final = timedelta(days=14)
_PIECE: Final = 50
_PLANNED_BY: Final = frozenset({"ask_at", "zone"})
"""What the next Ask depends on; it is set last."""


class Moving:
    """Use cases of somebody whose export has arrived."""

    def __init__(self, start: Start) -> None:
        self._start = start

    async def take_in(self, visit: Visit) -> Result:
        """Take in what arrived for this user, who has nothing here yet."""
        arrival = await visit.rows.arrivals.find(visit.user.id)
        if arrival is None or not await _has_nothing(visit):
            return Outdated()
        documents = await asyncio.to_thread(_unpack, arrival.content)
        await visit.rows.imports.bring_in(visit.user.id, documents, visit.now)
        await visit.rows.arrivals.drop(visit.user.id)
        visit = await _settle(visit, documents[0].profile) if documents[0].profile else visit
        step = await next_step(visit.rows, visit.user, visit.now)
        return ArrivalTaken(step.first_at) if isinstance(step, Ready) else step

    async def leave(self, visit: Visit) -> Result:
        """Remove what arrived, and begin as anybody does."""
        if not await visit.rows.arrivals.drop(visit.user.id):
            return Outdated()
        return await self._start.begin(visit)


async def _has_nothing(visit: Visit) -> bool:
    has_asks = await visit.rows.asks.latest(visit.user.id)
    return has_asks is None and not await visit.rows.lines.page(visit.user.id, None, 1)


async def _settle(visit: Visit, profile: Profile) -> Visit:
    """Set what the profile says, as if its owner had set it here."""
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
    first = {name: fact for name, fact in facts.items() if name not in _PLANNED_BY}
    visit = visit.as_user(await visit.rows.users.change(visit.user, **first))
    return visit.as_user(await replan(visit, **{name: facts[name] for name in _PLANNED_BY}))


# For the operator's command


async def put(store: Store, files: Sequence[bytes], now: datetime) -> datetime:
    """Store the files of one export for its owner. Return until when they can take it in. Raises WrongDocument."""
    documents = await asyncio.to_thread(checked, files)
    account = documents[0].account
    small = [each.model_dump_json() for document in documents for each in _in_pieces(document)]
    content = json.dumps(small).encode()
    async with store.writing() as rows:
        if await rows.users.find(account):
            raise WrongDocument("its owner already uses this bot; an export is taken in at the start only")
        await rows.arrivals.put(Arrival(account, now, content))
    return now + ARRIVALS_KEPT


def _in_pieces(document: Document) -> Iterator[Document]:
    """Divide a document: a small one is parsed in a moment, and nothing else runs while one is parsed."""
    empty = document.model_copy(update={section: [] for section in SECTIONS})
    yield empty
    for section in SECTIONS:
        entries = getattr(document, section)
        for at in range(0, len(entries), _PIECE):
            piece = {"consent": None, "profile": None, section: entries[at : at + _PIECE]}
            yield empty.model_copy(update=piece)


def checked(files: Sequence[bytes]) -> list[Document]:
    """Return the documents of one whole export, in order. Raises WrongDocument."""
    documents = sorted((parse(file) for file in files), key=lambda document: document.part)
    if len({(document.account, document.made_at) for document in documents}) != 1:
        raise WrongDocument("these files are not of one export")
    if [document.part for document in documents] != list(range(1, len(documents) + 1)):
        raise WrongDocument("a part is missing, or there twice")
    if [document.last for document in documents] != [False] * (len(documents) - 1) + [True]:
        raise WrongDocument("the last part is missing")
    profile = documents[0].profile
    if profile is None:  # without its zone, the Lines' dates would be worked out anew
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
    """Refuse a text that couldn't have been typed here: our screens, and the partner's, have no room for it."""
    if any(len(text or "") > limit for text in texts):
        raise WrongDocument(f"{place}: longer than {limit} characters")


def _once(place: str, values: Sequence[Any]) -> None:
    if any(count > 1 for count in Counter(values).values()):
        raise WrongDocument(f"{place}: the same one is there twice")


def _unpack(content: bytes) -> list[Document]:
    return [parse(each.encode()) for each in json.loads(content)]
