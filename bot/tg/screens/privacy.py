"""Screens about privacy: the policy, consent, exports, and /erase."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Final

from bot.domain.content import PolicySection
from bot.domain.model import POLICY_VERSION
from bot.domain.results import Erased, EraseLeft, EraseWanted, PrivacyShown
from bot.domain.results.privacy import (
    ConsentAgain,
    ConsentWithdrawn,
    ExportBegun,
    ExportTooSoon,
    ExportUnderWay,
    NothingStored,
    PolicySent,
    PolicyShown,
    WithdrawWanted,
)
from bot.export_document import Document
from bot.i18n import BASE
from bot.tg.actions import (
    AGREE_AGAIN,
    ASK_WITHDRAW,
    ERASE,
    GREETING,
    KEEP_ALL,
    POLICY,
    POLICY_FILE,
    WHAT_IS_STORED,
    WITHDRAW,
)
from bot.tg.pages.policy import policy_page
from bot.tg.screens.screen import Button, File, Place, Screen, View, button, folded, shown
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
            # Translators: /erase, what it can't do. "/hide" is a command, which does nothing any more afterwards.
            say(
                "This chat is yours to delete; /hide, sent first, clears its last two days. Backups keep their copy "
                "until replaced. So that you are erased again if one is put back, a number made from your account with "
                "a secret key stays for a year."
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
    if view.user and view.user.discreet:
        # Translators: /export in discreet mode; two files follow: a page to read, and one for programs
        text = view.say(
            "I'm putting together everything that is yours: a page to read and print, and the same as JSON for a "
            "program. They aren't encrypted, so keep them where nobody reads along. I remove them from this chat after "
            "an hour."
        )
        return Screen(text)
    # Translators: /export; two files follow: a page to read, and one for programs. "/hide" is a command.
    text = view.say(
        "I'm putting together everything that is yours: a page to read and print, and the same as JSON for a program. "
        "They aren't encrypted, so keep them where nobody reads along. They also stay in this chat until you delete "
        "them; within two days, /hide does that too."
    )
    return Screen(text)


def export_under_way(view: View, _: ExportUnderWay) -> Screen:
    # Translators: /export once more, while the files are being made
    return Screen(view.say("I'm still at it. The files come as soon as they are ready."))


def export_too_soon(view: View, result: ExportTooSoon) -> Screen:
    # Translators: /export once more within an hour. %(when)s is like "today at 20:30".
    text = view.say(
        "The files have come already, further up in this chat unless they were removed. I can make new ones %(when)s "
        "at the earliest.",
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
    # Translators: button; shows the whole privacy policy
    policy = button(say("The whole policy"), POLICY())
    rows: tuple[tuple[Button, ...], ...] = ((policy,),)
    if result.before_agreeing:
        rows = (*agreement(view, back), (policy,))
    elif view.user and view.user.has_agreed:
        # Translators: button; leads to a question whether to withdraw the consent to what is stored
        rows = ((policy,), (button(say("Withdraw my consent"), ASK_WITHDRAW()),))
    return Screen(
        "\n\n".join((*_in_short(view), folded("\n\n".join(_at_length(view))))),
        rows,
        place=Place.HERE if result.before_agreeing else Place.BESIDE,
    )


def policy_shown(view: View, _: PolicyShown) -> Screen:
    say = view.say
    sections = (
        f"<b>{escape(each.heading, quote=False)}.</b> {escape(each.text, quote=False)}" for each in _policy(view)
    )
    # Translators: above the privacy policy. %(version)s is a number.
    title = say("<b>Privacy policy</b>, version %(version)s", version=POLICY_VERSION)
    # Translators: button under the privacy policy; sends it as a file to keep
    as_file = button(say("As a file"), POLICY_FILE())
    return Screen(f"{title}\n\n{folded(chr(10).join(sections))}", ((as_file,),), place=Place.BESIDE)


def policy_sent(view: View, _: PolicySent) -> Screen:
    say, sections = view.say, _policy(view)
    # Translators: caption of the privacy policy as a file
    text = say("To keep or to print: open it in a browser.")
    return Screen(text, place=Place.BESIDE, file=File("privacy.html", lambda: policy_page(say, sections)))


def _policy(view: View) -> Sequence[PolicySection]:
    """Return the sections of the policy, in the user's language or else English, with who runs the bot."""
    say, operator = view.say, view.operator
    # Translators: in the privacy policy, where the operator has not stated a name or how to reach them
    unknown = say("not stated")
    values = {"name": operator.name or unknown, "contact": operator.contact or unknown}
    policy = view.library.policy.get(say.language) or view.library.policy.get(BASE, ())
    return [replace(each, text=each.text % values) for each in policy]


def consent_again(view: View, result: ConsentAgain) -> Screen:
    say = view.say
    if result.withdrawn:
        # Translators: said to whatever somebody sends after withdrawing their consent. "/export", "/erase" and
        # "/support" are commands.
        text = say(
            "You have withdrawn your consent, so I don't read what you send, and do nothing with what is here. /export "
            "hands it to you, /erase removes it, and /support says where to turn if it gets bad. Or we go on where we "
            "were:"
        )
    else:
        # Translators: the privacy policy has a new version. "/export" and "/erase" are commands and stay as they are.
        text = say(
            "The privacy policy has changed, and I need your yes to it before I do anything else. Your lines stay as "
            "they are meanwhile; /export and /erase work as ever. Lines can be about health or sex; your yes covers "
            "those too."
        )
    return Screen(
        text,
        (
            # Translators: button; agrees, once more, that their lines are stored, also those about health or sex
            (button(say("I agree; keep my lines"), AGREE_AGAIN()),),
            (button(say("What is stored"), WHAT_IS_STORED("")), button(say("The whole policy"), POLICY())),
        ),
        place=Place.BESIDE,
    )


def withdraw_wanted(view: View, _: WithdrawWanted) -> Screen:
    say = view.say
    # Translators: before the consent is withdrawn: what follows. "/export" and "/erase" are commands.
    text = say(
        "Then I stop: no questions, nothing to your partner, nothing from them to you, and I don't read what you send. "
        "What you shared is taken back, unless it has been opened. Your lines stay stored until you /erase them; "
        "/export works too. Nobody is told. Withdraw it?"
    )
    # Translators: button; withdraws the consent to what is stored
    withdraw = button(say("Yes, withdraw it"), WITHDRAW())
    # Translators: button; the consent stays
    leave = button(say("Leave it as it is"), KEEP_ALL())
    return Screen(text, ((withdraw,), (leave,)), place=Place.BESIDE)


def consent_withdrawn(view: View, _: ConsentWithdrawn) -> Screen:
    # Translators: the consent is withdrawn. "/export", "/erase" and "/start" are commands and stay as they are.
    text = view.say(
        "Done. I keep what is here and do nothing with it. /export hands it to you, /erase removes it, and /start is "
        "there if you want to go on one day."
    )
    return Screen(text)


def _in_short(view: View) -> tuple[str, ...]:
    say = view.say
    return (
        # Translators: /privacy, first paragraph. "/erase" is a command.
        say(
            "<b>In short.</b> Your lines are kept encrypted, and shown to nobody unless you share one. Whoever runs "
            "this bot holds the key and could read them; Telegram could read this chat. /erase removes everything."
        ),
        _who_runs_this(view),
        # Translators: /privacy: the consent to keep what European law protects specially; a button below withdraws it.
        # "/erase" is a command.
        say(
            "Lines can be about health or sex. By agreeing you expressly allow me to keep those too. You can withdraw "
            "that here at any time; /erase removes them."
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
            "<b>For you alone.</b> What you expected of sharing, and what came; how an answer landed; questions you "
            "keep to ask in person: never shown to your partner. Nor are the word you put to a line and what you "
            "noticed about them, unless you share them."
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


SCREENS: Final = (
    shown(PrivacyShown, privacy_shown),
    shown(EraseWanted, erase_wanted),
    shown(EraseLeft, erase_left),
    shown(Erased, erased),
    shown(PolicyShown, policy_shown),
    shown(PolicySent, policy_sent),
    shown(ConsentAgain, consent_again),
    shown(WithdrawWanted, withdraw_wanted),
    shown(ConsentWithdrawn, consent_withdrawn),
    shown(NothingStored, nothing_stored),
    shown(ExportBegun, export_begun),
    shown(ExportUnderWay, export_under_way),
    shown(ExportTooSoon, export_too_soon),
)
