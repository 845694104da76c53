"""The keyboard that shares a location: how it gets on the screen, and how it goes away again.

Only a message can show or remove a keyboard, and that message can't have buttons of its own. As long as the keyboard is
on the screen, the user's dialog is `Waiting.PLACE`. Whatever ends that dialog (a tap, a command or another question),
its answer removes the keyboard: `Result.keyboard` says so, even when the answer has to be repeated.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.model import Step, User, Waiting
from bot.domain.results import Result
from bot.i18n import Say
from bot.storage.store import Rows
from bot.tg.screens.screen import Place, Screen
from bot.tg.updates import Message


def markup(share: str, back: str) -> dict[str, Any]:
    """Return the keyboard as Telegram's JSON. Its second key sends the word for going back."""
    return {
        "keyboard": [[{"text": share, "request_location": True}], [{"text": back}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }


async def awaits_location(rows: Rows, user: User | None, now: datetime) -> bool:
    """Return whether a location that is shared now is meant for choosing a zone."""
    if user is None:
        return False
    return user.step is Step.ZONE or await rows.dialogs.awaited(user.id, now) in {Waiting.ZONE, Waiting.PLACE}


async def marked(rows: Rows, user: User, message: Message | None, result: Result, now: datetime) -> Result:
    """Return the Result of an update, which says whether its answer has to remove the keyboard."""
    was_forgotten = (user.id, Waiting.PLACE) in rows.dialogs.forgotten
    is_stray = message is not None and message.location is not None and not await awaits_location(rows, user, now)
    return replace(result, keyboard=True) if was_forgotten or is_stray else result


def taken_away(screen: Screen, say: Say) -> Screen:
    """Return the screen as a new message below one that removes the keyboard."""
    if screen.first:
        return screen
    # Translators: a short word before another screen, when sharing a location is no longer asked for
    return replace(screen, first=say("All right."), place=Place.BELOW)
