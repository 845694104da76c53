"""What is wrong with the running bot, each as a sentence for operators, reported by whatever notices it."""

from collections.abc import Mapping


class Health:
    """The current problems, by what they are about. Anything that nobody has reported on counts as well."""

    def __init__(self) -> None:
        self._ills: dict[str, str] = {"start": "the bot is still starting"}

    def well(self, about: str) -> bool:
        """Report that this is in order. True if it wasn't before."""
        return self._ills.pop(about, None) is not None

    def ill(self, about: str, sentence: str) -> bool:
        """Report what is wrong, in a sentence without secrets or anybody's words. True if it is new."""
        new = self._ills.get(about) != sentence
        self._ills[about] = sentence
        return new

    @property
    def ills(self) -> Mapping[str, str]:
        return dict(self._ills)
