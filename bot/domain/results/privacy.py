"""What is stored, and removing all of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class EraseWanted(Result):
    """Asks whether to remove everything, for good."""

    kind: ClassVar = "EraseWanted"

    asked_at: datetime
    nothing: bool = False
    """Whether there is nothing to remove: nothing is stored about this person."""


@dataclass(frozen=True, slots=True)
class EraseLeft(Result):
    """Everything stays."""

    kind: ClassVar = "EraseLeft"


@dataclass(frozen=True, slots=True)
class Erased(Result):
    """Nothing of this person is left in the database."""

    kind: ClassVar = "Erased"


@dataclass(frozen=True, slots=True)
class PolicyShown(Result):
    """The whole policy."""

    kind: ClassVar = "PolicyShown"


@dataclass(frozen=True, slots=True)
class ConsentAgain(Result):
    """Asks a user once more, who has withdrawn their consent or hasn't agreed to the present version of the policy."""

    kind: ClassVar = "ConsentAgain"

    withdrawn: bool = False
    """Whether they have withdrawn it, rather than there being a new version."""


@dataclass(frozen=True, slots=True)
class WithdrawWanted(Result):
    """Asks whether to withdraw the consent, and says what follows."""

    kind: ClassVar = "WithdrawWanted"


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Result):
    """The consent is withdrawn: everything stays as it is, and nothing is done with it."""

    kind: ClassVar = "ConsentWithdrawn"


@dataclass(frozen=True, slots=True)
class NothingStored(Result):
    """Nothing is stored about this person."""

    kind: ClassVar = "NothingStored"


@dataclass(frozen=True, slots=True)
class ExportBegun(Result):
    """Everything of this user is being put together, and comes as files."""

    kind: ClassVar = "ExportBegun"


@dataclass(frozen=True, slots=True)
class ExportUnderWay(Result):
    """The export that they asked for before is still being made."""

    kind: ClassVar = "ExportUnderWay"


@dataclass(frozen=True, slots=True)
class ExportTooSoon(Result):
    """They have had one within the hour."""

    kind: ClassVar = "ExportTooSoon"

    again_at: datetime


@dataclass(frozen=True, slots=True)
class PrivacyShown(Result):
    """What is stored."""

    kind: ClassVar = "Privacy"

    before_agreeing: bool = False
    """Whether it was opened from the greeting, which it replaces on the screen."""
