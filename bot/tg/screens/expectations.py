"""The sharer's private screens: what they expect, what came, and how that adds up."""

from collections.abc import Mapping
from typing import Final

from bot.domain.expectations import ENOUGH, Reception
from bot.domain.results.expectations import (
    ExpectationNoted,
    ExpectationOffered,
    ExpectationsOff,
    ExpectationWanted,
    OutcomeNoted,
    OutcomeWanted,
    TallyShown,
)
from bot.i18n import Say
from bot.tg.actions import CAME, EXPECT_STOP, EXPECT_YES, EXPECTED, TALLY, Action
from bot.tg.screens.screen import Button, Place, Screen, View, button, in_rows, private, shown


def receptions(say: Say, action: Action[Reception, int], about: int) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons with the ways in which a line can be received."""
    made = [button(text, action(reception, about)) for reception, text in reception_words(say).items()]
    return in_rows(made)


def reception_words(say: Say) -> Mapping[Reception, str]:
    """Return the ways in which a line can be received."""
    return {
        # Translators: button; how a line was received, or is expected to be: somebody laughs at it
        Reception.LAUGHED_AT: say("Laughed at"),
        # Translators: button; how a line was received, or is expected to be: with advice that wasn't asked for
        Reception.ADVICE: say("Advice"),
        # Translators: button; how a line was received, or is expected to be: nothing comes back
        Reception.SILENCE: say("Silence"),
        # Translators: button; how a line was received, or is expected to be: well
        Reception.FINE: say("It's fine"),
    }


def what_do_you_expect(say: Say) -> str:
    # Translators: asked privately before a line goes out; the answers are "Laughed at", "Advice", "Silence" and so on
    return say("Just for you: what do you expect?")


def expectation_offered(view: View, result: ExpectationOffered) -> Screen:
    say = view.say
    # Translators: explains something optional and private about sharing; %(n)s is 8
    text = say(
        "One tap before a line goes out: what do you expect? One after an answer: what came? After "
        "%(n)s lines I'll tell you how often the worst came. It is shown to nobody else.",
        n=ENOUGH,
    )
    # Translators: button; yes to being asked privately what one expects of sharing a line
    return Screen(text, ((button(say("Yes, ask me"), EXPECT_YES(result.reflection_id)),),), place=Place.BESIDE)


def expectation_wanted(view: View, result: ExpectationWanted) -> Screen:
    say = view.say
    # Translators: button; one doesn't want to be asked any more what one expects
    stop = button(say("Don't ask me that any more"), EXPECT_STOP())
    return Screen(what_do_you_expect(say), (*receptions(say, EXPECTED, result.reflection_id), (stop,)))


def expectation_noted(view: View, _: ExpectationNoted) -> Screen:
    # Translators: what one expects was noted privately
    return Screen(view.say("Noted, for you alone. If an answer comes, I ask what came."), place=Place.BESIDE)


def expectations_off(view: View, _: ExpectationsOff) -> Screen:
    # Translators: one isn't asked any more what one expects
    return Screen(view.say("I won't ask that any more. What was noted is gone."))


def outcome_wanted(view: View, result: OutcomeWanted) -> Screen:
    # Translators: asked privately after an answer; the answers are "Laughed at", "Advice", "Silence", "It's fine"
    return Screen(view.say("And what came?"), receptions(view.say, CAME, result.reflection_id), place=Place.BESIDE)


def outcome_noted(view: View, result: OutcomeNoted) -> Screen:
    say = view.say
    # Translators: what came was noted privately
    text = say("Noted, for you alone.")
    if result.told and "lines" in view.words:
        return Screen(text + "\n" + _sentence(view))
    # Translators: button; shows how often the worst was expected, and how often it came
    rows = ((button(say("How it adds up"), TALLY()),),) if "lines" in view.words else ()
    return Screen(text, rows)


def tally_shown(view: View, _: TallyShown) -> Screen:
    if "lines" not in view.words:
        # Translators: there are fewer than %(n)s lines yet, so nothing can be said about them
        return Screen(view.say("It takes %(n)s lines to say anything about that.", n=ENOUGH))
    return Screen(_sentence(view))


def _sentence(view: View) -> str:
    say, words = view.say, view.words
    lines, feared, came = (int(words[name]) for name in ("lines", "feared", "came"))
    # Translators: %(n)s is how many lines were shared; "expected" and "came" follow: "Eight lines: five times you …"
    first = say.plural("%(n)s line so far.", "%(n)s lines so far.", lines)
    # Translators: how often one expected to be laughed at, advised or ignored
    second = say.plural("%(n)s time you expected the worst.", "%(n)s times you expected the worst.", feared)
    # Translators: how often it really was so, after one had expected it
    third = say.plural("%(n)s time it came.", "%(n)s times it came.", came)
    return f"{first} {second} {third}"


SCREENS: Final = (
    private(ExpectationOffered, expectation_offered),
    private(ExpectationWanted, expectation_wanted),
    private(ExpectationNoted, expectation_noted),
    shown(ExpectationsOff, expectations_off),
    private(OutcomeWanted, outcome_wanted),
    private(OutcomeNoted, outcome_noted, lambda use: use.expectations.read_tally),
    private(TallyShown, tally_shown, lambda use: use.expectations.read_tally),
)
