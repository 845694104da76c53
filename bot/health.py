"""Collects what is wrong with the running bot, in sentences for operators, from whatever notices it."""

from collections.abc import Mapping
from time import monotonic
from typing import Final

from bot.metrics import LAST_FETCH

STARTING: Final = "the bot is still starting"
SILENT: Final = 300.0
"""Seconds without a sign of Telegram that count as a problem. It answers a poll after 25 at most."""


class Health:
    """The current problems, by subject. A subject that nobody has reported on counts as healthy."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {"start": STARTING}
        self._heard_at: float | None = None

    def resolve(self, about: str) -> bool:
        """Report that a subject is healthy. Return whether it wasn't before."""
        return self._problems.pop(about, None) is not None

    def report(self, about: str, sentence: str) -> bool:
        """Report what is wrong, in a sentence without secrets or anybody's words. Return whether it is new."""
        new = self._problems.get(about) != sentence
        self._problems[about] = sentence
        return new

    def heard(self) -> None:
        """Report that Telegram has just answered a poll, or has confirmed that it delivers to us."""
        self._heard_at = monotonic()
        LAST_FETCH.set_to_now()

    @property
    def silence(self) -> float | None:
        """Seconds since Telegram was last heard; None if it never was, for example because another process fetches."""
        return None if self._heard_at is None else monotonic() - self._heard_at

    @property
    def problems(self) -> Mapping[str, str]:
        return dict(self._problems)
