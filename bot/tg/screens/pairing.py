"""Screens of pairing: the Invite to pass on, the invitation that its guest reads, and the end of a Pair."""

from datetime import datetime, timedelta
from html import unescape
from typing import Final
from urllib.parse import urlencode

from bot.domain.model import Step
from bot.domain.pairing import NAME_LIMIT
from bot.domain.results import (
    AlreadyPaired,
    CodeOrLine,
    CodeWanted,
    GuestAnswered,
    GuestRefused,
    Invitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationLeft,
    Invited,
    InviteOpen,
    InviteSending,
    InviteTakenBack,
    NameOrLine,
    NoSuchInvite,
    NothingCame,
    NotPaired,
    Paired,
    PairNameWanted,
    ReplyOrLine,
    SharingEnded,
    TooManyTries,
    UnpairLeft,
    UnpairWanted,
)
from bot.domain.times import is_quiet
from bot.i18n import Markup
from bot.tg.actions import (
    CODE,
    DECLINE,
    DROP,
    GUEST_BACK,
    GUEST_MORE,
    GUEST_NO,
    GUEST_ONLY,
    GUEST_SHOW,
    GUEST_YES,
    INVITED,
    INVITED_MORE,
    INVITED_YES,
    JOIN,
    KEEP,
    PAIR_BACK,
    PAIR_NAME,
    PAIR_NAME_TYPED,
    PAIR_NO,
    PAIR_RENAME,
    PAIR_RENEW,
    PAIR_SEND,
    PAIR_SHOW,
    PAIR_YES,
    RECEIVE,
    STAY,
    TODAY,
    UNPAIR,
    Tap,
)
from bot.tg.screens.screen import (
    Button,
    InviteCard,
    Place,
    Screen,
    View,
    button,
    copy_button,
    draft_card,
    link_button,
    named,
    private,
    shown,
)
from bot.tg.screens.sharing import partner, text_again

_EXAMPLE: Final = "K7QX-9M2P"
_SOON: Final = timedelta(hours=1)


def pair_name_wanted(view: View, result: PairNameWanted) -> Screen:
    say = view.say
    name = view.words.get("first_name", "")
    if result.unclear:
        # Translators: the name that was typed is too long. %(limit)s is 40.
        return Screen(say("That's longer than %(limit)s characters. What would be shorter?", limit=NAME_LIMIT))
    if result.typed or not name:
        # Translators: the user then types the name that the partner will see
        text = say("Which name should they see? Up to 40 characters. Just write it.")
        return Screen(_ended(view, text, ended=result.ended))
    # Translators: the first step of pairing; the name is the one from Telegram
    text = say(
        "They will see you as %(name)s, in the invitation and with every line. Is that right?",
        name=named(name),
    )
    return Screen(
        _ended(view, text, ended=result.ended),
        (
            (
                # Translators: button; yes, this name
                button(say("Yes"), PAIR_NAME()),
                # Translators: button; the user then types another name
                button(say("Another name"), PAIR_RENAME(0)),
            ),
        ),
    )


def name_or_line(view: View, result: NameOrLine) -> Screen:
    say = view.say
    return Screen(
        # Translators: a text came while the user was asked by which name to go; it may be that name, or an answer to
        # the question of the day. %(name)s is the text.
        say("Should they see you as %(name)s, or is that your line?", name=named(view.words.get("name", ""))),
        (
            (
                # Translators: button; the text was meant as the user's name
                button(say("My name"), PAIR_NAME_TYPED(result.draft_id)),
                button(say("My line"), KEEP(result.draft_id)),
            ),
        ),
        card=draft_card(result.draft_id),
    )


def reply_or_line(view: View, result: ReplyOrLine) -> Screen:
    say = view.say
    return Screen(
        # Translators: a text came below an invitation; it may be meant for the one who asks, or be the user's own line
        say("That went to nobody: I pass nothing on before you have both said yes. Is it a line of yours?"),
        (
            (
                button(say("My line"), KEEP(result.draft_id)),
                button(say("Don't keep it"), DROP(result.draft_id)),
            ),
        ),
        card=draft_card(result.draft_id),
    )


def invite_open(view: View, result: InviteOpen) -> Screen:
    say = view.say
    if "link" not in view.words:
        return invite_taken_back(view, InviteTakenBack())
    link = _link(view)
    text = "\n\n".join(
        (
            # Translators: above the link that a user passes on to the partner, by whatever means
            say("Pass this link on to the person you mean, however you like:"),
            f"<code>{link}</code>",
            # Translators: %(bot)s is the bot's username, %(code)s a short code like K7QX-9M2P
            say(
                "Or read this code out to them. They send it to %(bot)s: %(code)s",
                bot=f"@{view.bot}",
                code=Markup(f"<code>{view.words['code']}</code>"),
            ),
            # Translators: %(when)s is like "tomorrow at 20:30". It must be plain that a link alone pairs nobody.
            say(
                "It works once, for one person, until %(when)s. Opening it decides nothing: they are asked first, "
                "then you.",
                when=view.when(result.expires_at),
            ),
            # Translators: the name that the other person will see
            say("They will see you as %(name)s.", name=named(view.words["me"])),
            *_when_it_is_quiet(view),
        )
    )
    if result.nobody_waits:
        # Translators: to the one who made an invitation, after a tap on yes or no; the guest has taken their yes back
        text = say("Nobody is waiting for your answer now. Your invitation is still open.") + "\n\n" + text
    return Screen(
        _ended(view, text, ended=result.ended),
        (
            (
                # Translators: button; puts the link on the clipboard
                copy_button(say("Copy the link"), link),
                # Translators: button; leads to sentences that can go with the link
                button(say("Send it…"), PAIR_SEND(result.invite_id)),
            ),
            # Translators: button; puts the short code on the clipboard
            (copy_button(say("Copy the code"), view.words["code"]), _rename(view, 0)),
            (
                # Translators: button; a new link and code, those of before no longer work
                button(say("A new link"), PAIR_RENEW(result.invite_id)),
                # Translators: button; the link and the code no longer work
                button(say("Take it back"), PAIR_BACK(result.invite_id)),
            ),
        ),
        place=Place.HERE if result.here else Place.BELOW,
        card=InviteCard(result.invite_id),
    )


def _when_it_is_quiet(view: View) -> tuple[str, ...]:
    """Say, around the beginning of the user's quiet hours, how they still hear of a yes: two may sit side by side."""
    quiet = view.user.quiet if view.user else None
    if quiet is None or not any(is_quiet(moment, view.zone, quiet) for moment in (view.now, view.now + _SOON)):
        return ()
    # Translators: below an invitation that is made late in the evening or at night. "/pair" is a command.
    return (view.say("In your quiet hours I don't write first. If they say yes then, /pair shows it."),)


def _link(view: View) -> str:
    return f"https://t.me/{view.bot}?start={view.words['link']}"


def invite_sending(view: View, result: InviteSending) -> Screen:
    say = view.say
    if "link" not in view.words:
        return invite_taken_back(view, InviteTakenBack())
    sentences = (
        # Translators: a sentence that goes before the link of an invitation, from one partner to the other
        say("I found something small: I'd like to show you a line now and then. You needn't do anything."),
        # Translators: another one, shorter
        say("Would you read a line from me now and then? Only when it suits you."),
        # Translators: another one, for somebody who finds it hard to say things
        say("There are things I don't manage to say. I'd like to try it this way, one line at a time."),
    )
    # Translators: above three sentences; the buttons below are their numbers. Telegram then asks whom to send it to.
    head = say("Which of these goes with it? You can change it before you send it.")
    listed = "\n".join(f"{n}. {sentence}" for n, sentence in enumerate(sentences, 1))
    shares = (urlencode({"url": _link(view), "text": unescape(sentence)}) for sentence in sentences)
    numbers = tuple(link_button(str(n), f"https://t.me/share/url?{share}") for n, share in enumerate(shares, 1))
    plain = link_button(
        # Translators: button; the link is sent without a sentence
        say("Just the link"),
        "https://t.me/share/url?" + urlencode({"url": _link(view)}),
    )
    # Translators: button; back to the invitation
    back = button(say("Back"), PAIR_SHOW())
    return Screen(f"{head}\n\n{listed}", (numbers, (plain,), (back,)), card=InviteCard(result.invite_id))


def _rename(view: View, invite_id: int) -> Button:
    # Translators: button; the user then types another name for the other one to see
    return button(view.say("Another name"), PAIR_RENAME(invite_id))


def invite_taken_back(view: View, _: InviteTakenBack) -> Screen:
    # Translators: an invitation was taken back, or is no longer open. "/pair" is a command and stays as it is.
    return Screen(view.say("No link and no code of yours is open now. /pair makes a new one."))


def no_such_invite(view: View, result: NoSuchInvite) -> Screen:
    return Screen(_ended(view, nowhere(view), ended=result.ended))


def code_or_line(view: View, result: CodeOrLine) -> Screen:
    say = view.say
    return Screen(
        text_again(view)
        # Translators: a text came that looks like the code of an invitation, but may be an answer to the question
        + say("Is this an invitation code, or your line?"),
        (
            (
                # Translators: button; the text was meant as an invitation's code
                button(say("A code"), CODE(result.draft_id)),
                # Translators: button; the text that looks like a code was meant as an answer and is kept as a line
                button(say("My line"), KEEP(result.draft_id)),
            ),
        ),
        card=draft_card(result.draft_id),
    )


def nowhere(view: View) -> str:
    """Return the sentence for every code and link that doesn't work: always the same, so as not to reveal why."""
    # Translators: for a code or link that is wrong, used, expired, one's own or taken back: it must not tell which.
    return view.say(
        "That link or code leads nowhere. It may be mistyped, used or run out. Ask for a new one, if you expected one."
    )


def too_many_tries(view: View, _: TooManyTries) -> Screen:
    return Screen(
        # Translators: after ten wrong codes within an hour
        view.say("That was a lot of tries. For an hour I take no link and no code from you. Everything else works.")
    )


def code_wanted(view: View, _: CodeWanted) -> Screen:
    # Translators: /join without a code. The example is in the form of a code and stays as it is.
    return Screen(view.say("Send me the code you were given. It looks like %(code)s.", code=_EXAMPLE))


def at_length(view: View, name: str) -> str:
    """Explain at length what pairing with `name` does, what it doesn't do, and what remains when it ends."""
    say = view.say
    return "\n\n".join(
        (
            # Translators: what pairing does, at length
            say(
                "<b>What it does.</b> Each of you can show the other a line, seen beforehand as it will look, at a "
                "time you choose. Until it's opened it can be taken back."
            ),
            # Translators: what pairing does not do. It must be exact: it is a promise. %(name)s is the other person.
            say(
                "<b>What it doesn't do.</b> Nothing shows by itself but your name. %(name)s sees no days, counts or "
                "last-seen of yours, and not when you read; likewise the other way round.",
                name=name,
            ),
            # Translators: what happens if the pair ends; said before pairing. "/unpair" is a command.
            say(
                "<b>If it ends.</b> Either of you ends it with /unpair, without a reason or a message. Private lines "
                "stay yours; what wasn't opened is gone."
            ),
        )
    )


def _promises(view: View) -> tuple[str, str]:
    """Return the promises that both read before they say yes."""
    say = view.say
    return (
        # Translators: what pairing does not show, and the one thing that it can; said to both before their yes
        say(
            "Neither sees whether the other answers, skips or pauses. Only your name shows; taking a line back "
            "too late reveals it was opened."
        ),
        # Translators: how a pair ends; said to both before their yes. "/unpair" is a command.
        say("/unpair ends it at once. Opened lines can't be unseen."),
    )


def _who_asks(view: View) -> str:
    """Return who asks and, in short, for what, so that nobody overlooks what matters."""
    say, name = view.say, named(view.words.get("name", ""))
    me = view.words.get("me") or view.words.get("first_name", "")
    lines = [
        # Translators: the head of an invitation to pair; %(name)s is the one who asks
        say(
            "<b>%(name)s</b> would like to show you a line now and then. You open it when it suits you and needn't "
            "answer. You can do the same, or not.",
            name=name,
        ),
        *_promises(view),
        # Translators: a warning that anybody can type any name
        say("%(name)s typed that name. Not sure? Ask first. A no is told to nobody.", name=name),
    ]
    if me:
        # Translators: %(name)s is the name under which the other person will see this user
        lines.append(say("They'd see you as %(name)s.", name=named(me)))
    return "\n\n".join(lines)


def invited(view: View, result: Invited) -> Screen:
    """Show an invitation to somebody who hasn't consented to anything yet; its secret travels in the buttons."""
    say, secret = view.say, view.words.get("secret", "")
    if not view.words.get("name"):
        return Screen(nowhere(view), ((_go_on(view, secret),),))
    if result.more:
        # Translators: button; back to the invitation in short
        return Screen(at_length(view, named(view.words["name"])), ((button(say("Back"), INVITED(secret)),),))
    rows = (
        # Translators: button; yes, I want to pair with this person
        (button(say("Yes"), INVITED_YES(secret)), button(say("No"), DECLINE())),
        # Translators: button; what pairing means, at length
        (button(say("More"), INVITED_MORE(secret)),),
    )
    return Screen(_who_asks(view), rows)


def _go_on(view: View, secret: str) -> Button:
    # Translators: button; to the greeting, although the invitation leads nowhere
    return button(view.say("Go on without it"), INVITED_YES(secret))


def invitation(view: View, result: Invitation) -> Screen:
    say = view.say
    if not view.words.get("name"):
        return nothing_came(view, NothingCame())
    if result.more:
        back = button(say("Back"), GUEST_SHOW(result.invite_id))
        return Screen(at_length(view, named(view.words["name"])), ((back,),))
    rows: tuple[tuple[Button, ...], ...] = (
        (
            button(say("Yes"), GUEST_YES(result.invite_id)),
            # Translators: button; no, I don't want to pair with this person
            button(say("No"), GUEST_NO(result.invite_id)),
        ),
        (button(say("More"), GUEST_MORE(result.invite_id)),),
    )
    if view.user and view.user.step is not Step.READY:
        rows = (rows[0], (_receive_only(view, GUEST_ONLY(result.invite_id)),), *rows[1:])
    else:
        rows = (*rows[:-1], (*rows[-1], _rename(view, result.invite_id)))
    text = _ended(view, _who_asks(view), ended=result.ended)
    first = _all_i_need(view, result.first_at)
    return Screen(text, rows, place=Place.BELOW if first else Place.HERE, first=first)


def _receive_only(view: View, tap: Tap) -> Button:
    # Translators: button; yes to an invitation, without a daily question of one's own
    return button(view.say("Only receive, for now"), tap)


def _all_i_need(view: View, first_at: datetime | None) -> str | None:
    if first_at is None:
        return None
    # Translators: the start is done, and an invitation to pair follows. %(when)s is like "today at 20:30".
    return view.say("That's all I need. Your question comes %(when)s.", when=view.when(first_at))


def consent_of_guest(view: View, secret: str) -> tuple[str, tuple[tuple[Button, ...], ...]]:
    """Return the consent to ask of a guest who said yes, and the buttons for the two ways to give it."""
    say = view.say
    # Translators: to somebody who said yes to an invitation; the buttons are "Ask me too" and "Only receive, for now"
    text = say(
        "If you like, I'll ask you one small question a day too, and you answer in one line; nobody sees it unless you "
        "show them. Either way you say that you are 18 or older, and that I may keep what you write."
    )
    return text, (
        # Translators: button; agrees, and wants a daily question as well
        (button(say("Ask me too"), JOIN(secret)),),
        (_receive_only(view, RECEIVE(secret)),),
    )


def invitation_declined(view: View, _: InvitationDeclined) -> Screen:
    # Translators: after "No" to an invitation
    return Screen(view.say("All right, no sharing. Nobody is told."), _to_today(view))


def invitation_accepted(view: View, result: InvitationAccepted) -> Screen:
    say = view.say
    if "name" not in view.words:
        return nothing_came(view, NothingCame())
    # Translators: after "Yes" to an invitation. Not hearing anything must not mean anything bad.
    text = say(
        "Now %(name)s is asked in turn, to be sure that it is really the two of you. I'll tell you "
        "when that is done. If you hear nothing within a day, it didn't come about, and there is nothing to read "
        "into it.",
        name=partner(view),
    )
    # Translators: button; the yes to an invitation is taken back
    back = button(say("Take my yes back"), GUEST_BACK(result.invite_id))
    first = _all_i_need(view, result.first_at)
    return Screen(text, ((back,), *_to_today(view)), place=Place.BELOW if first else Place.HERE, first=first)


def invitation_left(view: View, _: InvitationLeft) -> Screen:
    # Translators: the yes to an invitation was taken back
    return Screen(view.say("Taken back. Nobody is told."), _to_today(view))


def _to_today(view: View) -> tuple[tuple[Button, ...], ...]:
    """Offer the first question to somebody who came through an Invite and hasn't been asked one."""
    if view.user is None or view.user.last_day or view.user.receives_only:
        return ()
    # Translators: button; shows the first question at once
    return ((button(view.say("Try one question now"), TODAY()),),)


def guest_answered(view: View, result: GuestAnswered) -> Screen:
    say = view.say
    if "name" not in view.words:
        return nothing_came(view, NothingCame())
    text = "\n\n".join(
        (
            # Translators: to the one who made an invitation; %(name)s is who said yes to it
            say("<b>%(name)s</b> has said yes to your invitation.", name=partner(view)),
            *_promises(view),
            # Translators: a warning that anybody can type any name; asked before the last yes
            say("The name is what they wrote themselves. Is it the one you meant? If you aren't sure, ask them first."),
        )
    )
    return Screen(
        text,
        (
            (
                # Translators: button; yes, pair me with this person
                button(say("Yes, us two"), PAIR_YES(result.invite_id)),
                # Translators: button; no, this is not the one I meant, or I have thought better of it
                button(say("No"), PAIR_NO(result.invite_id)),
            ),
        ),
        place=Place.BELOW,
    )


def guest_refused(view: View, _: GuestRefused) -> Screen:
    return Screen(
        # Translators: the one who made an invitation said no to who came. "/pair" is a command.
        view.say("All right, no sharing. They are not told. That link is closed; /pair makes a new one.")
    )


def nothing_came(view: View, _: NothingCame) -> Screen:
    # Translators: after a tap on a button of an invitation that is over, for whatever reason. "/pair" is a command.
    return Screen(view.say("That invitation is no longer open. Nothing has changed. /pair makes a new one."))


def paired(view: View, _: Paired) -> Screen:
    say = view.say
    if "name" not in view.words:
        return nothing_came(view, NothingCame())
    # Translators: to both, right after they were paired. "Share…" is a button, "/share" a command.
    text = say(
        "You and %(name)s can share lines now. Nothing has been shown to anybody. When you want to let "
        "a line be seen, there is Share… under a new one and /share for earlier ones. You see first exactly what they "
        "would see.",
        name=partner(view),
    )
    return Screen(text, _to_today(view))


def already_paired(view: View, _: AlreadyPaired) -> Screen:
    say = view.say
    if "name" not in view.words:
        return nothing_came(view, NothingCame())
    # Translators: to somebody who is paired and asks to pair; nothing changes. "/unpair" is a command.
    return Screen(say("You share with %(name)s, and that stays as it is. /unpair ends it.", name=partner(view)))


def unpair_wanted(view: View, result: UnpairWanted) -> Screen:
    say = view.say
    if "name" not in view.words:
        return sharing_ended(view, SharingEnded())
    name = partner(view)
    text = "\n\n".join(
        (
            # Translators: asked before a pair is ended
            say("End sharing with %(name)s?", name=name),
            # Translators: what it means to end a pair; said to the one who is about to do it. It must be exact.
            say(
                "It takes effect at once. Whatever wasn't opened yet is gone, yours and theirs. Your private lines "
                "stay yours. What was opened can't be unseen."
            ),
            # Translators: what the other person learns of it, and when
            say(
                "%(name)s gets no message now. They read that sharing has ended only when they next want "
                "to share or open something: no reason and no date.",
                name=name,
            ),
        )
    )
    return Screen(
        text,
        (
            # Translators: button; ends the pair at once
            (button(say("End it now"), UNPAIR(result.pair_id)),),
            # Translators: button; the pair stays
            (button(say("Leave it as it is"), STAY()),),
        ),
    )


def unpair_left(view: View, _: UnpairLeft) -> Screen:
    # Translators: the user decided not to end the pair
    return Screen(view.say("Left as it is."))


def sharing_ended(view: View, result: SharingEnded) -> Screen:
    # The same words for the user who ended it and for the partner who learns of it.
    # Translators: sharing with the partner has ended; no reason, no date, no name. "/pair" is a command.
    text = view.say("Sharing has ended. Your lines are yours, as before. /pair is there if you ever want it.")
    # The tapped message may contain words that were shown before.
    return Screen(text, place=Place.BESIDE if result.beside else Place.BELOW)


def not_paired(view: View, result: NotPaired) -> Screen:
    # Translators: to somebody without a partner who wants to share or to end sharing. "/pair" is a command.
    text = view.say("There is nobody you share with. /pair makes an invitation, if you want that.")
    return Screen(text, place=Place.BESIDE if result.beside else Place.HERE)


def _ended(view: View, text: str, *, ended: bool) -> str:
    """Put the news that sharing has ended before the text, if the user is to hear it now."""
    # Translators: said once to somebody whose pair was ended by the other one, before what they asked for
    return view.say("Sharing has ended.") + "\n\n" + text if ended else text


SCREENS: Final = (
    shown(PairNameWanted, pair_name_wanted),
    private(NameOrLine, name_or_line, lambda use: use.pairing.read_typed_name),
    private(ReplyOrLine, reply_or_line),
    shown(InviteOpen, invite_open, lambda use: use.pairing.read_own_invite),
    shown(InviteSending, invite_sending, lambda use: use.pairing.read_own_invite),
    shown(Invited, invited, lambda use: use.pairing.read_invited),
    shown(InviteTakenBack, invite_taken_back),
    shown(NoSuchInvite, no_such_invite),
    private(CodeOrLine, code_or_line, lambda use: use.pairing.read_typed_code),
    shown(TooManyTries, too_many_tries),
    shown(CodeWanted, code_wanted),
    shown(Invitation, invitation, lambda use: use.pairing.read_invitation),
    shown(InvitationDeclined, invitation_declined),
    shown(InvitationAccepted, invitation_accepted, lambda use: use.pairing.read_invitation),
    shown(InvitationLeft, invitation_left),
    shown(GuestAnswered, guest_answered, lambda use: use.pairing.read_guest),
    shown(GuestRefused, guest_refused),
    shown(NothingCame, nothing_came),
    shown(Paired, paired, lambda use: use.pairing.read_partner),
    shown(AlreadyPaired, already_paired, lambda use: use.pairing.read_partner),
    shown(UnpairWanted, unpair_wanted, lambda use: use.pairing.read_partner),
    shown(UnpairLeft, unpair_left),
    shown(SharingEnded, sharing_ended),
    shown(NotPaired, not_paired),
)
