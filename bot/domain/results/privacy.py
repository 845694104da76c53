"""Results about privacy: the policy, consent, exports and erasing."""

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

    pending: tuple[int, ...] = ()
    """Messages that were to be removed from the chat later. They are removed now, as nobody knows them afterwards."""


@dataclass(frozen=True, slots=True)
class PolicyShown(Result):
    """The whole policy."""

    kind: ClassVar = "PolicyShown"


@dataclass(frozen=True, slots=True)
class PolicySent(Result):
    """The whole policy as a file."""

    kind: ClassVar = "PolicySent"


@dataclass(frozen=True, slots=True)
class ConsentAgain(Result):
    """Asks again for the consent of a user who has withdrawn it or hasn't agreed to the current policy."""

    kind: ClassVar = "ConsentAgain"

    withdrawn: bool = False
    """Whether they have withdrawn it; otherwise the policy has a new version."""


@dataclass(frozen=True, slots=True)
class WithdrawWanted(Result):
    """Asks whether to withdraw the consent, and says what that means."""

    kind: ClassVar = "WithdrawWanted"


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Result):
    """The consent is withdrawn: all data stays as it is, and we don't use it."""

    kind: ClassVar = "ConsentWithdrawn"


@dataclass(frozen=True, slots=True)
class NothingStored(Result):
    """Nothing is stored about this person."""

    kind: ClassVar = "NothingStored"


@dataclass(frozen=True, slots=True)
class ExportBegun(Result):
    """We are collecting all of the user's data and will send it as files."""

    kind: ClassVar = "ExportBegun"


@dataclass(frozen=True, slots=True)
class ExportUnderWay(Result):
    """The export that they asked for before is still being made."""

    kind: ClassVar = "ExportUnderWay"


@dataclass(frozen=True, slots=True)
class ExportTooSoon(Result):
    """The user has had an export within the last hour."""

    kind: ClassVar = "ExportTooSoon"

    again_at: datetime


@dataclass(frozen=True, slots=True)
class PrivacyShown(Result):
    """Says what is stored."""

    kind: ClassVar = "Privacy"

    before_agreeing: bool = False
    """Whether it was opened from the greeting, which it replaces on the screen."""
