"""The screen of /hide."""

from typing import Final

from bot.domain.results.traces import Hidden
from bot.tg.screens.screen import Screen, View, shown


def hidden(view: View, _: Hidden) -> Screen:
    return Screen(
        # Translators: /hide; a message that is itself removed a minute later. It must not say what was there.
        view.say("Done. What is older than two days I can't remove; deleting the chat in Telegram does.")
    )


SCREENS: Final = (shown(Hidden, hidden),)
