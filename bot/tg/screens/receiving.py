"""Receiving, for the receiver: that something is there, how to receive it, and the words."""

from typing import Final

from bot.domain.results.receiving import (
    AllLater,
    AllLaterWanted,
    AllNotNow,
    AlreadyAnswered,
    AlreadyOpened,
    Announced,
    AnnouncedTogether,
    Answered,
    NotNow,
    Opened,
    OpenLater,
    OpenLaterWanted,
    ReactionStays,
    ReplyDropped,
    ReplyPreview,
    ReplyTooLong,
    ReplyWanted,
    TakenBack,
    WaitingShown,
)
from bot.domain.sharing import Answer
from bot.domain.typed import LINE_LIMIT
from bot.i18n import Markup
from bot.tg.actions import (
    ALL_AT,
    ALL_BACK,
    ALL_LATER,
    ALL_NOT_NOW,
    KEEP,
    NOT_NOW,
    OPEN,
    OPEN_AT,
    OPEN_BACK,
    OPEN_LATER,
    OPEN_ONE,
    REPLY_DROP,
    REPLY_SEND,
    RESPOND,
    Action,
)
from bot.tg.screens.asks import time_unclear
from bot.tg.screens.responses import ready
from bot.tg.screens.screen import Button, DraftCard, Makers, OpenedCard, Place, Screen, View, button
from bot.tg.screens.sharing import announcement, how_to_receive, partner, quoted, safe, too_long, words_gone

_A_ROW: Final = 3


def announced(view: View, result: Announced) -> Screen:
    say, about = view.say, result.reflection_id
    rows = (
        # Translators: button; shows the line that the partner left
        (button(say("Open"), OPEN(about)),),
        (
            # Translators: button; the announcement comes again later
            button(say("Later"), OPEN_LATER(about)),
            # Translators: button; the line stays closed until it is looked for
            button(say("Not now"), NOT_NOW(about)),
        ),
    )
    return Screen(announcement(say, partner(view)), rows)


def announced_together(view: View, result: AnnouncedTogether) -> Screen:
    say, about = view.say, result.announcement_id
    text: str = announcement(say, partner(view), len(result.reflections) + result.others)
    if result.others:
        # Translators: after "Alice left you 12 lines. For a quiet minute."; "/waiting" is a command
        text += " " + say("The first of them are here; /waiting has the others.")
    opens = [
        # Translators: button; shows one of several lines that the partner left. %(n)s is its number among them.
        button(say("Open %(n)s", n=number), OPEN_ONE(reflection_id))
        for number, reflection_id in enumerate(result.reflections, 1)
    ]
    rows = [tuple(opens[start : start + _A_ROW]) for start in range(0, len(opens), _A_ROW)]
    # Translators: button; the announcement of several lines comes again later
    later = button(say("All later"), ALL_LATER(about))
    # Translators: button; several lines stay closed until they are looked for
    rows.append((later, button(say("None now"), ALL_NOT_NOW(about))))
    return Screen(text, tuple(rows))


def all_later_wanted(view: View, result: AllLaterWanted) -> Screen:
    return _when_again(view, result, result.announcement_id, ALL_AT, ALL_BACK)


def all_later(view: View, result: AllLater) -> Screen:
    # Translators: the announcement of several lines was put off. %(when)s is like "today at 21:30".
    text = view.say("All right. I'll bring them up again %(when)s.", when=view.when(result.until))
    return Screen(text, ((_show_them(view, result.announcement_id),),))


def all_not_now(view: View, result: AllNotNow) -> Screen:
    # Translators: the receiver doesn't want to see several lines now. "/waiting" is a command and stays as it is.
    text = view.say("That's fine. They stay closed until you want them; /waiting has them, and nobody is told.")
    return Screen(text, ((_show_them(view, result.announcement_id),),))


def _show_them(view: View, announcement_id: int) -> Button:
    # Translators: button; back to the announcement of several lines, from which each can be opened
    return button(view.say("Show them again"), ALL_BACK(announcement_id))


def open_later_wanted(view: View, result: OpenLaterWanted) -> Screen:
    return _when_again(view, result, result.reflection_id, OPEN_AT, OPEN_BACK)


def _when_again(
    view: View, result: OpenLaterWanted | AllLaterWanted, about: int, at: Action[str, int], back: Action[int]
) -> Screen:
    say = view.say
    # Translators: button; the announcement comes again on the next day at this hour
    choices = [button(say("Tomorrow"), at("tomorrow", about))]
    if result.tonight:
        # Translators: button; the announcement comes again this evening
        choices.insert(0, button(say("Tonight"), at("tonight", about)))
    # Translators: after "Later"; the choices are buttons
    text = say("When shall I bring it up again?")
    if result.unclear:
        text = time_unclear(view) + "\n\n" + text
    # Translators: button; back to the announcement
    return Screen(text, (tuple(choices), (button(say("Back"), back(about)),)))


def open_later(view: View, result: OpenLater) -> Screen:
    # Translators: the announcement was put off. %(when)s is like "today at 21:30".
    text = view.say("All right. I'll bring it up again %(when)s.", when=view.when(result.until))
    # Translators: button; shows the line that the partner left
    return Screen(text, ((button(view.say("Open it now"), OPEN(result.reflection_id)),),))


def not_now(view: View, result: NotNow) -> Screen:
    # Translators: the receiver doesn't want to see it now. "/waiting" is a command and stays as it is.
    text = view.say("That's fine. It stays closed until you want it; /waiting has it, and nobody is told.")
    return Screen(text, ((button(view.say("Open it now"), OPEN(result.reflection_id)),),))


def waiting_shown(view: View, result: WaitingShown) -> Screen:
    say = view.say
    if not result.reflections:
        # Translators: /waiting, and there is nothing unopened
        return Screen(say("Nothing is waiting for you."), place=Place.BELOW)
    # Translators: /waiting: lines that the partner left and that are still closed; each has a button
    text = say("From %(name)s, still closed. There is no hurry.", name=partner(view))
    if result.more:
        # Translators: /waiting shows the first ten only
        text += " " + say("There are more after these.")
    rows: list[tuple[Button, ...]] = []
    for reflection_id, moment in result.reflections:
        # Translators: button; opens a line. %(when)s is when it was announced, like "today at 20:30".
        rows.append((button(say("Open (%(when)s)", when=view.when(moment)), OPEN_ONE(reflection_id)),))
    return Screen(text, tuple(rows), place=Place.BELOW)


def opened(view: View, result: Opened) -> Screen:
    say, about = view.say, result.reflection_id
    words = view.words.get("words")
    if not words:
        return words_gone(view)
    parts: list[str] = [how_to_receive(view, result.wish, result.cue_id, partner(view))]
    # Translators: stands before words that are covered until they are tapped
    parts.append("\n" + say("When you're ready, tap to uncover:"))
    parts.append(quoted(Markup(f"<tg-spoiler>{safe(words)}</tg-spoiler>")))
    # Translators: stands after the words, above the buttons with responses
    parts.append(say("You needn't answer. %(name)s hears only what you choose here.", name=partner(view)))
    rows = [(button(ready(say, answer), RESPOND(answer, about)),) for answer in _OFFERED]
    card = OpenedCard(about)
    place = Place.BESIDE if result.beside else Place.BELOW
    return Screen("\n".join(parts), tuple(rows), place=place, protected=True, card=card)


_OFFERED: Final = (Answer.READ, Answer.THANKS, Answer.LINE, Answer.LIKE, Answer.KNOW, Answer.MORE)


def already_opened(view: View, _: AlreadyOpened) -> Screen:
    # Translators: a short word over the chat, after a tap on an older button of the same line
    return Screen(view.say("You have opened this one already."), place=Place.TOAST)


def taken_back(view: View, result: TakenBack) -> Screen:
    # Translators: the partner has taken the line back before it was opened; without regret or curiosity
    text = view.say("%(name)s has taken this one back. There is nothing to read into it.", name=partner(view))
    return Screen(text, place=Place.BESIDE if result.beside else Place.HERE)


def already_answered(view: View, _: AlreadyAnswered) -> Screen:
    # Translators: a short word over the chat; there is one response to a line, and it was sent
    return Screen(view.say("You have answered this one already."), place=Place.TOAST)


def answered(view: View, result: Answered) -> Screen:
    if result.answer == Answer.READ:
        # Translators: the response "I read this" was sent
        return Screen(view.say("%(name)s hears that you read it.", name=partner(view)), place=Place.BELOW)
    # Translators: the response was sent
    return Screen(view.say("Sent. %(name)s hears that, and nothing else.", name=partner(view)), place=Place.BELOW)


def reply_wanted(view: View, _: ReplyWanted) -> Screen:
    say = view.say
    # Translators: the receiver is about to write one line back. %(limit)s is 300. "/cancel" is a command.
    text = say(
        "One line to %(name)s, up to %(limit)s characters. You see it once more before it goes. /cancel drops it.",
        name=partner(view),
        limit=LINE_LIMIT,
    )
    return Screen(text, place=Place.BESIDE)


def reply_too_long(view: View, result: ReplyTooLong) -> Screen:
    if result.draft_id is None:
        return Screen(too_long(view))
    # Translators: button; a text that was too long to be sent back is kept as a line of one's own
    keep = button(view.say("Keep it as my line"), KEEP(result.draft_id))
    return Screen(too_long(view), ((keep,),), card=DraftCard(result.draft_id))


def reply_preview(view: View, result: ReplyPreview) -> Screen:
    say, about = view.say, (result.response_id, result.draft_id)
    # Translators: the preview of the line back; the words follow
    text = say("%(name)s would see this:", name=partner(view)) + "\n" + quoted(view.words.get("words", ""))
    rows = (
        # Translators: button; the line back is sent
        (button(say("Send it"), REPLY_SEND(*about)),),
        (
            # Translators: button; the line back is written once more
            button(say("Write it again"), RESPOND(Answer.LINE, result.reflection_id)),
            # Translators: button; the line back is not sent
            button(say("Don't send it"), REPLY_DROP(*about)),
        ),
    )
    return Screen(text, rows, card=DraftCard(result.draft_id) if result.draft_id else None)


def reaction_stays(view: View, _: ReactionStays) -> Screen:
    # Translators: the user put an emoji to a line they have answered before; it isn't sent
    return Screen(view.say("You have answered this one already. What you put to it here is not sent."))


def reply_dropped(view: View, _: ReplyDropped) -> Screen:
    # Translators: the line back was not sent
    return Screen(view.say("Not sent, and not kept."))


MAKERS: Final[Makers] = {
    Announced: announced,
    AnnouncedTogether: announced_together,
    AllLaterWanted: all_later_wanted,
    AllLater: all_later,
    AllNotNow: all_not_now,
    OpenLaterWanted: open_later_wanted,
    OpenLater: open_later,
    NotNow: not_now,
    WaitingShown: waiting_shown,
    Opened: opened,
    AlreadyOpened: already_opened,
    TakenBack: taken_back,
    AlreadyAnswered: already_answered,
    Answered: answered,
    ReplyWanted: reply_wanted,
    ReplyTooLong: reply_too_long,
    ReplyPreview: reply_preview,
    ReactionStays: reaction_stays,
    ReplyDropped: reply_dropped,
}
