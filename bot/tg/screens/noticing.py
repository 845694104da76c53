"""The screen of Noticing, which asks for one line. Once kept, it looks like any other Line."""

from typing import Final

from bot.domain.results.noticing import NoticedWanted
from bot.services.names import read_partner_name
from bot.tg.screens.screen import Place, Screen, View, private
from bot.tg.screens.sharing import partner, too_long_screen


def noticed_wanted(view: View, result: NoticedWanted) -> Screen:
    if result.too_long:
        return too_long_screen(view, result.draft_id)
    # Translators: /noticed; one line about something small that the partner did. "/cancel" is a command.
    text = view.say(
        "What did %(name)s do or carry lately that you noticed? One line. It stays with you until you give it: now, or "
        "at your weekly moment. /cancel drops it.",
        name=partner(view),
    )
    return Screen(text, place=Place.BELOW)


SCREENS: Final = (private(NoticedWanted, noticed_wanted, lambda _: read_partner_name),)
