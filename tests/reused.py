"""What a test process makes once and shares, although every bot that is built in it would make its own."""

import os
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path

from bot import library
from bot.delivery import outbox
from bot.domain.content import SafetyPhrases
from bot.library.phrases import Phrases
from bot.services import use_cases


def reuse_phrases() -> Callable[[Mapping[str, SafetyPhrases]], Phrases]:
    """Make the safety phrases of a library ready only once, which takes as long as many answers. Return what does."""
    known: dict[int, tuple[Mapping[str, SafetyPhrases], Phrases]] = {}

    def phrases(safety: Mapping[str, SafetyPhrases]) -> Phrases:
        """Keep the mapping too, so that nothing else can get its id."""
        return known.setdefault(id(safety), (safety, Phrases(safety)))[1]

    setattr(use_cases, "Phrases", phrases)  # noqa: B010  # for mypy
    return phrases


def reuse_library() -> None:
    """Read the shipped library, which can't be changed, only once: that takes as long as dozens of answers."""
    read = library.load
    shipped = cache(read)

    @wraps(read)
    def load(folder: Path, support: Path | None = None) -> library.Library:
        return (shipped if folder == library.content_folder() and support is None else read)(folder, support)

    setattr(library, "load", load)  # noqa: B010  # for mypy


def settle_soon() -> None:
    """Settle what was said without waiting for somebody else's commit, as a test rarely has anybody else.

    The long proofs, and kills at every point, keep the wait.
    """
    if not {"AJAR_WHOLE", "AJAR_CRASH_KILLS"} & set(os.environ):
        setattr(outbox, "_SETTLED_WITHIN", 0.002)  # noqa: B010  # for mypy
