"""What a use case came to, a class a result.

Results carry kinds, ids and times, never words of a user, since they are kept with the update that caused them until
its answer is known to be sent. What a person sees of a result is made in bot.tg.screens.
"""

from bot.domain.results.always import Cancelled, Help, Outdated, Privacy, Silence, Sorry, Support, UnknownCommand
from bot.domain.results.ask import Asked, AskPassed, LaterWanted, NoOther, Skipped, Snoozed, TodayAnswered
from bot.domain.results.base import Result, unpack
from bot.domain.results.lines import (
    Changed,
    ChangeWanted,
    Deleted,
    DeleteWanted,
    Dropped,
    EmptyText,
    ForwardedText,
    Kept,
    LineGone,
    SetAside,
    ShorterWanted,
    TextOnly,
)
from bot.domain.results.start import (
    CityWanted,
    ClockWanted,
    ConsentWanted,
    Declined,
    HourWanted,
    PlaceSought,
    PlaceWanted,
    Ready,
    Waits,
)
from bot.domain.results.time import Paused, Resumed

__all__ = [
    "AskPassed",
    "Asked",
    "Cancelled",
    "ChangeWanted",
    "Changed",
    "CityWanted",
    "ClockWanted",
    "ConsentWanted",
    "Declined",
    "DeleteWanted",
    "Deleted",
    "Dropped",
    "EmptyText",
    "ForwardedText",
    "Help",
    "HourWanted",
    "Kept",
    "LaterWanted",
    "LineGone",
    "NoOther",
    "Outdated",
    "Paused",
    "PlaceSought",
    "PlaceWanted",
    "Privacy",
    "Ready",
    "Result",
    "Resumed",
    "SetAside",
    "ShorterWanted",
    "Silence",
    "Skipped",
    "Snoozed",
    "Sorry",
    "Support",
    "TextOnly",
    "TodayAnswered",
    "UnknownCommand",
    "Waits",
    "unpack",
]
