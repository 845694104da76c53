"""Screens: from a result to the words and buttons a person sees. A maker for every result."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.domain import results
from bot.domain.results import Result, Silence
from bot.tg.screens import always, ask, lines, start
from bot.tg.screens.screen import Button, Place, Screen, View

__all__ = ["MAKERS", "Button", "Place", "Screen", "View", "show"]

MAKERS: Final[Mapping[type[Result], Callable[[View, Any], Screen]]] = {
    results.ConsentWanted: start.consent_wanted,
    results.Declined: start.declined,
    results.HourWanted: start.hour_wanted,
    results.ClockWanted: start.clock_wanted,
    results.CityWanted: start.city_wanted,
    results.PlaceWanted: start.place_wanted,
    results.PlaceSought: start.place_sought,
    results.Ready: start.ready,
    results.Waits: ask.waits,
    results.Asked: ask.asked,
    results.NoOther: ask.no_other,
    results.LaterWanted: ask.later_wanted,
    results.Snoozed: ask.snoozed,
    results.Skipped: ask.skipped,
    results.AskPassed: ask.ask_passed,
    results.TodayAnswered: ask.today_answered,
    results.Kept: lines.kept,
    results.Changed: lines.changed,
    results.ChangeWanted: lines.change_wanted,
    results.DeleteWanted: lines.delete_wanted,
    results.Deleted: lines.deleted,
    results.LineGone: lines.line_gone,
    results.SetAside: lines.set_aside,
    results.ShorterWanted: lines.shorter_wanted,
    results.Dropped: lines.dropped,
    results.EmptyText: lines.empty_text,
    results.TextOnly: lines.text_only,
    results.ForwardedText: lines.forwarded_text,
    results.Paused: always.paused,
    results.Resumed: always.resumed,
    results.Help: always.help_,
    results.Support: always.support,
    results.Privacy: always.privacy,
    results.Cancelled: always.cancelled,
    results.UnknownCommand: always.unknown_command,
    results.Outdated: always.outdated,
    results.Sorry: always.sorry,
}


def show(view: View, result: Result) -> Screen | None:
    """The screen of a result; None where there is nothing to say."""
    return None if isinstance(result, Silence) else MAKERS[type(result)](view, result)
