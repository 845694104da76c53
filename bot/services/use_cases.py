"""Creates all services, connects them, and collects what each of them serves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from bot.domain.model import Waiting
from bot.library import Library
from bot.library.phrases import Phrases
from bot.services.announcing import Announcing
from bot.services.answering import Answering
from bot.services.arrivals import Arrivals
from bot.services.asks import Asks
from bot.services.consent import Consents
from bot.services.expectations import Expectations
from bot.services.exporting import Exporting
from bot.services.follow_ups import FollowUps
from bot.services.journal import Journal
from bot.services.lines import Lines, Typed
from bot.services.noticing import Noticing
from bot.services.pace import Pace
from bot.services.pairing import Pairing
from bot.services.pause import Pause
from bot.services.privacy import Privacy
from bot.services.recap import Recaps
from bot.services.receiving import Receiving
from bot.services.responses import Responses
from bot.services.rewording import Rewording
from bot.services.ritual import Rituals
from bot.services.settings import Settings
from bot.services.sharing import Sharing
from bot.services.shelf import Shelf
from bot.services.start import Start
from bot.services.traces import Traces
from bot.services.undecided import Deciding
from bot.services.visit import NoticeHandlers
from bot.services.zones import Zones

K = TypeVar("K")
V = TypeVar("V")

OF_LINES = frozenset({Waiting.CHANGE, Waiting.SHORTER})
"""Awaited texts that `Lines` handles itself, without an entry in a service's `typed` table."""


class DuplicateService(Exception):
    """Two services, or two routes, serve the same thing."""


@dataclass(frozen=True, slots=True)
class UseCases:
    """The services, one class per noun."""

    start: Start
    zones: Zones
    asks: Asks
    pace: Pace
    lines: Lines
    shelf: Shelf
    journal: Journal
    recaps: Recaps
    pause: Pause
    settings: Settings
    pairing: Pairing
    sharing: Sharing
    rewording: Rewording
    responses: Responses
    announcing: Announcing
    receiving: Receiving
    answering: Answering
    follow_ups: FollowUps
    expectations: Expectations
    noticing: Noticing
    rituals: Rituals
    privacy: Privacy
    traces: Traces
    deciding: Deciding
    phrases: Phrases
    """Decides whether a text sounds like a crisis or like fear of somebody."""
    exporting: Exporting
    consents: Consents
    arrivals: Arrivals
    typed: Mapping[Waiting, Typed]
    """The functions that take awaited texts."""


def make_use_cases(library: Library) -> UseCases:
    """Make all services and connect them. Raises DuplicateService."""
    phrases = Phrases(library.safety)
    asks, pace, pause, settings = Asks(library), Pace(library), Pause(), Settings(library)
    sharing, receiving, responses = Sharing(library, phrases), Receiving(library), Responses()
    answering, follow_ups, noticing = Answering(library, receiving), FollowUps(), Noticing()
    rituals, rewording = Rituals(sharing, library), Rewording(sharing)
    pairing = Pairing(rituals.on_unpaired, sharing.on_unpaired)
    start = Start(asks, pairing)
    zones = Zones(start.settle_zone)
    of_two = (pairing, rituals, sharing, rewording, receiving, answering, follow_ups, noticing)
    shelf, journal = Shelf(library), Journal(library)
    awaiting = (*of_two, settings, zones, pause, asks, shelf, journal)
    typed = merge(service.typed for service in awaiting)
    lines = Lines(typed, pairing.recognize, pairing.asked_as, pace.answered)
    ask_again = merge(service.ask_again for service in (lines, sharing, rewording, rituals, answering, follow_ups))
    return UseCases(
        start=start,
        zones=zones,
        asks=asks,
        pace=pace,
        lines=lines,
        shelf=shelf,
        journal=journal,
        recaps=Recaps(),
        pause=pause,
        settings=settings,
        pairing=pairing,
        sharing=sharing,
        rewording=rewording,
        responses=responses,
        announcing=Announcing(),
        receiving=receiving,
        answering=answering,
        follow_ups=follow_ups,
        expectations=Expectations(sharing),
        noticing=noticing,
        rituals=rituals,
        privacy=Privacy(pairing),
        traces=Traces(),
        deciding=Deciding(ask_again),
        phrases=phrases,
        exporting=Exporting(),
        arrivals=Arrivals(start),
        consents=Consents(pairing, sharing, rituals, answering, follow_ups),
        typed=typed,
    )


def notice_handlers_of(use: UseCases) -> NoticeHandlers:
    """Return what handles each kind of Notice. Raises DuplicateService."""
    return merge(getattr(getattr(use, each.name), "notice_handlers", {}) for each in fields(use))


def merge(tables: Iterable[Mapping[K, V]]) -> dict[K, V]:
    """Merge these tables. Raises DuplicateService, naming the key, if two of them have an entry for the same one."""
    found: dict[K, V] = {}
    for table in tables:
        for key, value in table.items():
            if key in found:
                raise DuplicateService(f"{key} is served twice")
            found[key] = value
    return found
