"""Screens of the Recap: the last eight weeks as a picture, with the same words in the text below it."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import accumulate, takewhile
from typing import Final

from bot.domain.feelings import unpack
from bot.domain.recap import weeks_until
from bot.domain.results.recap import RecapShown, RecapStopped
from bot.domain.times import local_date
from bot.pictures import Picture, Week
from bot.tg.actions import RECAP_STOP
from bot.tg.screens.screen import Place, RecapCard, Screen, View, button, private, shown
from bot.tg.screens.shelf import text_of

_MOST_SAID: Final = 600
"""The most characters of all weeks in the text below the picture; beyond that, the oldest weeks are left out."""
_MOST_OF_A_WEEK: Final = 120


def recap_shown(view: View, result: RecapShown) -> Screen:
    say = view.say
    weeks = _weeks(view)
    if any(words for _, words in weeks):
        text = f"{_about(view, weeks)}\n\n{_said(view, weeks, veiled=result.by_itself)}"
    else:
        # Translators: below a picture of eight weeks as strips, where the user put no words for feelings to their
        # lines. %(first)s is a date like "5 Oct". No reproach.
        text = say(
            "The last eight weeks, a strip for each, from %(first)s to today. No word was put to them, and none is "
            "needed.",
            first=say.day_and_month(weeks[0][0]),
        )
    if result.first:
        # Translators: below the first recap that comes by itself
        text += "\n\n" + say("This comes on Sundays, after a week with a line in it. It is shown to nobody else.")
    picture = Picture(
        tuple(Week(say.day_and_month(first), words) for first, words in weeks), from_right=say.is_right_to_left
    )
    # Translators: button; the weekly recap doesn't come any more
    rows = ((button(say("Not on Sundays"), RECAP_STOP()),),) if result.by_itself else ()
    card = RecapCard() if result.by_itself else None
    return Screen(text, rows, place=Place.BESIDE, card=card, picture=picture, veiled=result.by_itself)


def recap_stopped(view: View, _: RecapStopped) -> Screen:
    # Translators: the user doesn't want the weekly recap. "/recap" is a command.
    text = view.say("All right, it won't come by itself. /recap shows it whenever you like.")
    return Screen(text, place=Place.BELOW)


Weeks = Sequence[tuple[date, tuple[str, ...]]]
"""The words of each week, by its first date, oldest first."""


def _weeks(view: View) -> Weeks:
    without = [(first.isoformat(), "[]") for first in weeks_until(local_date(view.now, view.zone))]
    read = json.loads(view.words["weeks"]) if "weeks" in view.words else without
    return [
        (date.fromisoformat(first), tuple(filter(None, (text_of(view, each) for each in unpack(feelings)))))
        for first, feelings in read
    ]


def _about(view: View, weeks: Weeks) -> str:
    """Say what the picture shows, and which word came in the most weeks, if one stands out."""
    say = view.say
    # Translators: below a picture of the user's own words for feelings, week by week
    text = say("Your words of the last eight weeks, the latest at the bottom.")
    (most, times), *others = Counter(word for _, words in weeks for word in words).most_common(2)
    if times > 1 and all(number < times for _, number in others):
        # Translators: follows; %(word)s is the word for a feeling that came in the most weeks, such as "heavy"
        text += " " + say("“%(word)s” came most often.", word=most)
    return text


def _said(view: View, weeks: Weeks, *, veiled: bool) -> str:
    """Return the words of each week on a line of its own, of as many of the latest weeks as fit."""
    said = [_line(view, first, words) for first, words in reversed(weeks) if words]
    lengths = accumulate(len(line) for line in said)
    fitting = [line for line, _ in takewhile(lambda pair: pair[1] <= _MOST_SAID, zip(said, lengths, strict=True))]
    text = "\n".join(fitting[::-1])
    return f"<tg-spoiler>{text}</tg-spoiler>" if veiled else text


def _line(view: View, first: date, words: Sequence[str]) -> str:
    joined = ", ".join(words)
    joined = joined if len(joined) <= _MOST_OF_A_WEEK else joined[: _MOST_OF_A_WEEK - 1] + "…"
    # Translators: the words of a week: %(day)s is its first day, like "5 Oct"
    return view.say("%(day)s: %(words)s", day=view.say.day_and_month(first), words=joined)


SCREENS: Final = (
    private(RecapShown, recap_shown, lambda use: use.recaps.read),
    shown(RecapStopped, recap_stopped),
)
