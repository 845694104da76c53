"""Pairing: the Invite, what its guest and its maker are asked, and the end."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class PairNameWanted(Result):
    """By which name shall the other one see this user."""

    kind: ClassVar = "PairNameWanted"

    invite_id: int = 0
    """The Invite they came with, 0 for their own."""
    typed: bool = False
    unclear: bool = False
    """Whether the name that was typed is too long."""
    ended: bool = False

    @property
    def from_rows(self) -> bool:
        return self.typed


@dataclass(frozen=True, slots=True)
class InviteOpen(Result):
    """The user's own Invite, with its link and code."""

    kind: ClassVar = "InviteOpen"

    invite_id: int
    expires_at: datetime
    ended: bool = False
    here: bool = True
    nobody_waits: bool = False
    """Its maker wanted to answer a guest who has taken their yes back."""


@dataclass(frozen=True, slots=True)
class InviteTakenBack(Result):
    kind: ClassVar = "InviteTakenBack"


@dataclass(frozen=True, slots=True)
class NoSuchInvite(Result):
    """What was typed or followed leads nowhere; why, is not said."""

    kind: ClassVar = "NoSuchInvite"

    ended: bool = False


@dataclass(frozen=True, slots=True)
class CodeOrLine(Result):
    """A text that looks like a code and opens nothing. It is set aside, for it may have been meant as a Line."""

    kind: ClassVar = "CodeOrLine"

    draft_id: int


@dataclass(frozen=True, slots=True)
class TooManyTries(Result):
    """So many wrong codes that for an hour none is taken."""

    kind: ClassVar = "TooManyTries"


@dataclass(frozen=True, slots=True)
class CodeWanted(Result):
    """/join without a code."""

    kind: ClassVar = "CodeWanted"


@dataclass(frozen=True, slots=True)
class Invitation(Result):
    """Somebody asks to pair: who, and what that does and doesn't do."""

    kind: ClassVar = "Invitation"

    invite_id: int
    ended: bool = False
    first_at: datetime | None = None
    """When the first Ask comes, for somebody who has just done the start."""

    @property
    def from_rows(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class InvitationDeclined(Result):
    kind: ClassVar = "InvitationDeclined"


@dataclass(frozen=True, slots=True)
class InvitationAccepted(Result):
    """The guest said yes; the one who asks is asked in turn."""

    kind: ClassVar = "InvitationAccepted"

    invite_id: int


@dataclass(frozen=True, slots=True)
class InvitationLeft(Result):
    """The guest took the yes back."""

    kind: ClassVar = "InvitationLeft"


@dataclass(frozen=True, slots=True)
class GuestAnswered(Result):
    """Somebody said yes to the user's Invite; it is asked whether that is the one it was meant for."""

    kind: ClassVar = "GuestAnswered"

    invite_id: int


@dataclass(frozen=True, slots=True)
class GuestRefused(Result):
    kind: ClassVar = "GuestRefused"


@dataclass(frozen=True, slots=True)
class NothingCame(Result):
    """What the button was about is no longer to be had."""

    kind: ClassVar = "NothingCame"


@dataclass(frozen=True, slots=True)
class Paired(Result):
    """Both have confirmed."""

    kind: ClassVar = "Paired"

    pair_id: int


@dataclass(frozen=True, slots=True)
class AlreadyPaired(Result):
    kind: ClassVar = "AlreadyPaired"
    pair_id: int


@dataclass(frozen=True, slots=True)
class UnpairWanted(Result):
    """Shall it end, and what that means."""

    kind: ClassVar = "UnpairWanted"

    pair_id: int


@dataclass(frozen=True, slots=True)
class UnpairLeft(Result):
    """It goes on as it was."""

    kind: ClassVar = "UnpairLeft"


@dataclass(frozen=True, slots=True)
class SharingEnded(Result):
    """There is nobody to share with any more; whoever ended it."""

    kind: ClassVar = "SharingEnded"

    beside: bool = False
    """Whether what was tapped stays as it is: a Line can still be changed and deleted."""


@dataclass(frozen=True, slots=True)
class NotPaired(Result):
    kind: ClassVar = "NotPaired"
    beside: bool = False
    """As for SharingEnded."""
