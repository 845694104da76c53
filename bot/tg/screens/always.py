"""Screens for every state: help, support, and replies to anything we can't handle."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bot.domain.content import Support as Entry
from bot.domain.content import SupportKind, local_support
from bot.domain.model import Step
from bot.domain.results import (
    AnswerLost,
    ArgumentUnclear,
    Cancelled,
    CommandStands,
    Help,
    NothingHere,
    Outdated,
    Preface,
    Sorry,
    StopWanted,
    Support,
    UnknownCommand,
)
from bot.i18n import Say, country_near
from bot.tg.actions import ASK_ERASE, ASK_UNPAIR, PAUSE
from bot.tg.screens.screen import Button, Place, Screen, View, button, folded, hide_button, shown


def help_(view: View, result: Help) -> Screen:
    say = view.say
    lines = (
        # Translators: /help, first paragraph
        say("One small question a day, one line back. It is shown to nobody unless you share it."),
        # Translators: /help, how to answer
        say("Just write your answer when the question is there. Edit your message and the line changes with it."),
        folded("\n".join(f"/{name} · {text}" for name, text in _usable(view, paired=result.paired))),
        # Translators: /help, last paragraph
        say("Nothing here keeps score. A day without a line is a day without a line."),
    )
    return Screen("\n\n".join(lines))


def _usable(view: View, *, paired: bool) -> tuple[tuple[str, str], ...]:
    """Return the commands that the user can use now; before the start is done, only a few."""
    user = view.user
    if user is not None and user.step is Step.READY:
        paused = user.paused_at is not None
        return commands(view.say, paired=paired, paused=paused, receives_only=user.receives_only)
    # Translators: what the command /start does, in /help before the start is done
    start = ("start", view.say("begin, or go on where you were"))
    usable = _ALWAYS if user else _ALWAYS - {"hide", "erase", "export"}
    return (start, *(each for each in all_commands(view.say) if each[0] in usable))


_DIRECTORY: Final = "findahelpline.com"
"""A directory of help lines by country. content/README.md says why this one."""
_ALWAYS: Final = frozenset({"hide", "privacy", "export", "erase", "support", "help"})
"""The commands that work before the start is done."""
_OF_TWO: Final = frozenset({"share", "waiting", "noticed", "ritual", "unpair"})
_OF_ONE: Final = frozenset({"pair", "join"})
_OF_A_PAUSE: Final = frozenset({"resume"})
_OF_QUESTIONS: Final = frozenset({"snooze", "recap"})


def commands(
    say: Say, *, paired: bool = False, paused: bool = False, receives_only: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return the commands that Telegram's menu and /help show: those that such a user can do something with now."""
    hidden = (_OF_ONE if paired else _OF_TWO) | (frozenset() if paused else _OF_A_PAUSE)
    hidden |= _OF_QUESTIONS if receives_only else frozenset()
    return tuple((name, text) for name, text in all_commands(say) if name not in hidden)


def all_commands(say: Say) -> tuple[tuple[str, str], ...]:
    """Return every command that we offer to anybody, with a description."""
    return (
        # Translators: what the command /today does, in the menu
        ("today", say("today's question, now")),
        # Translators: what the command /share does, in the menu
        ("share", say("let your partner see a line, at a time you choose")),
        # Translators: what the command /waiting does, in the menu
        ("waiting", say("what your partner left for you, unopened")),
        # Translators: what the command /settings does, in the menu
        ("settings", say("time, days, depth, quiet hours and the rest")),
        # Translators: what the command /snooze does, in the menu
        ("snooze", say("put today's question off")),
        # Translators: what the command /pause does, in the menu
        ("pause", say("no questions for a while")),
        # Translators: what the command /resume does, in the menu
        ("resume", say("end the pause")),
        # Translators: what the command /pair does, in the menu
        ("pair", say("invite your partner, or see where that is")),
        # Translators: what the command /join does, in the menu
        ("join", say("take an invitation by its code")),
        # Translators: what the command /journal does, in the menu: the user's own lines, page by page
        ("journal", say("your own lines, to look back at")),
        # Translators: what the command /words does, in the menu: the words the user put to lines
        ("words", say("your own words for how it was")),
        # Translators: what the command /recap does, in the menu
        ("recap", say("your last eight weeks, as a picture")),
        # Translators: what the command /noticed does, in the menu: one line about what the partner did
        ("noticed", say("something they did that you noticed")),
        # Translators: what the command /ritual does, in the menu: the pair's weekly moment
        ("ritual", say("your weekly moment together")),
        # Translators: what the command /unpair does, in the menu
        ("unpair", say("end sharing, at once")),
        # Translators: what the command /hide does, in the menu: the bot deletes the messages of this chat
        ("hide", say("clear this chat, as far as I can")),
        # Translators: what the command /privacy does, in the menu
        ("privacy", say("what is stored, and who can read it")),
        # Translators: what the command /export does, in the menu
        ("export", say("everything of yours, as files")),
        # Translators: what the command /erase does, in the menu
        ("erase", say("remove everything I keep of you")),
        # Translators: what the command /support does, in the menu
        ("support", say("if it is too much to carry alone")),
        # Translators: what the command /time does, in the menu
        ("time", say("when I ask")),
        # Translators: what the command /language does, in the menu
        ("language", say("in which language I write")),
        # Translators: what the command /cancel does, in the menu
        ("cancel", say("leave what we're in the middle of")),
        # Translators: what the command /help does, in the menu
        ("help", say("how this works")),
    )


def description(say: Say) -> str:
    """Return the text that Telegram shows in the empty chat (up to 512 characters)."""
    # Translators: shown by Telegram in the empty chat, before somebody starts. Up to 512 characters.
    return say(
        "One small question a day. You answer in one line, and it is shown to nobody unless you share "
        "it with your partner. No streaks, no scores. A door need not be open; ajar is enough."
    )


def short_description(say: Say) -> str:
    """Return the text that Telegram shows on the bot's profile (up to 120 characters)."""
    # Translators: shown by Telegram on the bot's profile and in links to it. Up to 120 characters.
    return say("One small question a day, one private line back.")


def support(view: View, _: Support) -> Screen:
    say = view.say
    return _to_be_hidden(
        view,
        "\n\n".join(
            (
                # Translators: /support; nobody reads the chat, which must be said first
                say("Nobody reads this chat, so nobody notices when it gets bad. Please turn to a person."),
                *_emergency(view),
                # Translators: /support; afraid of the partner
                say(
                    "Afraid of somebody close? Use a phone nobody else sees; this chat stays on yours until you delete "
                    "it."
                ),
                # Translators: /support; no danger, but heavy
                say("Too much to carry alone? One sentence to one person you trust is a start."),
                # Translators: /support; %(directory)s is a page that lists help lines by country
                say(
                    "A help line listens, often at night and without a name: find one at %(directory)s.",
                    directory=_DIRECTORY,
                ),
            )
        ),
    )


def safety_card(view: View) -> Screen:
    """Return the Safety card. It says nothing about the text, and doesn't claim to know what is going on."""
    say = view.say
    text = "\n\n".join(
        (
            # Translators: after a text that may be about a crisis or about fear of somebody; "this" is this message
            say(
                "In case it is as heavy as it sounds: nobody reads this chat, so nobody will notice. I go by words "
                "alone and may be wrong. Nobody is told, and I don't remember it."
            ),
            *_emergency(view),
            # Translators: after that; %(directory)s is a page with help lines by country. "/support" is a command.
            say(
                "A help line listens, often at night and without a name: find one at %(directory)s. /support has more.",
                directory=_DIRECTORY,
            ),
        )
    )
    return _to_be_hidden(view, text)


def _to_be_hidden(view: View, text: str) -> Screen:
    """Show a text that a user may want to hide. People who aren't users get no such button, as we note no messages."""
    return Screen(text, ((hide_button(view.say),),) if view.user else (), private=True)


def _emergency(view: View) -> tuple[str, ...]:
    """Return what to do in danger, and the emergency numbers and help lines that we know for the user's country.

    Every mobile phone takes 112 and 911 as emergency numbers. Source: 3GPP TS 22.101, section 10.1.1.
    """
    say, user = view.say, view.user
    country = country_near(user.zone if user else None, user.telegram_language if user else None)
    known = local_support(view.library.support, country, view.now.date())
    named = [
        # Translators: a line of a list: a help line or emergency service, and how to reach it
        say("%(name)s: %(how)s", name=each.name, how=", ".join(filter(None, (each.number, each.url))))
        for each in known
        if each.name
    ]
    if shipped := {each.kind: each for each in known if not each.name}:
        # Translators: in danger. What to call in one country follows, and what to call elsewhere.
        ask = say("In danger now, from somebody or yourself?")
        # Translators: after what to call in one country. Mobile phones take 112 and 911 for an emergency call.
        elsewhere = say("Elsewhere, mobile phones, even locked, mostly take 112 or 911.")
        danger = "\n".join((ask, _to_call(say, shipped), elsewhere))
    else:
        # Translators: in danger. Mobile phones take 112 and 911 for an emergency call.
        danger = say(
            "In danger now, from somebody or yourself? Call your local emergency number; a mobile phone, even locked, "
            "takes 112 or 911 in most countries."
        )
    return (danger, "\n".join(named)) if named else (danger,)


def _to_call(say: Say, numbers: Mapping[SupportKind, Entry]) -> str:
    """Return the emergency number of a country that has one for all, or else the ambulance's and the police's."""
    country = say.country(next(iter(numbers.values())).country)
    if one := numbers.get(SupportKind.EMERGENCY):
        # Translators: the number for every danger. %(country)s is like "Portugal".
        return say("%(country)s: call %(number)s", country=country, number=one.number)
    # Translators: the numbers of the ambulance and of the police. %(country)s is like "Japan".
    return say(
        "%(country)s: ambulance %(ambulance)s, police %(police)s",
        country=country,
        ambulance=numbers[SupportKind.AMBULANCE].number,
        police=numbers[SupportKind.POLICE].number,
    )


def cancelled(view: View, result: Cancelled) -> Screen:
    if result.something:
        # Translators: /cancel left what the user was in the middle of
        return Screen(view.say("All right. Nothing has changed."))
    # Translators: /cancel when nothing was going on
    return Screen(view.say("There is nothing to cancel."))


def argument_unclear(view: View, result: ArgumentUnclear) -> Screen:
    command = f"/{result.command}"
    # Translators: something stood behind a command that takes nothing. %(command)s is like "/today", and can be tapped.
    text = view.say("I don't know what to do with the words after it. %(command)s works by itself.", command=command)
    if result.command == "today":
        # Translators: follows the sentence that /today works by itself
        text += " " + view.say("An answer you just write, without a command.")
    return Screen(text)


def command_stands(view: View, result: CommandStands) -> Screen:
    command = f"/{result.command}"
    return Screen(
        # Translators: the message of a command was edited, which does nothing. %(command)s is like "/today", and can be
        # tapped.
        view.say(
            "I took that message as it was first sent. To have it done now, send it as a new one: %(command)s",
            command=command,
        )
    )


def stop_wanted(view: View, result: StopWanted) -> Screen:
    say, user = view.say, view.user
    if user is None:
        # Translators: /stop by somebody who has not agreed to anything
        return Screen(say("Nothing is stored of you, and nothing will come."))
    rows: list[tuple[Button, ...]] = []
    if user.step is Step.READY:
        # Translators: button; after /stop: no questions for a while, or until told
        rows.append((button(say("Pause the questions"), PAUSE()),))
    if result.paired:
        # Translators: button; after /stop: end the pair; it is asked once more
        rows.append((button(say("End sharing"), ASK_UNPAIR()),))
    # Translators: button; after /stop: everything is removed; it is asked once more
    rows.append((button(say("Remove everything"), ASK_ERASE()),))
    # Translators: /stop; what can stop follows as buttons
    return Screen(say("What should stop? Nothing has changed yet."), tuple(rows))


def unknown_command(view: View, _: UnknownCommand) -> Screen:
    # Translators: a command the bot doesn't have. "/help" is a command and stays as it is.
    return Screen(view.say("I don't know that command. /help shows the ones I know."))


def outdated(view: View, _: Outdated) -> Screen:
    # Translators: a short word over the chat, after a tap on an old button. "/today" is a command.
    return Screen(view.say("That button is from an earlier time. /today shows where you are."), place=Place.TOAST)


def nothing_here(view: View, _: NothingHere) -> Screen:
    return Screen(
        # Translators: after a tap under an old message about something shared that is gone. "/share" and "/waiting" are
        # commands and stay as they are.
        view.say("That is over, and nothing has changed. /share and /waiting show what there is now."),
        place=Place.BELOW,
    )


def sorry(view: View, result: Sorry) -> Screen:
    # Translators: something failed on our side; %(incident)s is a short code that the operator can look up
    return Screen(
        view.say(
            "Something went wrong on my side, and I couldn't do that. Please send it once more. "
            "If it happens again, this helps whoever runs me: %(incident)s",
            incident=result.incident,
        )
    )


def answer_lost(view: View, _: AnswerLost) -> Screen:
    return Screen(
        # Translators: an answer that had to wait can't be given any more, mostly since the bot was updated in between.
        # "/today" is a command.
        view.say("There was something I still had to say to you, and I lost the words. /today shows where you are."),
        place=Place.BESIDE,
    )


def private_only(say: Say) -> str:
    """Return what the bot says in a group or channel before it leaves."""
    # Translators: said in a group or channel before the bot leaves it
    return say("I'm made for private chats only, so I'm leaving. Write to me there.")


def with_preface(screen: Screen, view: View, preface: Preface) -> Screen:
    """Put the preface before the text of a screen."""
    say = view.say
    language = say.language_name(view.user.language if view.user else say.language)
    lines = {
        # Translators: another language was chosen at the start, whose next question follows
        Preface.LANGUAGE_SET: say("From now on I write in this language: %(language)s.", language=language),
        # Translators: a command was sent at the start that only works later; what is asked there follows once more
        Preface.NOT_YET: say("That works once these first steps are done."),
        # Translators: somebody typed words for their partner, which can't go out any more; the bot asks next whether to
        # keep them as a line
        Preface.UNSENT: say("That can't be sent any more."),
        # Translators: sharing with the partner has ended; no reason, no date, no name. "/pair" is a command.
        Preface.SHARING_ENDED: say(
            "Sharing has ended. Your lines are yours, as before. /pair is there if you ever want it."
        ),
    }
    return replace(screen, text=f"{lines[Preface(preface)]}\n\n{screen.text}")


SCREENS: Final = (
    shown(Help, help_),
    shown(Support, support),
    shown(Cancelled, cancelled),
    shown(UnknownCommand, unknown_command),
    shown(ArgumentUnclear, argument_unclear),
    shown(CommandStands, command_stands),
    shown(StopWanted, stop_wanted),
    shown(Outdated, outdated),
    shown(NothingHere, nothing_here),
    shown(Sorry, sorry),
    shown(AnswerLost, answer_lost),
)
