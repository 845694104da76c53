"""The screen of /hide."""

from typing import Final

from bot.domain.results.traces import Hidden
from bot.tg.screens.screen import Screen, View, shown


def hidden(view: View, _: Hidden) -> Screen:
    if view.user is None:
        # Translators: /hide, by somebody who hasn't agreed to anything yet
        return Screen(view.say("Done. What is older than two days I can't remove; deleting the chat in Telegram does."))
    # Translators: /hide; a message that is itself removed a minute later. It is the same whatever was there, or waits
    # for a decision. "/today" is a command.
    text = view.say(
        "Done. What you haven't decided about waits behind /today. What is older than two days I can't remove; "
        "deleting the chat in Telegram does."
    )
    return Screen(text)


SCREENS: Final = (shown(Hidden, hidden),)
