"""Screens of the Ritual: what it is, agreeing on it, putting something in, and ending it."""

from datetime import date, datetime, time, timedelta
from typing import Final

from bot.domain.content import Wish
from bot.domain.results.ritual import (
    RitualAsked,
    RitualDayWanted,
    RitualDeclined,
    RitualEnded,
    RitualEndWanted,
    RitualHourWanted,
    RitualLines,
    RitualLineWanted,
    RitualMorning,
    RitualNone,
    RitualNothing,
    RitualPreview,
    RitualProposed,
    RitualPutIn,
    RitualShown,
    RitualTermsWanted,
    RitualTooLate,
)
from bot.domain.ritual import HOURS, Terms
from bot.domain.times import local
from bot.domain.undecided import Undecided, Waits
from bot.services.names import read_partner_name
from bot.tg.actions import (
    LONG_GONE,
    RITUAL,
    RITUAL_ANSWER,
    RITUAL_ASK_END,
    RITUAL_DAY,
    RITUAL_DAYS,
    RITUAL_END,
    RITUAL_HOUR,
    RITUAL_IN,
    RITUAL_LINE,
    RITUAL_LINES,
    RITUAL_NO,
    RITUAL_NOTHING,
    RITUAL_NOTICED,
    RITUAL_OPEN,
    RITUAL_OUT,
    RITUAL_QUESTION,
    RITUAL_SURE,
    RITUAL_TAKE_BACK,
    RITUAL_WISH,
    RITUAL_WRITE,
    RITUAL_YES,
    RITUAL_YES_SAME,
)
from bot.tg.screens.screen import Button, Place, Screen, UndecidedCard, View, button, in_rows, named, private, shown
from bot.tg.screens.sharing import (
    glimpse,
    how_to_receive,
    partner,
    question_button,
    quoted,
    second_yes,
    too_long_screen,
    wishes,
    with_question,
)

_A_MONDAY: Final = date(2026, 11, 23)
_HOURS_A_ROW: Final = 4
_GLIMPSE: Final = 30
"""How many characters of a Line a button shows."""


def weekly(view: View, moment: datetime) -> str:
    """Return the weekday and hour of a weekly moment, by the user's own clock."""
    here = local(moment, view.zone)
    # Translators: a moment of every week: %(day)s is a weekday, "Sunday", %(clock)s like 20:30
    return view.say("%(day)s at %(clock)s", day=view.say.weekday(here.date()), clock=view.say.clock(here.time()))


def what_it_is(view: View) -> str:
    # Translators: what the weekly moment is; said before somebody proposes it or agrees to it. It must be exact.
    return view.say(
        "Once a week, if you both want it. Beforehand each of you may put in a line, or nothing. Both go out "
        "together; an empty side isn't mentioned."
    )


def same_question(view: View) -> str:
    # Translators: what "the same question for both" is, before a weekly moment is proposed or agreed to
    return view.say(
        "If you both like, you each get the same question that morning. Nobody is told whether you answer it."
    )


def ritual_none(view: View, result: RitualNone) -> Screen:
    say = view.say
    text = "\n\n".join(
        (
            what_it_is(view),
            # Translators: %(name)s is the partner
            say("You have no weekly moment yet. You can propose one to %(name)s.", name=partner(view)),
            same_question(view),
        )
    )
    rows = (
        # Translators: button; propose a weekly moment to the partner
        (button(say("Propose one"), RITUAL_DAYS(False)),),
        # Translators: button; propose a weekly moment, before which both get the same question
        (button(say("One with a question for both"), RITUAL_DAYS(True)),),
    )
    return Screen(text, rows, place=Place.HERE if result.here else Place.BELOW)


def ritual_day_wanted(view: View, result: RitualDayWanted) -> Screen:
    say = view.say
    days = [
        button(say.weekday(_A_MONDAY + timedelta(days=day)), RITUAL_DAY(day, result.same_question)) for day in range(7)
    ]
    # Translators: the buttons are weekdays
    return Screen(say("On which day?"), in_rows(days))


def ritual_hour_wanted(view: View, result: RitualHourWanted) -> Screen:
    say = view.say
    hours = [button(say.clock(time(hour)), RITUAL_HOUR(result.weekday, hour, result.same_question)) for hour in HOURS]
    # Translators: button; to the weekdays again
    back = (button(say("Another day"), RITUAL_DAYS(result.same_question)),)
    # Translators: the buttons are hours
    return Screen(say("Tap the hour, by your clock. They see it by theirs."), (*in_rows(hours, _HOURS_A_ROW), back))


def ritual_proposed(view: View, result: RitualProposed) -> Screen:
    say = view.say
    # Translators: a weekly moment was proposed. %(when)s is like "Sunday at 20:00". No answer must not mean harm.
    text = say(
        "Proposed to %(name)s: every %(when)s. If they want it too, I'll tell you. If you hear nothing within a week, "
        "there is none, and there is nothing to read into it.",
        name=partner(view),
        when=weekly(view, result.at),
    )
    if result.same_question:
        # Translators: follows, where the same question for both was proposed as well
        text += " " + say("You have also proposed the same question for both; they can agree with or without it.")
    # Translators: button; the proposal is taken back
    return Screen(text, ((button(say("Take it back"), RITUAL_TAKE_BACK(result.ritual_id)),),))


def ritual_asked(view: View, result: RitualAsked) -> Screen:
    say = view.say
    text = "\n\n".join(
        (
            # Translators: %(name)s is the partner, %(when)s is like "Sunday at 20:00", by the user's own clock
            say(
                "%(name)s proposes a weekly moment for you two: every %(when)s by your clock.",
                name=partner(view),
                when=weekly(view, result.at),
            ),
            what_it_is(view),
            *((same_question(view),) if result.same_question else ()),
            # Translators: it can be declined without a trace. "/ritual" is a command.
            say("If you say no, nobody is told. Either of you can end it at any time with /ritual."),
        )
    )
    # Translators: button; no to a weekly moment
    no = button(say("No"), RITUAL_NO(result.ritual_id))
    if result.same_question:
        rows: tuple[tuple[Button, ...], ...] = (
            # Translators: button; yes to a weekly moment, with the same question for both
            (button(say("Yes, with the question"), RITUAL_YES_SAME(result.ritual_id)),),
            # Translators: button; yes to a weekly moment, but without the same question for both
            (button(say("Yes, without it"), RITUAL_YES(result.ritual_id)), no),
        )
    else:
        # Translators: button; yes to a weekly moment
        rows = ((button(say("Yes"), RITUAL_YES(result.ritual_id)), no),)
    return Screen(text, rows, place=Place.BELOW)


def ritual_declined(view: View, _: RitualDeclined) -> Screen:
    # Translators: after "No" to a weekly moment
    return Screen(view.say("All right. There is none, and nobody is told."))


def ritual_shown(view: View, result: RitualShown) -> Screen:
    say = view.say
    every, when = weekly(view, result.at), view.when(result.at)
    if result.new:
        # Translators: both have agreed. %(every)s is like "Sunday at 20:00", %(when)s like "today at 20:00".
        text = say(
            "Agreed with %(name)s: every %(every)s. I'll ask you both in good time before it. The first time "
            "is %(when)s.",
            name=partner(view), every=every, when=when,
        )  # fmt: skip
    else:
        # Translators: %(every)s is like "Sunday at 20:00", %(when)s like "today at 20:00"
        text = say(
            "Your weekly moment with %(name)s: every %(every)s, next %(when)s.",
            name=partner(view), every=every, when=when,
        )  # fmt: skip
    if result.same_question:
        # Translators: follows, if both have chosen the same question for both
        text += " " + say("Both of you get the same question beforehand.")
    rows: list[tuple[Button, ...]] = []
    if words := view.words.get("words"):
        # Translators: the user has put something in for the weekly moment; it follows
        text += " " + say("You have put this in:") + "\n" + quoted(words)
        # Translators: button; what was put in is taken out again
        rows.append((button(say("Take it out"), RITUAL_OUT(result.reflection_id)),))
    if result.open:
        # Translators: button; put something in for the weekly moment
        rows.append((button(say("Put something in"), RITUAL_OPEN()),))
    # Translators: button; the weekly moment ends, after one more question
    rows.append((button(say("End it"), RITUAL_ASK_END(result.ritual_id)),))
    return Screen(text, tuple(rows), place=Place.BELOW)


def ritual_end_wanted(view: View, result: RitualEndWanted) -> Screen:
    say = view.say
    # Translators: asked before the weekly moment is ended
    text = say(
        "End the weekly moment? What either of you put in for the next one stays private. They get no "
        "message, and you can still share lines."
    )
    return Screen(
        text,
        (
            # Translators: button; the weekly moment ends at once
            (button(say("End it now"), RITUAL_END(result.ritual_id)),),
            # Translators: button; the weekly moment stays
            (button(say("Leave it as it is"), RITUAL()),),
        ),
    )


def ritual_ended(view: View, _: RitualEnded) -> Screen:
    # Translators: the weekly moment was ended, or a proposal of it taken back. "/ritual" is a command.
    return Screen(view.say("There is no weekly moment now. /ritual is there if you want one again."))


def ritual_morning(view: View, result: RitualMorning) -> Screen:
    say = view.say
    # Translators: on the morning of the weekly moment. %(when)s is like "today at 20:00". No pressure in any word.
    text = say(
        "Your moment with %(name)s is %(when)s. You can put in a line of the week, a new one, or nothing.",
        name=partner(view),
        when=view.when(result.at),
    )
    answer: tuple[tuple[Button, ...], ...] = ()
    if prompt := view.library.prompts.get(result.prompt_id or ""):
        # Translators: on the morning of the weekly moment, to both; the question follows, which each answers or not
        text += "\n\n" + say("A question for you both, if you like:") + f"\n<b>{say.content(prompt.text)}</b>"
        # Translators: button; write an answer to the question that both got
        answer = ((button(say("Answer it"), RITUAL_ANSWER(result.at)),),)
    return Screen(
        text,
        (
            *answer,
            # Translators: button; choose one of one's own lines
            (button(say("A line from this week"), RITUAL_LINES(result.at)),),
            # Translators: button; write a line now
            (button(say("A new one"), RITUAL_WRITE(result.at)),),
            # Translators: button; write a line about something that the partner did
            (button(say("Something I noticed"), RITUAL_NOTICED(result.at)),),
            # Translators: button; put nothing in
            (button(say("Nothing this time"), RITUAL_NOTHING(result.at)),),
        ),
        place=Place.HERE if result.here else Place.BELOW,
    )


def ritual_lines(view: View, result: RitualLines) -> Screen:
    say = view.say
    shown = [(line_id, day) for line_id, day in result.lines if str(line_id) in view.words]
    labels = {
        line_id: f"{say.weekday_short(day)} · {glimpse(view.words[str(line_id)], _GLIMPSE)}" for line_id, day in shown
    }
    rows = [(button(label, RITUAL_LINE(result.at or LONG_GONE, line_id)),) for line_id, label in labels.items()]
    back = (button(_back(view), RITUAL_OPEN()),)
    if not rows:
        # Translators: there are no lines of the last week to choose from
        return Screen(say("There is no line from this week."), (back,))
    # Translators: the buttons are the user's own lines
    return Screen(say("Which one? You see first exactly what they would see."), (*rows, back))


def _back(view: View) -> str:
    # Translators: button; back to the choice before
    return view.say("Back")


def ritual_line_wanted(view: View, result: RitualLineWanted) -> Screen:
    back = (button(_back(view), RITUAL_OPEN()),)
    if result.too_long:
        return too_long_screen(view, result.draft_id, back)
    if result.noticed:
        # Translators: the user writes a line for the weekly moment about something small that the partner did
        text = view.say(
            "What did %(name)s do or carry lately that you noticed? One line. It's kept as one of yours, and you see "
            "first how it would look to them.",
            name=partner(view),
        )
    else:
        # Translators: the user writes a new line for the weekly moment
        text = view.say("Write it in one line. It's kept as one of yours, and you see first how it would look to them.")
    if prompt := view.library.prompts.get(result.prompt_id or ""):
        text = f"<b>{view.say.content(prompt.text)}</b>\n\n{text}"
    return Screen(text, (back,))


def ritual_preview(view: View, result: RitualPreview) -> Screen:
    say = view.say
    if "words" not in view.words:
        return ritual_too_late(view, RitualTooLate())
    text = "\n".join(
        (
            # Translators: the preview before something is put in; the words follow
            say("%(name)s would see these words:", name=partner(view)),
            quoted(with_question(view, view.words["words"])),
            # Translators: asked below the preview. The answers are buttons: just listen, ask later, advice.
            say("Nothing has gone out. How would you like it to be received?"),
        )
    )
    about = result.reflection_id
    return Screen(
        text,
        (
            *wishes(view, lambda wish: RITUAL_WISH(wish, about)),
            *question_button(view, about, RITUAL_QUESTION),
            (_not_this_one(view, about),),
        ),
        place=Place.HERE if result.here else Place.BELOW,
        card=_about(result.reflection_id),
    )


def _about(reflection_id: int) -> UndecidedCard:
    return UndecidedCard(Undecided(Waits.RITUAL, reflection_id))


def _not_this_one(view: View, reflection_id: int) -> Button:
    # Translators: button; this line stays private
    return button(view.say("Not this one"), RITUAL_OUT(reflection_id))


def ritual_terms_wanted(view: View, result: RitualTermsWanted) -> Screen:
    say, about = view.say, result.reflection_id
    if "words" not in view.words:
        return ritual_too_late(view, RitualTooLate())
    own = named(view.words["own"]) if view.words["own"] else say("your partner")
    how = how_to_receive(view, view.words["wish"] or Wish.LISTEN, view.words.get("cue_id", ""), own)
    text = "\n".join(
        (
            # Translators: what the partner will see after the weekly moment follows; %(when)s is like "today at 20:00"
            say("What %(name)s can open, %(when)s or later:", name=partner(view), when=view.when(result.at)),
            quoted(how),
            quoted(with_question(view, view.words["words"])),
            # Translators: under which condition it goes out; the answers are buttons
            say("Should it go either way, or only if there is one from them too? If there is none, it stays private."),
        )
    )
    return Screen(
        text,
        (
            # Translators: button; it goes out whatever the partner does
            (button(say("Either way"), RITUAL_IN(Terms.EITHER, about)),),
            # Translators: button; it goes out only if the partner puts something in, too
            (button(say("Only if there is one from them too"), RITUAL_IN(Terms.MET, about)),),
            (_not_this_one(view, about),),
        ),
        card=_about(about),
    )


def ritual_put_in(view: View, result: RitualPutIn) -> Screen:
    say = view.say
    if view.words.get("unsure"):
        yes = RITUAL_SURE(Terms(result.terms), result.reflection_id)
        about = Undecided(Waits.RITUAL, result.reflection_id)
        return second_yes(view, yes, RITUAL_OUT(result.reflection_id), about)
    when = view.when(result.at)
    if result.terms == Terms.MET:
        # Translators: something was put in. %(when)s is like "today at 20:00".
        text = say(
            "It's in. If there is one from %(name)s too, both go out %(when)s, and arrive then or at a better time. If "
            "not, yours stays private and nobody hears of it.",
            name=partner(view), when=when,
        )  # fmt: skip
    else:
        # Translators: something was put in. %(when)s is like "today at 20:00".
        text = say(
            "It's in. It goes to %(name)s %(when)s either way, or later if that is a bad time for them.",
            name=partner(view), when=when,
        )  # fmt: skip
    # Translators: follows the sentence that something was put in; %(when)s is like "today at 20:00"
    text += " " + say("You can take it out until %(when)s.", when=when)
    return Screen(
        text,
        (
            (
                # Translators: button; what was put in is taken out again
                button(say("Take it out"), RITUAL_OUT(result.reflection_id)),
                # Translators: button; put in another line in its place
                button(say("Another line"), RITUAL_OPEN()),
            ),
        ),
    )


def ritual_nothing(view: View, _: RitualNothing) -> Screen:
    say = view.say
    # Translators: nothing of the user's is in for the weekly moment
    text = say("Nothing of yours is in, and nothing is said about it.")
    # Translators: button; put something in for the weekly moment after all
    return Screen(text, ((button(say("Put something in"), RITUAL_OPEN()),),))


def ritual_too_late(view: View, result: RitualTooLate) -> Screen:
    say = view.say
    if result.at is None:
        # Translators: after a tap under an old message of the weekly moment
        return Screen(say("There is no weekly moment to put it in. It stays private."))
    if result.minutes:
        # Translators: a line can't be put into the weekly moment any more. %(minutes)s is 10 or 60. No reproach.
        text = say(
            "This line has to rest for %(minutes)s minutes, and the moment comes sooner. It's kept; "
            "/share has other times.",
            minutes=result.minutes,
        )
        return Screen(text)
    # Translators: %(when)s is like "Sunday at 20:00". There is a least time between sharing and delivery.
    return Screen(
        say(
            "You can put something in from that morning on, or from the evening before an early one. Next: %(when)s.",
            when=view.when(result.at),
        )
    )


SCREENS: Final = (
    shown(RitualNone, ritual_none, lambda _: read_partner_name),
    shown(RitualDayWanted, ritual_day_wanted),
    shown(RitualHourWanted, ritual_hour_wanted),
    shown(RitualProposed, ritual_proposed, lambda _: read_partner_name),
    shown(RitualAsked, ritual_asked, lambda _: read_partner_name),
    shown(RitualDeclined, ritual_declined),
    private(RitualShown, ritual_shown, lambda use: use.rituals.read_shown),
    shown(RitualEndWanted, ritual_end_wanted),
    shown(RitualEnded, ritual_ended),
    shown(RitualMorning, ritual_morning, lambda _: read_partner_name),
    private(RitualLines, ritual_lines, lambda use: use.rituals.read_lines),
    private(RitualLineWanted, ritual_line_wanted, lambda _: read_partner_name),
    private(RitualPreview, ritual_preview, lambda use: use.rituals.read_item),
    private(RitualTermsWanted, ritual_terms_wanted, lambda use: use.rituals.read_item),
    private(RitualPutIn, ritual_put_in, lambda use: use.rituals.read_put_in),
    shown(RitualNothing, ritual_nothing),
    shown(RitualTooLate, ritual_too_late),
)
