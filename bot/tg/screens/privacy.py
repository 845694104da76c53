"""What is stored; and /erase, which asks once more and says what happened."""

from typing import Final

from bot.domain.results import Erased, EraseLeft, EraseWanted, PrivacyShown
from bot.tg.actions import ERASE, GREETING, KEEP_ALL
from bot.tg.screens.screen import Makers, Place, Screen, View, button
from bot.tg.screens.start import agreement


def erase_wanted(view: View, result: EraseWanted) -> Screen:
    say = view.say
    if result.nothing:
        # Translators: /erase by somebody of whom nothing is stored. "/start" is a command and stays as it is.
        return Screen(say("Nothing about you is stored. /start is there if you ever want it."))
    text = "\n\n".join(
        (
            # Translators: /erase asks once more; it is final
            say("This removes everything I keep of you, for good: your lines, your settings, all of it. Shall I?"),
            # Translators: /erase, what it does to sharing; the partner is told nothing at that moment
            say(
                "If you are paired, sharing ends at once. What your partner hasn't opened goes with it, what they have "
                "read can't be unread, and what is theirs stays theirs."
            ),
            # Translators: /erase, what it can't do
            say("The messages in this chat are in your hands: Telegram lets you delete the chat. A backup that whoever "
                "runs this bot has made keeps its copy until it is replaced. To erase you again if it is put "
                "back, a number stays for a year that is made from your account with their secret key."),
        )
    )  # fmt: skip
    # Translators: button; removes everything of the user, for good
    erase = button(say("Erase everything"), ERASE(result.asked_at))
    # Translators: button; everything of the user stays
    leave = button(say("Leave it"), KEEP_ALL())
    return Screen(text, ((erase,), (leave,)))


def erase_left(view: View, _: EraseLeft) -> Screen:
    # Translators: after /erase, the user has decided to keep everything
    return Screen(view.say("Everything stays as it was."))


def erased(view: View, _: Erased) -> Screen:
    if view.swept:
        # Translators: everything of the user is removed. "/start" is a command and stays as it is.
        return Screen(view.say("It is gone. I know nothing of you any more. /start begins anew, if you ever want it."))
    # Translators: everything of the user is removed, but the disk still holds bytes of it, which are overwritten by
    # themselves. "/start" is a command and stays as it is.
    text = view.say(
        "I have deleted it and know nothing of you any more. The last traces on the disk are overwritten in a while, "
        "by themselves. /start begins anew, if you ever want it."
    )
    return Screen(text)


def privacy_shown(view: View, result: PrivacyShown) -> Screen:
    say = view.say
    # Translators: button under what is stored; back to the greeting
    back = button(say("Back"), GREETING(view.words.get("secret", "")))
    return Screen(
        "\n\n".join(
            (
                # Translators: /privacy, first paragraph: what is stored
                say(
                    "<b>What is stored.</b> The number of your Telegram account (not your phone number), the language "
                    "it is set to, and your settings; which questions you were asked and when, and the days you "
                    "paused; and your lines. Before you agreed, only what you sent, encrypted, until it was answered: "
                    "seldom longer than a second."
                ),
                # Translators: /privacy: what is stored besides, for those who pair
                say(
                    "<b>If you pair.</b> The name you chose, who your partner is, and what you decided to let them "
                    "see, with what they answered. Of an invitation's code only a checksum is kept, for a day or two."
                ),
                # Translators: /privacy: how it is stored
                say(
                    "<b>How.</b> Your words and your name are encrypted with a key of your own. A text you haven't "
                    "decided about is encrypted too and dropped after seven days. A line you delete is overwritten."
                ),
                # Translators: /privacy: who can read it
                say(
                    "<b>Who can read it.</b> You, and your partner what you let them open. Whoever runs this bot holds "
                    "the key and could. Telegram can technically read this chat: it is not end-to-end encrypted."
                ),
                # Translators: /privacy: for how long
                say(
                    "<b>For how long.</b> Until you delete it, a line or, with /erase, everything. Deleting here "
                    "doesn't delete the message in this chat; that is in your hands."
                ),
                # Translators: /privacy: what is kept even after /erase, and for how long
                say(
                    "<b>What outlasts that.</b> That something was erased, deleted, taken back or ended is noted for a "
                    "year, so that no backup brings it back. Wrong codes of invitations count for two or three hours, "
                    "also after /erase, so that nobody can guess on. Both are numbers made with the key, no words."
                ),
                # Translators: /privacy: what is never done
                say("No ads, no analysis, nothing is passed on. This program is open source; anyone can check it."),
            )
        ),
        agreement(view, back) if result.before_agreeing else (),
        place=Place.HERE if result.before_agreeing else Place.BESIDE,
    )


MAKERS: Final[Makers] = {PrivacyShown: privacy_shown, EraseWanted: erase_wanted, EraseLeft: erase_left, Erased: erased}
