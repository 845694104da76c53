"""The receiver's screens of answering: choosing and previewing a Response, and undoing it."""

from datetime import date
from typing import Final

from bot.domain.results.answering import (
    AlreadyAnswered,
    Answered,
    QuestionKept,
    QuestionLeft,
    QuestionReminder,
    QuestionsShown,
    ReactionStays,
    ReplyDropped,
    ReplyPreview,
    ReplyTooLong,
    ReplyWanted,
    UndoneTooLate,
)
from bot.domain.sharing import QUESTIONS, ResponseKind
from bot.domain.typed import LINE_LIMIT
from bot.domain.undecided import Undecided, Waits
from bot.services.names import read_partner_name
from bot.tg.actions import (
    KEEP_QUESTION,
    LEAVE_QUESTION,
    REPLY_AGAIN,
    REPLY_DROP,
    REPLY_SEND,
    RESPOND,
    STEM,
    UNDO,
    Tap,
)
from bot.tg.screens.responses import ready_made, response_text
from bot.tg.screens.screen import Button, Place, Screen, UndecidedCard, View, button, draft_card, named, private, shown
from bot.tg.screens.sharing import partner, quoted, too_long_screen, words_gone


def already_answered(view: View, _: AlreadyAnswered) -> Screen:
    # Translators: a short word over the chat; there is one response to a line, and it was sent
    return Screen(view.say("You have answered this one already."), place=Place.TOAST)


def reply_wanted(view: View, result: ReplyWanted) -> Screen:
    say, about = view.say, result.reflection_id
    stem = next((stem for stem in view.library.stems if stem.id == result.stem), None)
    if stem:
        # Translators: the receiver is about to finish the beginning that follows. "/cancel" is a command.
        first = say("Send me the end of it. You see the whole once more before it goes. /cancel drops it.")
        return Screen(first + "\n" + quoted(view.say.title(stem.text)))
    # Translators: the receiver is about to write one line back. %(limit)s is 300. "/cancel" is a command.
    text = say(
        "One line to %(name)s, up to %(limit)s characters. You see it once more before it goes. /cancel drops it.",
        name=partner(view),
        limit=LINE_LIMIT,
    )
    stems = [stem for stem in view.library.stems if result.wish in stem.wishes]
    if stems:
        # Translators: follows the request to write one line back; below are buttons with beginnings of a sentence
        text += " " + say("Write it your way, or take a beginning:")
    rows = tuple((button(view.say.title(stem.text), STEM(stem.id, about)),) for stem in stems)
    return Screen(text, rows, place=Place.BESIDE)


def reply_too_long(view: View, result: ReplyTooLong) -> Screen:
    return too_long_screen(view, result.draft_id, cut=False)


def reply_preview(view: View, result: ReplyPreview) -> Screen:
    say, about = view.say, (result.response_id, result.draft_id)
    if result.answer == ResponseKind.LINE and not view.words.get("answer"):
        return words_gone(view)
    own = named(view.words["own"]) if view.words.get("own") else say("your partner")
    # Translators: the preview of a response; what the partner will read follows
    text = say("%(name)s would see this:", name=partner(view)) + "\n" + response_text(view, result.answer, own)
    # Translators: button; the line back is sent
    rows: list[tuple[Button, ...]] = [(button(say("Send it"), REPLY_SEND(*about)),)]
    # Translators: button; the line back is not sent
    drop = button(say("Don't send it"), REPLY_DROP(*about))
    if result.answer == ResponseKind.LINE:
        again = REPLY_AGAIN(result.draft_id, result.stem) if result.draft_id else _write(result)
        # Translators: button; the line back is written once more
        rows.append((button(say("Write it again"), again), drop))
    elif result.answer in QUESTIONS:
        # Translators: button; the question isn't sent: the user is reminded of it, to ask it face to face
        rows.append((button(say("Keep it, to ask in person"), KEEP_QUESTION(result.response_id)),))
        rows.append((drop,))
    else:
        rows.append((drop,))
    waits = Undecided(Waits.RESPONSE, result.reflection_id)
    card = draft_card(result.draft_id) if result.draft_id else UndecidedCard(waits)
    return Screen(text, tuple(rows), place=Place.BESIDE if result.beside else Place.HERE, card=card)


def _write(result: ReplyPreview) -> Tap:
    about = result.reflection_id
    return STEM(result.stem, about) if result.stem else RESPOND(ResponseKind.LINE, about)


def answered(view: View, result: Answered) -> Screen:
    say, name = view.say, partner(view)
    if not result.response_id:
        # Translators: the response was sent
        return Screen(say("Sent. %(name)s hears that, and nothing else.", name=name), place=Place.BELOW)
    # Translators: the response was confirmed, and is held back for half a minute so that it can be undone
    text = say("On its way. %(name)s gets that in half a minute, and nothing else.", name=name)
    # Translators: button; the response isn't sent after all
    return Screen(text, ((button(say("Undo"), UNDO(result.response_id)),),))


def undone_too_late(view: View, _: UndoneTooLate) -> Screen:
    # Translators: in place of "On its way.", after a tap on "Undo"; a response can be undone for half a minute
    return Screen(view.say("It has gone out already."))


def reaction_stays(view: View, _: ReactionStays) -> Screen:
    # Translators: the user put an emoji to a line they have answered before; it isn't sent
    return Screen(view.say("You have answered this one already. What you added here is not sent."))


def reply_dropped(view: View, _: ReplyDropped) -> Screen:
    # Translators: the line back was not sent
    return Screen(view.say("Not sent, and not kept."))


def questions_shown(view: View, result: QuestionsShown) -> Screen:
    say, about = view.say, result.reflection_id
    # Translators: the partner's wish was to be asked later. Below are buttons with ready questions.
    text = say("One question is plenty. You can send it, or keep it and ask it yourself some other day.")
    answers = (*QUESTIONS, ResponseKind.TALK)
    return Screen(
        text, tuple((button(ready_made(say, each), RESPOND(each, about)),) for each in answers), place=Place.BESIDE
    )


def question_kept(view: View, result: QuestionKept) -> Screen:
    say = view.say
    # Translators: a question is kept for the user alone. %(when)s is like "tomorrow at 18:00".
    text = say("Kept for you. I'll bring it up %(when)s; nobody else hears of it.", when=view.when(result.at))
    # Translators: button; the user doesn't want to be reminded of the question
    return Screen(text, ((button(say("Drop it after all"), LEAVE_QUESTION(result.question_id)),),))


def question_left(view: View, _: QuestionLeft) -> Screen:
    # Translators: the kept question was dropped
    return Screen(view.say("All right. I won't bring it up."))


def question_reminder(view: View, _: QuestionReminder) -> Screen:
    say = view.say
    question = view.words.get("question")
    if question not in set(QUESTIONS):
        return words_gone(view)
    # Translators: a private reminder of a question that the user wanted to ask their partner face to face; it follows.
    # %(date)s is like "Sunday, 22 November".
    text = say(
        "On %(date)s you kept a question about a line that you had opened, to ask in person if it still fits:",
        date=view.date(date.fromisoformat(view.words["kept_on"])),
    )
    return Screen(text + "\n" + quoted(ready_made(say, ResponseKind(question))), place=Place.BELOW)


SCREENS: Final = (
    shown(AlreadyAnswered, already_answered),
    private(ReplyWanted, reply_wanted, lambda use: use.receiving.read_name_of),
    private(ReplyTooLong, reply_too_long, lambda use: use.answering.read_length),
    private(ReplyPreview, reply_preview, lambda use: use.answering.read_reply),
    private(Answered, answered, lambda _: read_partner_name),
    shown(UndoneTooLate, undone_too_late),
    shown(ReactionStays, reaction_stays, lambda _: read_partner_name),
    shown(ReplyDropped, reply_dropped),
    private(QuestionsShown, questions_shown, lambda use: use.receiving.read_name_of),
    private(QuestionKept, question_kept),
    shown(QuestionLeft, question_left),
    private(QuestionReminder, question_reminder, lambda use: use.answering.read_question),
)
