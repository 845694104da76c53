"""Screens: turn a Result into the text and buttons that a person sees. `SCREENS` has an entry for every Result."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.domain.results import Result, Silence
from bot.services.use_cases import merge
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
    undecided,
    zones,
)
from bot.tg.screens.screen import Button, Operator, Place, Screen, Shown, View

__all__ = ["SCREENS", "Button", "Operator", "Place", "Screen", "View", "show"]

SCREENS: Final[Mapping[type[Result], Shown[Any]]] = merge(
    {each.result: each}
    for each in (
        *start.SCREENS,
        *asks.SCREENS,
        *lines.SCREENS,
        *always.SCREENS,
        *pairing.SCREENS,
        *settings.SCREENS,
        *zones.SCREENS,
        *pause.SCREENS,
        *pace.SCREENS,
        *sharing.SCREENS,
        *receiving.SCREENS,
        *answering.SCREENS,
        *follow_ups.SCREENS,
        *expectations.SCREENS,
        *arrivals.SCREENS,
        *noticing.SCREENS,
        *shelf.SCREENS,
        *journal.SCREENS,
        *recap.SCREENS,
        *responses.SCREENS,
        *ritual.SCREENS,
        *privacy.SCREENS,
        *traces.SCREENS,
        *undecided.SCREENS,
        *operator.SCREENS,
    )
)


def show(view: View, result: Result) -> Screen | None:
    """Return the screen of a Result, or None if there is nothing to say."""
    if isinstance(result, Silence):
        return None
    entry = SCREENS[type(result)]
    screen = entry.make(view, result)
    return replace(screen, private=True) if entry.private else screen
