"""/erase: asks for confirmation and says what happened."""

from typing import Final

from bot.domain.results import Erased, EraseLeft, EraseWanted
from bot.tg.actions import ERASE, KEEP_ALL
from bot.tg.screens.screen import Makers, Screen, View, button


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


MAKERS: Final[Makers] = {EraseWanted: erase_wanted, EraseLeft: erase_left, Erased: erased}
