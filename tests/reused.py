"""What a process of tests makes once and uses again, though every bot that is built in it would make it anew."""

from collections.abc import Callable, Mapping

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
