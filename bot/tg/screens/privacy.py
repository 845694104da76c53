"""What is stored; and /erase, which asks once more and says what happened."""

from typing import Final

from bot.domain.results import Erased, EraseLeft, EraseWanted, PrivacyShown
from bot.domain.results.privacy import ExportBegun, ExportTooSoon, ExportUnderWay, NothingStored
from bot.export_document import Document
from bot.tg.actions import ERASE, GREETING, KEEP_ALL
from bot.tg.screens.screen import Makers, Place, Screen, View, button, folded
from bot.tg.screens.start import agreement


def erase_wanted(view: View, result: EraseWanted) -> Screen:
    say = view.say
    if result.nothing:
        return nothing_stored(view, NothingStored())
    text = "\n\n".join(
        (
            # Translators: /erase asks once more; it is final
            say("This removes everything I keep of you, for good: lines, settings, all of it. Go ahead?"),
            # Translators: /erase, what it does to sharing; the partner is told nothing at that moment
            say(
                "If you share with somebody, that ends at once. What wasn't opened goes too; what was read can't be "
                "unread, and what is theirs stays theirs."
            ),
            # Translators: /erase, what it can't do
            say(
                "This chat is yours to delete in Telegram. Backups by whoever runs this bot keep their copy until "
                "they are replaced. So that you are erased again if one is put back, a number made from your account "
                "with a secret key stays for a year."
            ),
        )
    )
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


def nothing_stored(view: View, _: NothingStored) -> Screen:
    # Translators: /erase or /export by somebody of whom nothing is stored. "/start" is a command and stays as it is.
    return Screen(view.say("Nothing about you is stored. /start is there if you ever want it."))


def export_begun(view: View, _: ExportBegun) -> Screen:
    # Translators: /export; two files follow: a page to read, and one for programs.
    text = view.say(
        "I'm putting together everything that is yours: a page to read and print, and the same as JSON for a program. "
        "They aren't encrypted, so keep them where nobody reads along; this chat keeps them too, until you delete them."
    )
    return Screen(text)


def export_under_way(view: View, _: ExportUnderWay) -> Screen:
    # Translators: /export once more, while the files are being made
    return Screen(view.say("I'm still at it. The files come as soon as they are ready."))


def export_too_soon(view: View, result: ExportTooSoon) -> Screen:
    # Translators: /export once more within an hour. %(when)s is like "today at 20:30".
    text = view.say(
        "You've just had one, further up in this chat. I make the next one %(when)s at the earliest.",
        when=view.when(result.again_at),
    )
    return Screen(text)


def export_file(view: View, document: Document, name: str) -> Screen:
    """Return the caption of an exported file."""
    say = view.say
    if name.endswith(".html"):
        # Translators: caption of an exported file, which any browser opens
        text = say("To read and to print: open it in a browser.")
    else:
        # Translators: caption of an exported file. JSON is a file format.
        text = say("The same for a program, as JSON. Another Ajar can take it in.")
    if document.part > 1 or not document.last:
        # Translators: caption of an exported file, if there are several. %(n)s is 2, for example.
        text = say("Part %(n)s.", n=document.part) + " " + text
    return Screen(text)


def export_progress(view: View, done: int, total: int) -> Screen:
    if done < total:
        # Translators: while a long export is being made. Both are numbers.
        return Screen(view.say("%(done)s of %(total)s read …", done=done, total=total))
    # Translators: a long export is finished; the files are below
    return Screen(view.say("That is all of it."))


def privacy_shown(view: View, result: PrivacyShown) -> Screen:
    say = view.say
    # Translators: button under what is stored; back to the greeting
    back = button(say("Back"), GREETING(view.words.get("secret", "")))
    return Screen(
        "\n\n".join((*_in_short(view), folded("\n\n".join(_at_length(view))))),
        agreement(view, back) if result.before_agreeing else (),
        place=Place.HERE if result.before_agreeing else Place.BESIDE,
    )


def _in_short(view: View) -> tuple[str, ...]:
    say = view.say
    return (
        # Translators: /privacy, first paragraph. "/erase" is a command.
        say(
            "<b>In short.</b> Your lines are kept encrypted, and shown to nobody unless you share one. Whoever runs "
            "this bot holds the key and could read them; Telegram could read this chat. /erase removes everything."
        ),
        _who_runs_this(view),
        # Translators: /privacy: the consent to keep what European law protects specially. "/erase" is a command.
        say(
            "Lines can be about health or sex. By agreeing at the start you expressly allow me to keep those too; "
            "/erase takes that back."
        ),
    )


def _who_runs_this(view: View) -> str:
    say, operator = view.say, view.operator
    if operator.name and operator.contact:
        # Translators: /privacy: who is responsible for this bot. %(contact)s is an address.
        return say("<b>Who runs this.</b> %(name)s, %(contact)s.", name=operator.name, contact=operator.contact)
    if operator.name or operator.contact:
        # Translators: /privacy: who is responsible for this bot: a name, or only an address
        return say("<b>Who runs this.</b> %(who)s.", who=operator.name or operator.contact)
    # Translators: /privacy: nobody has said who is responsible for this bot
    return say("<b>Who runs this.</b> They haven't said. Ask whoever showed you this bot.")


def _at_length(view: View) -> tuple[str, ...]:
    say = view.say
    return (
        # Translators: /privacy: what is stored
        say(
            "<b>What is stored.</b> The number of your Telegram account (not your phone number), the language it is "
            "set to, and your settings; which questions you were asked and when, whether you answered, and the days "
            "you paused; and your lines, with the words you put to them. From that I see how deep and at which hour "
            "you usually answer, to offer you another. Before you agreed, only what you sent, encrypted, until it was "
            "answered: seldom longer than a second."
        ),
        # Translators: /privacy: what is stored besides, for those who share with somebody
        say(
            "<b>If you share.</b> The name you chose, who your partner is, and what you decided to let them see, with "
            "what they answered. Of an invitation's code only a checksum is kept, for a day or two."
        ),
        # Translators: /privacy: what is stored besides, and never shown to the partner
        say(
            "<b>For you alone.</b> The word you put to a line; what you expected of sharing, and what came; how an "
            "answer landed; questions you keep to ask in person: never shown to your partner. What you noticed about "
            "them isn't either, until you give it."
        ),
        # Translators: /privacy: how it is stored
        say(
            "<b>How.</b> Your words and your name are encrypted with a key of your own. A text you haven't decided "
            "about is encrypted too and dropped after seven days. A line you delete is overwritten."
        ),
        # Translators: /privacy: who can read it
        say(
            "<b>Who can read it.</b> You, and your partner what you let them open. Whoever runs this bot holds the "
            "key and could. Telegram could read this chat too: it is not end-to-end encrypted."
        ),
        # Translators: /privacy: for how long
        say(
            "<b>For how long.</b> Until you delete it, a line or, with /erase, everything. Deleting here doesn't "
            "delete the message in this chat; that is in your hands."
        ),
        # Translators: /privacy: what is kept even after /erase, and for how long
        say(
            "<b>What outlasts that.</b> That something was erased, deleted, taken back or ended is noted for a year, "
            "so that no backup brings it back. Wrong codes of invitations count for two or three hours, also after "
            "/erase, so that nobody can guess on. Both are numbers made with the key, no words."
        ),
        # Translators: /privacy: what the program doesn't do, and what only its operator can promise
        say(
            "<b>What this program doesn't do.</b> It shows no ads, and passes nothing on except to Telegram and to "
            "whom you share with; it is open source, so anyone can check. For what is done with the data besides, "
            "only whoever runs this bot can answer."
        ),
    )


MAKERS: Final[Makers] = {
    PrivacyShown: privacy_shown,
    EraseWanted: erase_wanted,
    EraseLeft: erase_left,
    Erased: erased,
    NothingStored: nothing_stored,
    ExportBegun: export_begun,
    ExportUnderWay: export_under_way,
    ExportTooSoon: export_too_soon,
}
