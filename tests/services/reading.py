"""The words of a screen as its service reads them, found as the bot finds them."""

from types import SimpleNamespace
from typing import Any

from bot.domain.results import Result
from bot.tg.screens import SCREENS


def reader_of(result: Result, **services: Any) -> Any:
    """Return what reads the words for the screen of a Result, of these services; None if nobody's words are on it."""
    words = SCREENS[type(result)].words
    return words(SimpleNamespace(**services)) if words else None  # type: ignore[arg-type]
