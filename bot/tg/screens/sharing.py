"""The sharer's screens. Nothing here depends on what the receiver does until the receiver answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from bot.domain.characters import beginning
from bot.domain.content import Wish
from bot.domain.results.sharing import (
    DayWanted,
    LeftPrivate,
    OpenedBefore,
    Reworded,
    RewordPreview,
    RewordTooLong,
    RewordWanted,
    ShareAgain,
    Shared,
    ShareHourWanted,
    ShareList,
    SharePreview,
    ShareShown,
    TooSoon,
    WhenWanted,
    WhichTime,
    WishWanted,
    Withdrawn,
)
from bot.domain.sharing import When
from bot.domain.typed import LINE_LIMIT
from bot.domain.undecided import Undecided, Waits
from bot.i18n import Markup, Say
from bot.services.names import read_partner_name
from bot.tg.actions import (
    EXPECT,
    EXPECTED,
    KEEP,
    SHARE,
    SHARE_AT,
    SHARE_BACK,
    SHARE_DAY,
    SHARE_DAYS,
    SHARE_DROP,
    SHARE_HOW,
    SHARE_NAMED,
    SHARE_PAGE,
    SHARE_QUESTION,
    SHARE_SEE,
    SHARE_SHOW,
    SHARE_SOON,
    SHARE_SURE,
    SHARE_TIME,
    SHARE_USE,
    SHARE_USE_SURE,
    SHARE_WHEN,
    SHARE_WISH,
    SHARE_WORDS,
    Action,
    Tap,
)
from bot.tg.screens.expectations import receptions, what_do_you_expect
from bot.tg.screens.screen import (
    Button,
    Place,
    Screen,
    UndecidedCard,
    View,
    button,
    draft_card,
    in_rows,
    named,
    private,
    shown,
    upper,
)

_HOURS_A_ROW: Final = 4
_LONG_WORD: Final = 20
_GLIMPSE: Final = 90
"""How many characters of a Line a list shows."""
_SHOWN_AGAIN: Final = 3_000
"""How many characters of a text are shown again, so that it fits into a message with what we ask about it."""


def partner(view: View) -> str:
    """Return the partner's name for use in a sentence."""
    # Translators: stands for the partner's name where there is none; within or at the beginning of a sentence
    return named(view.words["name"]) if view.words.get("name") else view.say("your partner")


def safe(words: str) -> Markup:
    """Return somebody's words, escaped for HTML."""
    return words if isinstance(words, Markup) else Markup(escape(words, quote=False))


def quoted(words: str) -> Markup:
    """Return somebody's words as a quote; the newline leaves a gap below it, which Telegram doesn't add on its own."""
    return Markup(f"<blockquote>{safe(words)}</blockquote>\n")


def text_again(view: View) -> str:
    """Return the text of a Draft whose message is gone, to stand before what we ask about it; otherwise ""."""
    text = view.words.get("draft", "")
    return quoted(glimpse(text, _SHOWN_AGAIN)) if text else ""


@dataclass(frozen=True, slots=True)
class WishWords:
    """A Wish in words."""

    choice: str
    """The words on its button, and wherever it is named."""
    told: str
    """The sentence to the receiver, before the words."""
    now: str
    """The sentence to the sharer, about a Reflection that has this Wish."""


def wish_words(say: Say, name: str = "") -> Mapping[Wish, WishWords]:
    """Return the words for each Wish; `name` is the sharer's name, as the receiver sees it."""
    return {
        Wish.LISTEN: WishWords(
            # Translators: button; how the user wants a line to be received by the partner
            choice=say("Just listen"),
            # Translators: said to the receiver, before the words. %(name)s is the one who shares.
            told=say("%(name)s would like you to just listen.", name=name),
            # Translators: how the user wants a line to be received, as it is set now
            now=say("Your wish: just listen."),
        ),
        Wish.ASK_LATER: WishWords(
            # Translators: button; how the user wants a line to be received by the partner
            choice=say("Ask me about it later"),
            # Translators: said to the receiver, before the words. %(name)s is the one who shares.
            told=say("%(name)s would like you to ask about it later.", name=name),
            # Translators: how the user wants a line to be received, as it is set now
            now=say("Your wish: ask me about it later."),
        ),
        Wish.ADVICE: WishWords(
            # Translators: button; how the user wants a line to be received by the partner
            choice=say("Advice is welcome"),
            # Translators: said to the receiver, before the words. %(name)s is the one who shares.
            told=say("%(name)s would welcome your advice.", name=name),
            # Translators: how the user wants a line to be received, as it is set now
            now=say("Your wish: advice is welcome."),
        ),
    }


def how_to_receive(view: View, wish: str, cue_id: str, name: str) -> Markup:
    """Return the text before the words of an opened Reflection: the Wish of the sharer, called `name`, and the Cue."""
    told = Markup(wish_words(view.say, name)[Wish(wish)].told)
    return Markup("\n".join(part for part in (told, cue(view, cue_id)) if part))


def with_question(view: View, words: str) -> Markup:
    """Return the words as the receiver sees them, under the question that goes with them, if there is one."""
    question = view.words.get("question")
    return Markup(f"<b>{view.say.content(question)}</b>\n{safe(words)}" if question else safe(words))


def question_button(view: View, reflection_id: int, action: Action[bool, int]) -> tuple[tuple[Button, ...], ...]:
    """Return a row with the button that takes the question off, or puts it back; none if there is no question."""
    if view.words.get("question"):
        # Translators: button; the partner will see the user's line without the question that it answers
        return ((button(view.say("Without the question"), action(False, reflection_id)),),)
    if view.words.get("without"):
        # Translators: button; the partner will see the user's line with the question that it answers
        return ((button(view.say("With the question"), action(True, reflection_id)),),)
    return ()


def cue(view: View, cue_id: str) -> Markup:
    text = next((cue.text for cue in view.library.cues if cue.id == cue_id), None)
    return Markup(f"<i>{view.say.content(text)}</i>" if text else "")


def announcement_of_ritual(say: Say, name: str) -> Markup:
    # Translators: said to the receiver at the weekly moment, without anything of what was put in
    return Markup(say("It's your weekly moment: %(name)s left you a line.", name=name))


def announcement(say: Say, name: str, lines: int = 1) -> Markup:
    # Translators: said to the receiver when something was shared, without anything of what is in it
    text = say.plural(
        "%(name)s left you a line. For a quiet minute.",
        "%(name)s left you %(n)s lines. For a quiet minute.",
        lines,
        name=name,
    )
    return Markup(text)


def wishes(view: View, taking: Callable[[Wish], Tap]) -> tuple[tuple[Button, ...], ...]:
    """Return a button for each Wish; `taking` makes its Tap. A Noticed line offers no advice."""
    words = wish_words(view.say)
    fit = [wish for wish in Wish if not (wish is Wish.ADVICE and view.words.get("noticed"))]
    return tuple((button(words[wish].choice, taking(wish)),) for wish in fit)


def _wishes(view: View, reflection_id: int, set_for: datetime | None = None) -> tuple[tuple[Button, ...], ...]:
    about = _about(reflection_id, set_for)
    return wishes(view, lambda wish: SHARE_WISH(wish, *about))


def _about(reflection_id: int, set_for: datetime | None) -> tuple[datetime | None, int]:
    """Return the last values of a button. Its time makes it ineffective once the Reflection is rescheduled."""
    return set_for, reflection_id


def _reword_button(view: View, reflection_id: int) -> Button:
    # Translators: button; the partner sees other words, the user's own line stays as it is
    return button(view.say("Word it differently"), SHARE_WORDS(reflection_id))


def _take_back_button(view: View, reflection_id: int) -> Button:
    # Translators: button; what was shared is not to be seen after all
    return button(view.say("Take it back"), SHARE_BACK(reflection_id))


def _private_button(view: View, reflection_id: int) -> Button:
    # Translators: button; the line is not shared
    return button(view.say("Keep it private"), SHARE_DROP(reflection_id))


def share_preview(view: View, result: SharePreview) -> Screen:
    say, reflection_id = view.say, result.reflection_id
    text = "\n".join(
        (
            # Translators: the preview before sharing; the line's words follow
            say("%(name)s would see these words:", name=partner(view)),
            quoted(with_question(view, view.words.get("words", ""))),
            # Translators: asked below the preview. The answers are buttons: just listen, ask later, advice.
            say("Nothing has gone out. How would you like it to be received?"),
        )
    )
    named: tuple[tuple[Button, ...], ...] = ()
    if view.words.get("named"):
        # Translators: button; adds the word for a feeling that the user put to the line to what the partner will see
        named = ((button(say("Add my word for it"), SHARE_NAMED(reflection_id)),),)
    last = (_reword_button(view, reflection_id), _private_button(view, reflection_id))
    rows = (*_wishes(view, reflection_id), *named, *question_button(view, reflection_id, SHARE_QUESTION), last)
    about = Undecided(Waits.REWORDING if result.reworded else Waits.SHARE, reflection_id)
    return Screen(text, rows, place=Place.HERE if result.here else Place.BESIDE, card=UndecidedCard(about))


def share_again(view: View, result: ShareAgain) -> Screen:
    say, reflection_id = view.say, result.reflection_id
    text = "\n".join(
        (
            # Translators: the bot was put back to an earlier state; the words that were set to be shared follow
            say("I was set back to an earlier time, and may have forgotten that you took this back:"),
            quoted(view.words.get("words", "")),
            # Translators: after a line that was set to be shared. Answers are buttons: just listen, ask later, advice
            say(
                "So it doesn't go to %(name)s unless you say so once more. If you want it to go, how "
                "would you like it to be received?",
                name=partner(view),
            ),
        )
    )
    rows = (*_wishes(view, reflection_id), (_private_button(view, reflection_id),))
    return Screen(text, rows, place=Place.BESIDE, card=_about_sharing(reflection_id, None))


def when_wanted(view: View, result: WhenWanted) -> Screen:
    say, reflection_id = view.say, result.reflection_id
    own = named(view.words.get("own", ""))
    parts = [
        # Translators: heads the full preview before sharing
        say("What %(name)s gets. First only this:", name=partner(view)),
        quoted(announcement(say, own)),
        # Translators: in the preview before sharing: what the partner sees after tapping "Open"
        say("Once they open it, this; the words stay covered until tapped:"),
        quoted(
            Markup(
                how_to_receive(view, result.wish, result.cue_id, own)
                + "\n\n"
                + with_question(view, view.words.get("words", ""))
            )
        ),
    ]
    if result.too_soon:
        # Translators: the time that the user picked has passed meanwhile
        parts.append(say("That time has gone by."))
    elif result.deep:
        # Translators: below the preview of a very personal line; "it" is the line
        parts.append(say("Sleep on it? It's the same line in the morning."))
    parts.append(
        # Translators: asked below the preview; the answers are buttons with times
        say("When should it go out? You can change it until then, and take it back until it's opened.")
    )
    about = _about(reflection_id, result.set_for)
    rows = [(_when_button(view, about, when, moment),) for when, moment in result.choices]
    # Translators: button; the user picks a day and an hour
    rows.append((button(say("Another time…"), SHARE_DAYS(*about)),))
    # Translators: button; back to what stood there before
    back = button(say("Leave it as it is"), SHARE_SHOW(reflection_id))
    rows.append((_private_button(view, reflection_id) if result.drafted else back,))
    return Screen("\n".join(parts), tuple(rows), card=_about_sharing(reflection_id, result.set_for))


def _when_button(view: View, about: tuple[datetime | None, int], when: str, moment: datetime) -> Button:
    say, clock = view.say, view.clock(moment)
    texts = {
        # Translators: button; when a line goes out. %(clock)s is like 20:30.
        When.QUARTER: say("In 15 minutes (%(clock)s)", clock=clock),
        # Translators: button; when a line goes out
        When.HOUR: say("In an hour (%(clock)s)", clock=clock),
        # Translators: button; when a line goes out
        When.TONIGHT: say("Tonight (%(clock)s)", clock=clock),
        # Translators: button; when a line goes out
        When.MORNING: say("Tomorrow morning (%(clock)s)", clock=clock),
        # Translators: button; when a line goes out. %(when)s is like "Sun 19:00".
        When.RITUAL: say("At our moment (%(when)s)", when=view.weekday_and_clock(moment)),
    }
    if when in {When.QUARTER, When.HOUR}:
        return button(texts[When(when)], SHARE_AT(When(when), *about))
    # Even if tapped on another day, it means the day for which it was made.
    return button(texts[When(when)], SHARE_TIME(moment, *about))


def day_wanted(view: View, result: DayWanted) -> Screen:
    say = view.say
    # Translators: the user picks a day, or types a day and an hour
    text = say("Which day? Or type day and hour, like “Friday 19:30”.")
    if result.unclear:
        # Translators: the day and hour that were typed could not be read
        text = say("I couldn't read a time in that. Try it like “Friday 19:30”, or pick a day.")
    if result.which:
        # Translators: the day that was typed can be one or the other; both follow as buttons
        text = say("That can be two days. Which one do you mean?")
    about = _about(result.reflection_id, result.set_for)
    days = [button(view.date(day), SHARE_DAY(day, *about)) for day in result.days]
    rows = (*((day,) for day in days), (_back(view, result.reflection_id),))
    return Screen(text, rows, card=_about_sharing(result.reflection_id, result.set_for))


def _back(view: View, reflection_id: int) -> Button:
    # Translators: button; back to the times on offer
    return button(view.say("Back"), SHARE_WHEN(reflection_id))


def which_time(view: View, result: WhichTime) -> Screen:
    about = _about(result.reflection_id, result.set_for)
    times = [(button(upper(view.in_words(moment)), SHARE_TIME(moment, *about)),) for moment in result.times]
    # Translators: the time that was typed can be one or another; they follow as buttons
    text = view.say("That can be more than one time. Which one do you mean?")
    rows = (*times, (_back(view, result.reflection_id),))
    return Screen(text, rows, card=_about_sharing(result.reflection_id, result.set_for))


def share_hour_wanted(view: View, result: ShareHourWanted) -> Screen:
    say, about = view.say, _about(result.reflection_id, result.set_for)
    hours = [button(view.clock(moment), SHARE_TIME(moment, *about)) for moment in result.hours]
    # Translators: button; back to the days
    back = (button(say("Back"), SHARE_DAYS(*about)),)
    # Translators: the user picks an hour of that day, or types day and hour. %(day)s is like "Friday, 27 November".
    text = say(
        "%(day)s: at what time? Or type day and hour, like “Friday 19:45”.",
        day=view.day(next(iter(result.hours), view.now)),
    )
    rows = (*in_rows(hours, _HOURS_A_ROW), back)
    return Screen(text, rows, card=_about_sharing(result.reflection_id, result.set_for))


def too_soon(view: View, result: TooSoon) -> Screen:
    say = view.say
    back = (_back(view, result.reflection_id),)
    card = _about_sharing(result.reflection_id, result.set_for)
    if result.far:
        # Translators: the time that was typed is more than a year ahead
        return Screen(say("That is more than a year away. Try a nearer day."), (back,), card=card)
    earliest, about = result.earliest, _about(result.reflection_id, result.set_for)
    # Translators: the time that was typed is too near, or over. %(when)s is like "today at 20:30".
    text = say("That is a little soon. The earliest is %(when)s.", when=view.when(earliest))
    return Screen(text, ((button(upper(view.in_words(earliest)), SHARE_SOON(earliest, *about)),), back), card=card)


def second_yes(view: View, yes: Tap, no: Tap, about: Undecided) -> Screen:
    """Ask for a second yes before words go out that sound like a crisis or like fear of somebody."""
    say = view.say
    text = "\n".join(
        (
            # Translators: before a line is shared that sounds very heavy; the words follow
            say("One more look, before %(name)s can see this:", name=partner(view)),
            quoted(view.words.get("words", "")),
            # Translators: under the words; only the sharer sees this. "/support" is a command.
            say(
                "This question is for you alone. A line goes out later, and may lie unopened. If it is as heavy as it "
                "sounds, call somebody or go to them; /support says where else to turn. Share it all the same?"
            ),
        )
    )
    # Translators: button; the line is shared, as chosen before
    go_on = button(say("Yes, share it"), yes)
    # Translators: button; the line isn't shared
    leave = button(say("Keep it to myself"), no)
    return Screen(text, ((go_on,), (leave,)), card=UndecidedCard(about))


def shared(view: View, result: Shared) -> Screen:
    if view.words.get("unsure"):
        about = Undecided(Waits.SHARE, result.reflection_id)
        return second_yes(view, SHARE_SURE(result.at, result.reflection_id), SHARE_DROP(result.reflection_id), about)
    say = view.say
    text = "\n".join(
        (
            # Translators: the line is set to go out. %(when)s is like "today at 20:30", in the user's own clock.
            say("Set for %(when)s, for %(name)s:", when=view.when(result.at), name=partner(view)),
            quoted(view.words.get("words", "")),
            # Translators: what the sharer can expect. It must stay true whenever the partner opens it, or never does.
            say(
                "%(name)s is told then that there is a line, or later if it's a bad hour. You can change it "
                "until then, and take it back until it's opened. You'll hear what %(name)s chooses to answer, "
                "if anything.",
                name=partner(view),
            ),
        )
    )
    # Translators: button; what is set to be shared can be changed
    change = button(say("Change"), SHARE_SHOW(result.reflection_id))
    rows: tuple[tuple[Button, ...], ...] = ((change, _take_back_button(view, result.reflection_id)),)
    if result.expects:
        text += "\n\n" + what_do_you_expect(say)
        return Screen(text, (*receptions(say, EXPECTED, result.reflection_id), *rows))
    # Translators: button; leads to a private question about what one expects of sharing a line
    return Screen(text, (*rows, (button(say("What do I expect?"), EXPECT(result.reflection_id)),)))


def share_shown(view: View, result: ShareShown) -> Screen:
    say, reflection_id = view.say, result.reflection_id
    when, name = view.when(result.at), partner(view)
    rows: tuple[tuple[Button, ...], ...] = ()
    if result.due:
        # Translators: a line whose time has come; it is not said whether it was opened
        first = say("This was set for %(when)s, for %(name)s:", when=when, name=name)
        # Translators: what can be done with a line whose time has come
        last = say(
            "Its time has come, so it stays as it is. Until it is opened you can take it back; if you try that too "
            "late, I say so."
        )
    else:
        first = say("Set for %(when)s, for %(name)s:", when=when, name=name)
        last = _current_wish(view)
        rows = (
            (_reword_button(view, reflection_id),),
            *question_button(view, reflection_id, SHARE_QUESTION),
            (
                # Translators: button; the time can be changed
                button(say("Another time"), SHARE_WHEN(reflection_id)),
                # Translators: button; how it shall be received can be changed
                button(say("How it's received"), SHARE_HOW(reflection_id)),
            ),
        )
    text = "\n".join((first, quoted(with_question(view, view.words.get("words", ""))), last))
    rows = (*rows, (_take_back_button(view, reflection_id),))
    return Screen(text, rows, place=Place.HERE if result.here else Place.BESIDE)


def _current_wish(view: View) -> str:
    say = view.say
    wish = wish_words(say)[Wish(view.words.get("wish") or Wish.LISTEN)].now
    if hint := cue(view, view.words.get("cue_id", "")):
        # Translators: after "Your wish: just listen.": what the partner reads with it. %(hint)s is a sentence.
        return wish + "\n" + say("With it goes this hint: %(hint)s", hint=hint)
    return wish


def wish_wanted(view: View, result: WishWanted) -> Screen:
    say, reflection_id = view.say, result.reflection_id
    back = button(say("Leave it as it is"), SHARE_SHOW(reflection_id))
    return Screen(
        # Translators: the answers are buttons: just listen, ask later, advice
        say("How would you like it to be received?"),
        (*_wishes(view, reflection_id, result.set_for), (back,)),
    )


def reword_wanted(view: View, result: RewordWanted) -> Screen:
    say = view.say
    text = "\n".join(
        (
            # Translators: the user is about to type other words for the partner; the present ones follow
            say("Send me the words for %(name)s. Your own line stays as it is. Now it would be:",
                name=partner(view)),
            quoted(view.words.get("words", "")),
            # Translators: after the request for other words
            say("Nothing changes before you've seen it again."),
        )
    )  # fmt: skip
    return Screen(text, ((button(say("Leave it as it is"), SHARE_SHOW(result.reflection_id)),),))


def reword_too_long(view: View, result: RewordTooLong) -> Screen:
    leave = button(view.say("Leave it as it is"), SHARE_SHOW(result.reflection_id))
    return too_long_screen(view, result.draft_id, (leave,))


def too_long(view: View) -> str:
    if view.length is None:
        # Translators: the text is longer than allowed. %(limit)s is 300.
        return view.say(
            "That's too long: %(limit)s characters fit. Shorten it and send it once more.", limit=LINE_LIMIT
        )
    # Translators: the text is longer than allowed. %(n)s is its length, %(limit)s is 300.
    return view.say.plural(
        "That's %(n)s character, and %(limit)s fit. Shorten it and send it once more.",
        "That's %(n)s characters, and %(limit)s fit. Shorten it and send it once more.",
        view.length,
        limit=LINE_LIMIT,
    )


def too_long_screen(view: View, draft_id: int | None, *rows: tuple[Button, ...], cut: bool = True) -> Screen:
    """Say that the text is too long. If it was set aside, it can be kept as a line: `cut`, or asked about once more."""
    say = view.say
    if draft_id is None:
        return Screen(too_long(view), rows)
    # Translators: button; a text that was too long to be sent back is kept as a line of one's own
    keep = say("Keep it as my line")
    if cut:
        # Translators: button; a text that was too long is cut and kept as a line of one's own. %(limit)s is 300.
        keep = say("Keep the first %(limit)s as my line", limit=LINE_LIMIT)
    return Screen(too_long(view), ((button(keep, KEEP(draft_id)),), *rows), card=draft_card(draft_id))


def _about_sharing(reflection_id: int, set_for: datetime | None) -> UndecidedCard | None:
    """Return the card of a question about sharing; None if it is only about changing what is set already."""
    return None if set_for else UndecidedCard(Undecided(Waits.SHARE, reflection_id))


def reword_preview(view: View, result: RewordPreview) -> Screen:
    say, reflection_id = view.say, result.reflection_id
    text = "\n".join(
        (
            # Translators: the preview of other words; they follow
            say("%(name)s would see these words instead:", name=partner(view)),
            quoted(view.words.get("words", "")),
        )
    )
    # Translators: button; the other words take the place of those before
    use = button(say("Use these words"), SHARE_USE(reflection_id, result.message_id))
    rows = ((use,), (button(say("Leave it as it is"), SHARE_SHOW(reflection_id)),))
    return Screen(text, rows, card=UndecidedCard(Undecided(Waits.REWORDING, reflection_id)))


def reworded(view: View, result: Reworded) -> Screen:
    if by := view.words.get("unsure"):
        about = Undecided(Waits.REWORDING, result.reflection_id)
        yes, no = SHARE_USE_SURE(result.reflection_id, int(by)), SHARE_SHOW(result.reflection_id)
        return second_yes(view, yes, no, about)
    say = view.say
    # Translators: the other words are in place. %(when)s is like "today at 20:30".
    text = say("Reworded. It is set for %(when)s:", when=view.when(result.at))
    change = button(say("Change"), SHARE_SHOW(result.reflection_id))
    rows = ((change, _take_back_button(view, result.reflection_id)),)
    return Screen(text + "\n" + quoted(view.words.get("words", "")), rows)


def left_private(view: View, _: LeftPrivate) -> Screen:
    # Translators: the user decided not to share the line; neutral, with no regret in it
    return Screen(view.say("It stays with you. Nothing went out."))


def withdrawn(view: View, _: Withdrawn) -> Screen:
    return Screen(
        # Translators: what was shared is taken back. An announcement without content may have been seen before.
        view.say(
            "Taken back. %(name)s hasn't seen the words and won't. If it was announced already, a tap on it says that "
            "you took it back, and no more.",
            name=partner(view),
        )
    )


def opened_before(view: View, _: OpenedBefore) -> Screen:
    return Screen(
        # Translators: the user wants to take back what the partner has already opened
        view.say("This one has been opened, so it can't be taken back any more."),
        place=Place.BELOW,
    )


def share_list(view: View, result: ShareList) -> Screen:
    say = view.say
    parts: list[str] = []
    rows: list[tuple[Button, ...]] = []
    for reflection_id, at in result.reflections:
        if words := view.words.get(f"share.{reflection_id}"):
            label = _where_it_stands(view, at, answered=reflection_id in result.answered)
            parts.append(label + "\n" + quoted(glimpse(words)))
            is_over = at <= view.now or reflection_id in result.answered
            rows.append((button(view.day_and_clock(at) if is_over else label, SHARE_SEE(reflection_id)),))
    numbers: list[Button] = []
    for number, (line_id, day) in enumerate(result.lines, 1):
        if words := view.words.get(f"line.{line_id}"):
            # Translators: in a list; the head of a line of the user: its number in the list, and its date
            parts.append(say("<b>%(n)s</b> %(day)s", n=number, day=view.date(day)) + "\n" + quoted(glimpse(words)))
            numbers.append(button(str(number), SHARE(line_id)))
    if numbers:
        # Translators: below the list of the user's lines; the answers are buttons with numbers
        parts.append(say("Which one would you like to share? You see it first as %(name)s would.", name=partner(view)))
        rows.append(tuple(numbers))
    elif not parts:
        # Translators: there is no line yet. "/today" is a command and stays as it is.
        parts.append(say("There is no line yet that could be shared. /today brings a question."))
    if result.older:
        # Translators: button; leads to older lines
        rows.append((button(say("Older ones"), SHARE_PAGE(result.older)),))
    return Screen("\n".join(parts), tuple(rows), place=Place.HERE if result.turned else Place.BELOW)


def words_gone(view: View) -> Screen:
    # Translators: words were to be shown that their writer has deleted, or the pair has ended; it must not tell which
    return Screen(view.say("These words are no longer here."), place=Place.BELOW)


def _where_it_stands(view: View, at: datetime, *, answered: bool) -> str:
    """Describe a line by the sharer's clock and by what the receiver sent back, never by whether it was opened.

    It also stands on a button.
    """
    say, when = view.say, view.in_words(at)
    if answered:
        # Translators: heads a line in a list, to which the partner has answered. %(when)s is when it was to go out.
        return say("Answered (%(when)s)", when=when)
    if at <= view.now:
        # Translators: heads a shared line in a list, whose time has come; whether it was opened is not said
        return say("Was set for %(when)s", when=when)
    # Translators: in a list; a line that is set to be shared. %(when)s is like "today at 20:30".
    return say("Set for %(when)s", when=when)


def glimpse(words: str, limit: int = _GLIMPSE) -> str:
    """Return the beginning of a text, for a list. A word that doesn't fit is left out, unless it is very long."""
    if len(words) <= limit:
        return words
    start = beginning(words, limit)
    whole, _, rest = start.rpartition(" ")
    ends_a_word = words[len(start)] == " " or not whole or len(rest) > _LONG_WORD
    return (start if ends_a_word else whole).rstrip(" ,;:") + "…"


SCREENS: Final = (
    private(SharePreview, share_preview, lambda use: use.sharing.read_preview),
    private(ShareAgain, share_again, lambda use: use.sharing.read),
    private(WhenWanted, when_wanted, lambda use: use.sharing.read),
    private(DayWanted, day_wanted),
    private(ShareHourWanted, share_hour_wanted),
    private(TooSoon, too_soon),
    private(WhichTime, which_time),
    private(Shared, shared, lambda use: use.sharing.read_shared),
    private(ShareShown, share_shown, lambda use: use.sharing.read),
    private(WishWanted, wish_wanted),
    private(RewordWanted, reword_wanted, lambda use: use.sharing.read),
    private(RewordTooLong, reword_too_long),
    private(RewordPreview, reword_preview, lambda use: use.rewording.read_proposed),
    private(Reworded, reworded, lambda use: use.rewording.read_reworded),
    shown(LeftPrivate, left_private),
    shown(Withdrawn, withdrawn, lambda _: read_partner_name),
    shown(OpenedBefore, opened_before, lambda _: read_partner_name),
    private(ShareList, share_list, lambda use: use.sharing.read_list),
)
