"""The sharer's screens of a Response and how it landed, and the texts of the ready-made Responses."""

from typing import Final

from bot.domain.results.responses import LandedBadly, LandedWell, LandedWorry, ResponseReceived
from bot.domain.sharing import QUESTIONS, ResponseKind
from bot.i18n import Say
from bot.tg.actions import FOLLOW_UP, LANDED, LANDED_WORRY, WHAT_CAME
from bot.tg.screens.screen import Button, Place, Screen, View, button, private, shown
from bot.tg.screens.sharing import partner, quoted, words_gone


def response_received(view: View, result: ResponseReceived) -> Screen:
    say, about = view.say, result.response_id
    if "name" not in view.words:
        return words_gone(view)
    parts = [response_text(view, result.answer, partner(view))]
    if words := view.words.get("words"):
        parts.insert(0, quoted(words))
    rows: tuple[tuple[Button, ...], ...] = ()
    if result.answer in QUESTIONS and not view.words.get("follow_up"):
        # Translators: button under a question that the partner asks; the user can answer it in one line
        rows = ((button(say("Answer"), FOLLOW_UP(about)),),)
    if view.words.get("expected"):
        # Translators: button under the partner's answer; leads to a private question: what came, after what was feared
        rows = (*rows, (button(say("What came?"), WHAT_CAME(result.reflection_id)),))
    place = Place.BESIDE if result.beside else Place.BELOW
    if result.landed:
        return Screen("\n".join(parts), rows, place=place, protected=True)
    if result.answer == ResponseKind.READ:
        parts.append("")  # nothing else sets the partner's words apart from the bot's
    # Translators: asked privately after the partner's response; the answers are "Yes" and "Not really"
    parts.append(say("Did that land all right? Neither this question nor your answer is shown to anybody else."))
    rows = (
        *rows,
        (
            # Translators: button; the answer to whether the partner's response landed all right
            button(say("Yes"), LANDED(True, about)),
            # Translators: button; the answer to whether the partner's response landed all right
            button(say("Not really"), LANDED(False, about)),
        ),
    )
    return Screen("\n".join(parts), rows, place=place, protected=True)


def response_text(view: View, answer: str, name: str) -> str:
    """Return the text of a Response by somebody called `name`, as its sharer reads it."""
    say = view.say
    if answer == ResponseKind.READ:
        # Translators: what the partner chose to let the sharer know
        return say("%(name)s has read this.", name=name)
    if answer == ResponseKind.LINE:
        # Translators: the partner wrote one line back, which follows
        return say("%(name)s writes back:", name=name) + "\n" + quoted(view.words.get("answer", ""))
    if answer in QUESTIONS:
        # Translators: the partner chose one of the ready questions, which follows
        return say("%(name)s asks:", name=name) + "\n" + quoted(ready_made(say, ResponseKind(answer)))
    # Translators: the partner chose one of the ready responses, which follows
    return say("%(name)s says:", name=name) + "\n" + quoted(ready_made(say, ResponseKind(answer)))


def ready_made(say: Say, answer: ResponseKind) -> str:
    """Return the text of a ready-made Response, which is the same for both."""
    texts = {
        # Translators: a ready response of the receiver, also a button
        ResponseKind.READ: say("I read this"),
        # Translators: a ready response of the receiver, also a button
        ResponseKind.THANKS: say("Thank you for telling me"),
        # Translators: a ready response of the receiver, also a button
        ResponseKind.SENSE: say("That makes sense to me"),
        # Translators: a ready response of the receiver, also a button: the two will talk in person, not here
        ResponseKind.TALK: say("We'll talk about it ourselves"),
        # Translators: a ready response of the receiver, also a button: one curious question
        ResponseKind.HARDEST: say("What was the hardest part?"),
        # Translators: a ready response of the receiver, also a button: one curious question
        ResponseKind.LIKE: say("What was that like for you?"),
        # Translators: a ready response of the receiver, also a button: one curious question
        ResponseKind.KNOW: say("What would you like me to know?"),
        # Translators: a ready response of the receiver, also a button: one curious question
        ResponseKind.MORE: say("Would you tell me more some time?"),
        # Translators: button; the receiver writes an answer of their own
        ResponseKind.LINE: say("Write one line back"),
    }
    return texts[answer]


def landed_well(view: View, result: LandedWell) -> Screen:
    place = Place.BESIDE if result.stays else Place.BELOW
    # Translators: the partner's response landed all right
    return Screen(view.say("Good. Nobody else hears of it."), place=place)


def landed_badly(view: View, result: LandedBadly) -> Screen:
    say = view.say
    # It doesn't name the partner: the Pair may have ended, and this must not be how the user finds out.
    # Translators: the partner's response did not land well, and only the user knows that
    parts = [say("Thank you for saying so. Nobody else hears of it.")]
    if result.lighter:
        # Translators: follows that the partner's response did not land well
        parts.append(say("Your questions get one step lighter from here."))
    # Translators: follows that the partner's response did not land well: the user stays in charge
    parts.append(say("What you share, when, and whether there is a next time, is yours alone to decide."))
    # Translators: button; leads to where one can turn if the partner's response was more than clumsy
    worry = button(say("It worries me"), LANDED_WORRY())
    return Screen(" ".join(parts), ((worry,),), place=Place.BESIDE if result.stays else Place.BELOW)


def landed_worry(view: View, _: LandedWorry) -> Screen:
    # Translators: a partner's response worries the user. "/support" and "/unpair" are commands.
    text = view.say("You needn't do anything about it now. /support says where to turn; /unpair ends sharing at once.")
    return Screen(text, place=Place.BELOW)


SCREENS: Final = (
    private(ResponseReceived, response_received, lambda use: use.responses.read),
    shown(LandedWell, landed_well),
    shown(LandedBadly, landed_badly),
    shown(LandedWorry, landed_worry),
)
