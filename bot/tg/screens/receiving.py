"""The receiver's screens: the announcement, how to receive the line, and its words."""

from typing import Final

from bot.domain.content import Wish
from bot.domain.results.receiving import (
    AllLater,
    AllLaterWanted,
    AllNotNow,
    AlreadyOpened,
    Announced,
    AnnouncedTogether,
    NotNow,
    Opened,
    OpenLater,
    OpenLaterWanted,
    TakenBack,
    WaitingShown,
)
from bot.domain.sharing import OFFERED
from bot.i18n import Markup
from bot.services.names import read_partner_name
from bot.tg.actions import (
    ALL_AT,
    ALL_BACK,
    ALL_LATER,
    ALL_NOT_NOW,
    NOT_NOW,
    OPEN,
    OPEN_AT,
    OPEN_BACK,
    OPEN_LATER,
    OPEN_ONE,
    QUESTIONS,
    RESPOND,
    Action,
)
from bot.tg.screens.asks import time_unclear
from bot.tg.screens.responses import ready_made
from bot.tg.screens.screen import Button, OpenedCard, Place, Screen, View, button, in_rows, private, shown
from bot.tg.screens.sharing import (
    announcement,
    announcement_of_ritual,
    how_to_receive,
    partner,
    quoted,
    safe,
    words_gone,
)

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
    text = announcement_of_ritual if result.ritual else announcement
    return Screen(text(say, partner(view)), rows)


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
    # Translators: button; the announcement of several lines comes again later
    later = button(say("All later"), ALL_LATER(about))
    # Translators: button; several lines stay closed until they are looked for
    none = button(say("None now"), ALL_NOT_NOW(about))
    return Screen(text, (*in_rows(opens, _A_ROW), (later, none)))


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
    text = say("When should I bring it up again?")
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
        rows.append((button(say("Open (%(when)s)", when=view.in_words(moment)), OPEN_ONE(reflection_id)),))
    return Screen(text, tuple(rows), place=Place.BELOW)


def opened(view: View, result: Opened) -> Screen:
    say, about = view.say, result.reflection_id
    words = view.words.get("words")
    if not words:
        return words_gone(view)
    parts: list[str] = [how_to_receive(view, result.wish, result.cue_id, partner(view))]
    # Translators: stands before words that are covered until they are tapped
    parts.append("\n" + say("When you're ready, tap to uncover:"))
    covered = [f"<tg-spoiler>{safe(words)}</tg-spoiler>"]
    if question := view.words.get("question"):
        covered.insert(0, f"<tg-spoiler><b>{say.content(question)}</b></tg-spoiler>")
    parts.append(quoted(Markup("\n".join(covered))))
    # Translators: stands after the words, above the buttons with responses
    parts.append(say("You needn't answer. %(name)s hears only what you choose here.", name=partner(view)))
    if view.user and view.user.discreet:
        # Translators: follows, in discreet mode: the message with the partner's words is removed
        removed = say("In five minutes this message is removed, and can't be opened again.")
        parts[-1] += f" {removed}"
    wish = Wish(result.wish)
    rows = [(button(ready_made(say, answer), RESPOND(answer, about)),) for answer in OFFERED[wish]]
    if wish is Wish.ASK_LATER:
        # Translators: button; leads to questions that can be sent, or kept and asked in person
        rows.append((button(say("A question for another day…"), QUESTIONS(about)),))
    card = OpenedCard(about)
    place = Place.BESIDE if result.beside else Place.BELOW
    return Screen("\n".join(parts), tuple(rows), place=place, protected=True, card=card)


def already_opened(view: View, _: AlreadyOpened) -> Screen:
    # Translators: a short word over the chat, after a tap on an older button of the same line
    return Screen(view.say("You have opened this one already."), place=Place.TOAST)


def taken_back(view: View, result: TakenBack) -> Screen:
    # Translators: the partner has taken the line back before it was opened; without regret or curiosity
    text = view.say("%(name)s has taken this one back. There is nothing to read into it.", name=partner(view))
    return Screen(text, place=Place.BESIDE if result.beside else Place.HERE)


SCREENS: Final = (
    shown(Announced, announced, lambda use: use.receiving.read_name_of),
    shown(AnnouncedTogether, announced_together, lambda _: read_partner_name),
    shown(AllLaterWanted, all_later_wanted),
    shown(AllLater, all_later),
    shown(AllNotNow, all_not_now),
    shown(OpenLaterWanted, open_later_wanted),
    shown(OpenLater, open_later),
    shown(NotNow, not_now),
    shown(WaitingShown, waiting_shown, lambda _: read_partner_name),
    private(Opened, opened, lambda use: use.receiving.read_opened),
    shown(AlreadyOpened, already_opened),
    shown(TakenBack, taken_back, lambda _: read_partner_name),
)
