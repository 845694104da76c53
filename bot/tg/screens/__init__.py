"""Screens: turn a Result into the text and buttons that a person sees. There is a maker for every Result."""

from typing import Final

from bot.domain.results import Result, Silence
from bot.tg.screens import (
    always,
    answering,
    arrivals,
    asks,
    expectations,
    follow_ups,
    journal,
    lines,
    noticing,
    operator,
    pace,
    pairing,
    pause,
    privacy,
    recap,
    receiving,
    responses,
    ritual,
    settings,
    sharing,
    shelf,
    start,
    traces,
    zones,
)
from bot.tg.screens.screen import Button, Makers, Operator, Place, Screen, View

__all__ = ["MAKERS", "Button", "Operator", "Place", "Screen", "View", "show"]

MAKERS: Final[Makers] = {**start.MAKERS, **asks.MAKERS, **lines.MAKERS, **always.MAKERS, **pairing.MAKERS} | {
    **settings.MAKERS,
    **zones.MAKERS,
    **pause.MAKERS,
    **pace.MAKERS,
    **sharing.MAKERS,
    **receiving.MAKERS,
    **answering.MAKERS,
    **follow_ups.MAKERS,
    **expectations.MAKERS,
    **arrivals.MAKERS,
    **noticing.MAKERS,
    **shelf.MAKERS,
    **journal.MAKERS,
    **recap.MAKERS,
    **responses.MAKERS,
    **ritual.MAKERS,
    **privacy.MAKERS,
    **traces.MAKERS,
    **operator.MAKERS,
}


def show(view: View, result: Result) -> Screen | None:
    """Return the screen of a Result, or None if there is nothing to say."""
    return None if isinstance(result, Silence) else MAKERS[type(result)](view, result)
