"""Screens of the Follow-up: writing, previewing and undoing it, and reading it as the receiver who asked."""

from typing import Final

from bot.domain.results.follow_ups import FollowUpPreview, FollowUpReceived, FollowUpSent, FollowUpWanted
from bot.domain.sharing import QUESTIONS, ResponseKind
from bot.domain.typed import LINE_LIMIT
from bot.domain.undecided import Undecided, Waits
from bot.services.names import read_partner_name
from bot.tg.actions import FOLLOW_UP, FOLLOW_UP_DROP, FOLLOW_UP_SEND, FOLLOW_UP_UNDO
from bot.tg.screens.responses import ready_made
from bot.tg.screens.screen import Place, Screen, UndecidedCard, View, button, private
from bot.tg.screens.sharing import partner, quoted, too_long_screen, words_gone


def follow_up_wanted(view: View, result: FollowUpWanted) -> Screen:
    if result.too_long:
        return too_long_screen(view, result.draft_id)
    # Translators: the user is about to answer their partner's question. %(limit)s is 300. "/cancel" is a command.
    text = view.say(
        "One line to %(name)s, up to %(limit)s characters. You see it once more before it goes. /cancel drops it.",
        name=partner(view),
        limit=LINE_LIMIT,
    )
    return Screen(text, place=Place.BESIDE)


def follow_up_preview(view: View, result: FollowUpPreview) -> Screen:
    say, about = view.say, result.follow_up_id
    if not (words := view.words.get("words")):
        return words_gone(view)
    # Translators: the preview of the answer to a question; the words follow
    text = say("%(name)s would see this:", name=partner(view)) + "\n" + quoted(words)
    return Screen(
        text,
        (
            # Translators: button; the line back is sent
            (button(say("Send it"), FOLLOW_UP_SEND(about)),),
            (
                # Translators: button; the line back is written once more
                button(say("Write it again"), FOLLOW_UP(result.response_id)),
                # Translators: button; the line back is not sent
                button(say("Don't send it"), FOLLOW_UP_DROP(about)),
            ),
        ),
        card=UndecidedCard(Undecided(Waits.FOLLOW_UP, result.response_id)),
    )


def follow_up_sent(view: View, result: FollowUpSent) -> Screen:
    say = view.say
    # Translators: the response was confirmed, and is held back for half a minute so that it can be undone
    text = say("On its way. %(name)s gets that in half a minute, and nothing else.", name=partner(view))
    # Translators: button; the response isn't sent after all
    return Screen(text, ((button(say("Undo"), FOLLOW_UP_UNDO(result.follow_up_id)),),))


def follow_up_received(view: View, result: FollowUpReceived) -> Screen:
    say = view.say
    words = view.words.get("words")
    if not words or result.question not in set(QUESTIONS):
        return words_gone(view)
    parts = (
        # Translators: the partner answers the question that the user had asked; the question and the answer follow
        say("%(name)s answers your question:", name=partner(view)),
        f"<i>{ready_made(say, ResponseKind(result.question))}</i>",
        quoted(words),
        # Translators: after the partner's answer to a question: the bot carries no more between the two about this
        say("That is one line each way. The rest is yours to talk about."),
    )
    return Screen("\n".join(parts), place=Place.BELOW, protected=True)


SCREENS: Final = (
    private(FollowUpWanted, follow_up_wanted, lambda _: read_partner_name),
    private(FollowUpPreview, follow_up_preview, lambda use: use.follow_ups.read_own),
    private(FollowUpSent, follow_up_sent, lambda _: read_partner_name),
    private(FollowUpReceived, follow_up_received, lambda use: use.follow_ups.read_theirs),
)
