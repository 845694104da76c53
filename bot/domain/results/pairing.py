"""Results about pairing: the Invite, the questions to its guest and its maker, and the end of a Pair."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class PairNameWanted(Result):
    """Asks by which name the partner should see this user."""

    kind: ClassVar = "PairNameWanted"

    invite_id: int = 0
    """The Invite that they came with; 0 for one of their own."""
    typed: bool = False
    unclear: bool = False
    """Whether the name that was typed is too long."""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class NameOrLine(Result):
    """A text was typed while a name was offered. It is set aside, since it may have been meant as a Line."""

    kind: ClassVar = "NameOrLine"

    draft_id: int


@dataclass(frozen=True, slots=True)
class ReplyOrLine(Result):
    """A text was typed below an invitation. It is set aside, since it may have been meant for the one who asks."""

    kind: ClassVar = "ReplyOrLine"

    draft_id: int


@dataclass(frozen=True, slots=True)
class InviteOpen(Result):
    """The user's own Invite, with its link and code."""

    kind: ClassVar = "InviteOpen"

    invite_id: int
    expires_at: datetime
    ended: bool = False
    here: bool = True
    nobody_waits: bool = False
    """Whether this answers an attempt to confirm a guest who has meanwhile taken their yes back."""


@dataclass(frozen=True, slots=True)
class InviteSending(Result):
    """Asks which sentence to send the user's Invite with."""

    kind: ClassVar = "InviteSending"

    invite_id: int


@dataclass(frozen=True, slots=True)
class InviteTakenBack(Result):
    kind: ClassVar = "InviteTakenBack"


@dataclass(frozen=True, slots=True)
class NoSuchInvite(Result):
    """The typed code or followed link leads nowhere; we don't say why."""

    kind: ClassVar = "NoSuchInvite"

    ended: bool = False


@dataclass(frozen=True, slots=True)
class CodeOrLine(Result):
    """A text looks like a code but opens nothing. It is set aside, since it may have been meant as a Line."""

    kind: ClassVar = "CodeOrLine"

    draft_id: int
    again: bool = False
    """Whether the text is shown too, since its message is gone."""


@dataclass(frozen=True, slots=True)
class TooManyTries(Result):
    """After too many wrong codes we accept none for an hour."""

    kind: ClassVar = "TooManyTries"


@dataclass(frozen=True, slots=True)
class CodeWanted(Result):
    """/join was sent without a code."""

    kind: ClassVar = "CodeWanted"


@dataclass(frozen=True, slots=True)
class Invitation(Result):
    """Somebody asks to pair: who it is, and what pairing does and doesn't do."""

    kind: ClassVar = "Invitation"

    invite_id: int
    ended: bool = False
    first_at: datetime | None = None
    """When the first Ask comes, for a user who has just finished setting up."""
    more: bool = False
    """Whether it explains at length what pairing does and doesn't do."""


@dataclass(frozen=True, slots=True)
class InvitationDeclined(Result):
    kind: ClassVar = "InvitationDeclined"


@dataclass(frozen=True, slots=True)
class InvitationAccepted(Result):
    """The guest said yes; now the user who asked has to confirm."""

    kind: ClassVar = "InvitationAccepted"

    invite_id: int
    first_at: datetime | None = None
    """When the first Ask comes, for a user who has just finished setting up."""


@dataclass(frozen=True, slots=True)
class InvitationLeft(Result):
    """The guest took the yes back."""

    kind: ClassVar = "InvitationLeft"


@dataclass(frozen=True, slots=True)
class GuestAnswered(Result):
    """Somebody said yes to the user's Invite; we ask whether it is the person it was meant for."""

    kind: ClassVar = "GuestAnswered"

    invite_id: int


@dataclass(frozen=True, slots=True)
class GuestRefused(Result):
    kind: ClassVar = "GuestRefused"


@dataclass(frozen=True, slots=True)
class NothingCame(Result):
    """The button leads to something that is no longer available."""

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
    """Asks whether the Pair should end, and says what that means."""

    kind: ClassVar = "UnpairWanted"

    pair_id: int


@dataclass(frozen=True, slots=True)
class UnpairLeft(Result):
    """The Pair goes on as before."""

    kind: ClassVar = "UnpairLeft"


@dataclass(frozen=True, slots=True)
class SharingEnded(Result):
    """There is no longer anybody to share with, whoever ended it."""

    kind: ClassVar = "SharingEnded"

    beside: bool = False
    """Whether the tapped message stays as it is: a Line can still be changed and deleted."""


@dataclass(frozen=True, slots=True)
class NotPaired(Result):
    kind: ClassVar = "NotPaired"
    beside: bool = False
    """As in SharingEnded."""
