"""Screens of the Ask: the question, and what a user can do with it."""

from datetime import date
from typing import Final

from bot.domain.callbacks import open_day_opens_with
from bot.domain.content import Prompt
from bot.domain.model import AskOpening, Step
from bot.domain.results import (
    Asked,
    AskPassed,
    CalledBack,
    Came,
    FirstAskPlanned,
    LaterWanted,
    NoOther,
    NothingOpen,
    Skipped,
    Snoozed,
    StaysOpen,
    TodayAnswered,
)
from bot.domain.times import Later
from bot.i18n import Markup, Say
from bot.tg.actions import (
    ANOTHER,
    BRING_BACK,
    CALLBACKS,
    DAILY,
    EXAMPLES,
    HOUR_FIRST,
    LATER,
    LIGHTER,
    SKIP,
    SNOOZE,
    THEMES,
)
from bot.tg.screens.lines import deleted_text
from bot.tg.screens.pairing import nowhere
from bot.tg.screens.screen import AskCard, Button, Place, Screen, View, button, private, shown
from bot.tg.screens.sharing import quoted, with_question


def asked(view: View, result: Asked) -> Screen:
    say = view.say
    prompt = view.library.prompts.get(result.prompt_id or "")
    if prompt is None:
        return _no_question(view, result)
    ask = result.ask_id
    text = say.content(prompt.text)
    if result.examples:
        text += f"\n\n{_examples(view, prompt)}"
    if view.user and view.user.step is not Step.READY:
        return _first_asked(view, result, text)
    swaps = (
        # Translators: button under the question; another question comes in its place
        button(say("Another one"), ANOTHER(ask)),
        # Translators: button under the question; a less personal question comes in its place
        button(say("Something lighter"), LIGHTER(ask)),
    )
    return _put(view, result, text, swaps, (_examples_switch(view, result),))


def _put(view: View, result: Asked | CalledBack, text: str, *choices: tuple[Button, ...]) -> Screen:
    """Show an Ask with its opening and note, and with the buttons to put it off below its own."""
    say = view.say
    daily: tuple[tuple[Button, ...], ...] = ()
    if result.opening:
        text = f"{_opening(view, AskOpening(result.opening))}\n\n{text}"
    if result.next_at:
        when = view.when(result.next_at)
        if isinstance(result, Asked) and result.prompt_id is None:
            note = say("The next question comes %(when)s.", when=when)
        else:
            # Translators: below a question that the user asked for before its hour. %(when)s: "tomorrow at 20:30"
            note = say("This is the one for today. The next comes %(when)s.", when=when)
        text += f"\n\n<i>{note}</i>"
    if result.opening in {AskOpening.SLOWED, AskOpening.LAST}:
        # Translators: button; the bot had slowed down to once a week, and asks daily again
        daily = ((button(say("Ask me daily again"), DAILY()),),)
    return Screen(
        text,
        (*choices, _put_off(view, result.ask_id), *daily),
        place=Place.HERE if result.here else Place.BELOW,
        card=AskCard(result.ask_id, result.prompt_id if isinstance(result, Asked) else None),
    )


def _examples(view: View, prompt: Prompt) -> str:
    say = view.say
    # Translators: below a question; two lines follow that somebody could answer it with
    intro = say("Somebody might write:")
    return "\n".join((f"<i>{intro}</i>", *(f"– {say.content(example)}" for example in prompt.examples)))


def _examples_switch(view: View, result: Asked) -> Button:
    if result.examples:
        # Translators: button; the examples of answers below the question go away again
        return button(view.say("Just the question"), EXAMPLES(False, result.ask_id))
    # Translators: button under the question; two examples of how somebody could answer it appear below it
    return button(view.say("How others put it"), EXAMPLES(True, result.ask_id))


def _first_asked(view: View, result: Asked, question: str) -> Screen:
    """Show the first question, which comes before we know anything about hour and clock."""
    say = view.say
    # Translators: below the first question that a new user is asked
    note = say("One line is enough. Just write it.")
    text = f"{question}\n\n<i>{note}</i>"
    if result.invite == Came.NOWHERE:
        text = nowhere(view) + "\n\n" + text
    elif result.opening:
        text = f"{_opening(view, AskOpening(result.opening))}\n\n{text}"
    return Screen(
        text,
        (
            (button(say("Another one"), ANOTHER(result.ask_id)),),
            (_examples_switch(view, result),),
            # Translators: button under the first question; leaves it open and goes on to the hour and the clock
            (button(say("Set the hour first"), HOUR_FIRST()),),
        ),
        place=Place.HERE if result.here else Place.BELOW,
        card=AskCard(result.ask_id, result.prompt_id),
    )


def open_day_lines(say: Say) -> tuple[str, ...]:
    """Return the sentences of which an open day begins with one."""
    return (
        # Translators: in place of the day's question, where there is none: an invitation to write whatever there is
        say("Today's line?"),
        # Translators: in place of the day's question, where there is none; another way to say it, at any hour
        say("Today you pick. What's the line about?"),
        # Translators: in place of the day's question, where there is none; another way to say it, at any hour
        say("What's on top right now?"),
        # Translators: in place of the day's question, where there is none; another way to say it, at any hour
        say("What from the last few days is worth a line?"),
        # Translators: in place of the day's question, where there is none; another way to say it, at any hour
        say("What are you carrying around today?"),
    )


def _no_question(view: View, result: Asked) -> Screen:
    """Show a day without a question: every prompt was asked recently, is left out, or is gone."""
    say = view.say
    lines = open_day_lines(say)
    days = [date.fromisoformat(day) for day in view.words.get("open_days", "").split()]
    text = lines[open_day_opens_with(days, len(lines)) if days else 0]
    # Translators: a setting and its button: subjects that are not asked about
    left_out = button(say("Left out"), THEMES())
    if not result.used_up:
        # Translators: below "Today's line?"; the user has left out all the themes that I could ask about
        note = say("I have no question: everything I could ask about is left out. Any line will do.")
        choices: tuple[Button, ...] = (left_out,)
    else:
        # Translators: below "Today's line?"; the user has had all the questions of this year
        note = say("No question today: you've had the ones I have for you. Any line will do.")
        # Translators: button under "Today's line?"; a question that the user has had before comes in its place
        choices = (button(say("An older question"), ANOTHER(result.ask_id)),)
        if view.user and (view.user.muted_themes or view.user.muted_sensitivities):
            # Translators: follows "Any line will do."; a button "Left out" is below
            note += " " + say("There are more among the subjects you've left out.")
            choices += (left_out,)
    rows = [choices]
    if result.offers_callbacks:
        # Translators: follows "Any line will do."; yes and no are buttons below
        note += "\n\n" + say("Or may an older line of yours come back now and then? Still so, done with, or different?")
        offer = (
            # Translators: button; older lines of the user's own may come back as questions
            button(say("Yes, bring them back"), CALLBACKS(True, result.ask_id)),
            # Translators: button; older lines of the user's own stay where they are
            button(say("No, leave them"), CALLBACKS(False, result.ask_id)),
        )
        rows = [*((each,) for each in offer), choices]  # side by side the first is too long for a narrow phone
    return _put(view, result, f"{text}\n\n<i>{note}</i>", *rows)


def called_back(view: View, result: CalledBack) -> Screen:
    """Show one of the user's earlier Lines with its question, without which many a Line says nothing.

    They are hidden until tapped, so that nobody reads them when the phone lights up.
    """
    say = view.say
    words = view.words.get("line")
    if words is None:  # it was deleted in the meantime
        return _no_question(view, Asked(result.ask_id, None, result.here, result.opening, result.next_at, used_up=True))
    day = say.date(date.fromisoformat(view.words["line_day"]), year=True)
    # Translators: above an older line of the user's own. %(day)s is like "Sunday, 22 November 2026".
    intro = say("You wrote on %(day)s:", day=day)
    # Translators: below an older line of the user's own; any line will do as an answer
    ask = say("Still so, done with, or different?")
    text = f"{intro}\n{quoted(Markup(f'<tg-spoiler>{with_question(view, words)}</tg-spoiler>'))}\n{ask}"
    # Translators: button under the question; another question comes in its place
    return _put(view, result, text, (button(say("Another one"), ANOTHER(result.ask_id)),))


def _put_off(view: View, ask_id: int) -> tuple[Button, ...]:
    say = view.say
    return (
        # Translators: button under the question; it can be put off
        button(say("Later"), LATER(ask_id)),
        # Translators: button under the question; no question today, which costs nothing
        button(say("Not today"), SKIP(ask_id)),
    )


def _opening(view: View, opening: AskOpening) -> str:
    say = view.say
    words = {
        # Translators: before the first question after a pause that ended by itself
        AskOpening.RESUMED: say("Your pause is over. Nothing has piled up."),
        # Translators: before a question, after a week without an answer
        AskOpening.SLOWED: say(
            "A week without a line, which is fine. From now on I ask once a week. Write anything and it's daily again."
        ),
        # Translators: before the last question, after a week and four weekly questions without an answer
        AskOpening.LAST: say("This is the last question for now. After it I'm quiet until you write."),
        # Translators: a reminder, which the user has asked for; before the same question
        AskOpening.STILL: say("Still here, in case you want it."),
        # Translators: before a question that this user was asked before, when there are no new ones left
        AskOpening.AGAIN: say("You've had this one before; today is another day."),
        # Translators: before the question again, after "Don't keep it" under a text that would have answered it
        AskOpening.NOT_KEPT: say("Not kept. The question is still open:"),
        # Translators: before the first question again, after "Deleted. …": its line was deleted during the start
        AskOpening.DELETED: deleted_text(view) + " " + say("The question is still open:"),
    }
    return f"<i>{words[opening]}</i>"


def no_other(view: View, result: NoOther) -> Screen:
    if result.lighter:
        # Translators: a short word over the chat; there is no lighter question left
        return Screen(view.say("That's the lightest I have today."), place=Place.TOAST)
    # Translators: a short word over the chat; there is no other question left
    return Screen(view.say("That's all I have for today."), place=Place.TOAST)


def later_wanted(view: View, result: LaterWanted) -> Screen:
    say = view.say
    ask = result.ask_id
    labels = {
        # Translators: button; the question comes back an hour from now
        Later.HOUR: say("In an hour"),
        # Translators: button; the question comes back this evening
        Later.TONIGHT: say("Tonight"),
        # Translators: button; the question comes back tomorrow morning
        Later.MORNING: say("Tomorrow morning"),
    }
    offered = [each for each in Later if each is not Later.TONIGHT or result.tonight]
    choices = [button(labels[each], SNOOZE(each, ask)) for each in offered]
    # Translators: button; back to the question as it was
    back = button(say("Back"), BRING_BACK(ask))
    # Translators: after "Later"; the choices are buttons
    text = say("When should I ask again?")
    if result.unclear:
        text = time_unclear(view) + "\n\n" + text
    # one to a row: two would cut “Tomorrow morning” off on a narrow phone
    return Screen(text, tuple((each,) for each in (*choices, back)))


def time_unclear(view: View) -> str:
    # Translators: what was typed is no time, or none within a week; the examples are ways of writing one
    return view.say("I need a time within a week. Write it like 21:00, in 2 hours or tomorrow evening.")


def snoozed(view: View, result: Snoozed) -> Screen:
    say = view.say
    # Translators: the question was put off. %(when)s is like "today at 21:30".
    text = say("All right. I'll come back with it %(when)s.", when=view.when(result.until))
    return Screen(text, (_show_now(view, result.ask_id),))


def stays_open(view: View, result: StaysOpen) -> Screen:
    say = view.say
    if result.next_at:
        when = view.when(result.next_at)
        # Translators: a question can't be put off, since the next one comes soon. %(when)s is like "today at 20:30".
        text = say("The next question comes %(when)s. Until then this one stays open.", when=when)
    else:
        # Translators: in a pause, a question can't be put off. "/today" is a command and stays as it is.
        text = say("You're paused, so I won't come back by myself. This one stays open; /today shows it.")
    return Screen(text, (_show_now(view, result.ask_id),))


def _show_now(view: View, ask_id: int) -> tuple[Button, ...]:
    # Translators: button; the question comes back at once after all
    return (button(view.say("Show it now"), BRING_BACK(ask_id)),)


def skipped(view: View, result: Skipped) -> Screen:
    say = view.say
    # Translators: after "Not today"; it must not sound disappointed
    text = say("All right, not today.")
    if view.user and view.user.next_ask_at:
        # Translators: %(when)s is like "tomorrow at 20:30"
        text += " " + say("The next one comes %(when)s.", when=view.when(view.user.next_ask_at))
    # Translators: button; the question that was skipped comes back
    return Screen(text, ((button(say("Bring it back"), BRING_BACK(result.ask_id)),),))


def ask_passed(view: View, result: AskPassed) -> Screen:
    if result.answered:
        # Translators: a short word over the chat, after a tap under a question that the user has answered
        return Screen(view.say("You have answered that one. If there is more, just write it."), place=Place.TOAST)
    # Translators: a short word over the chat, after a tap under an older question
    return Screen(view.say("That question has passed. /today shows where you are."), place=Place.TOAST)


def today_answered(view: View, result: TodayAnswered) -> Screen:
    say = view.say
    # Translators: /today when today's question is answered
    text = say("You have kept a line today.")
    if result.next_at:
        # Translators: %(when)s is like "tomorrow at 20:30"
        text += " " + say("The next question comes %(when)s.", when=view.when(result.next_at))
    # Translators: follows the sentence that today's line is kept
    return Screen(text + "\n\n" + say("If there is more, just write it."), place=Place.BELOW)


def first_ask_planned(view: View, result: FirstAskPlanned) -> Screen:
    # Translators: at the end of the start, the user waits for the first question. %(when)s is like "today at 20:30".
    return Screen(view.say("All right. Your first question comes %(when)s.", when=view.when(result.first_at)))


def nothing_open(view: View, _: NothingOpen) -> Screen:
    # Translators: /snooze while there is no question to put off. "/today" is a command and stays as it is.
    return Screen(view.say("No question is open right now. /today brings one."))


SCREENS: Final = (
    shown(FirstAskPlanned, first_ask_planned),
    shown(Asked, asked, lambda use: use.asks.read_open_day),
    private(CalledBack, called_back, lambda use: use.asks.read_called_back),
    shown(NoOther, no_other),
    shown(LaterWanted, later_wanted),
    shown(Snoozed, snoozed),
    shown(StaysOpen, stays_open),
    shown(Skipped, skipped),
    shown(AskPassed, ask_passed),
    shown(TodayAnswered, today_answered),
    shown(NothingOpen, nothing_open),
)
