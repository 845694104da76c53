"""Screens of the Journal: a page of Lines with a button to open each, a single Line, and the Filters.

A page is designed for a small phone: the beginnings of five Lines, numbered, and all Filters behind one button.
"""

import json
from datetime import datetime
from typing import Final

from bot.domain.feelings import unpack
from bot.domain.journal import By, Filter
from bot.domain.results.journal import (
    JournalFilters,
    JournalLine,
    JournalPage,
    JournalSearchWanted,
    JournalSought,
    JournalThemes,
    JournalWords,
)
from bot.tg.actions import (
    ASK_DELETE_LINE,
    CHANGE_LINE,
    JOURNAL,
    JOURNAL_ALL,
    JOURNAL_FILTERS,
    JOURNAL_LINE,
    JOURNAL_NEWER,
    JOURNAL_OLDER,
    JOURNAL_SEARCH,
    JOURNAL_THEME,
    JOURNAL_THEMES,
    JOURNAL_WORD,
    JOURNAL_WORDS,
    JOURNAL_YEAR_AGO,
    SHARE,
    SHARE_SEE,
)
from bot.tg.screens.lines import changed_text, deleted_text, line_gone_text
from bot.tg.screens.screen import Button, LineCard, Screen, View, button, in_rows, private, shown, upper
from bot.tg.screens.sharing import glimpse, quoted, safe
from bot.tg.screens.shelf import name_button, text_of, with_feelings, words_in

_GLIMPSE: Final = 120
"""How many characters of a Line a page shows."""
_GLIMPSE_OF_ASKED: Final = 60
"""How many characters a page shows of a question, or of the older Line that a Line answers."""
_WORDS_AT_ONCE: Final = 20
_REFLECTIONS: Final = 3
"""How many Reflections of a Line we show, the latest ones."""


def journal_page(view: View, result: JournalPage) -> Screen:
    say = view.say
    parts = [f"<b>{_heading(view)}</b>"]
    if result.deleted:
        parts.insert(0, deleted_text(view) + "\n")
    elif result.changed:
        parts.insert(0, changed_text(view, shared=result.shared) + "\n")
    elif result.gone:
        parts.insert(0, line_gone_text(view) + "\n")
    numbers: list[Button] = []
    asked: list[str] = []
    for number, (line_id, day) in enumerate(result.lines, 1):
        if words := view.words.get(f"line.{line_id}"):
            # Translators: in a list; the head of a line of the user: its number in the list, and its date
            head = say("<b>%(n)s</b> %(day)s", n=number, day=view.date(day))
            feelings = words_in(view, view.words.get(f"feelings.{line_id}"))
            parts.append(" · ".join((head, safe(", ".join(feelings)))) if feelings else head)
            above, asked = asked, _question(view, line_id, _GLIMPSE_OF_ASKED)
            parts += asked if asked != above else []
            parts.append(quoted(glimpse(words, _GLIMPSE)))
            numbers.append(button(str(number), JOURNAL_LINE(line_id)))
    if not result.lines:
        parts.append(_nothing(view, limited=result.limited))
    paging, everything = _page_buttons(view, result), [_all_lines(view)] if result.limited else []
    rows = [numbers, paging + everything] if len(paging) == 1 else [numbers, paging, everything]
    return Screen("\n".join(parts), tuple(tuple(row) for row in rows if row))


def _heading(view: View) -> str:
    say = view.say
    chosen = Filter.unpack(view.words["filter"]) if view.words.get("filter") else None
    if chosen is None:
        # Translators: heads a page of the user's own lines
        return say("Your lines")
    if chosen.by is By.WORD and chosen.feeling:
        # Translators: heads the lines that the user has put this word for a feeling to, such as "heavy"
        return say("Your lines with the word “%(word)s”", word=text_of(view, chosen.feeling))
    if chosen.by is By.THEME:
        title = next((theme.title for theme in view.library.themes if theme.id == chosen.theme), "")
        # Translators: heads the lines of a theme. %(theme)s is its title, such as "Work".
        return say("Your lines: %(theme)s", theme=say.title(title))
    if chosen.by is By.YEAR_AGO:
        # Translators: heads the lines of the same date a year ago; also a button that leads there
        return say("A year ago today")
    # Translators: heads the lines that contain what the user has searched for
    return say("Found in your lines")


def _question(view: View, line_id: int, most: int = _GLIMPSE) -> list[str]:
    """Return the question of a Line, cut to `most` characters, as a list of one; empty if there is none."""
    if question := view.words.get(f"question.{line_id}"):
        return [f"<i>{safe(glimpse(view.say.title(question), most))}</i>"]
    if earlier := view.words.get(f"then.{line_id}"):
        # Translators: the line answers an older line of the user's, which was brought back and begins with %(words)s
        about = view.say("Looking back at: %(words)s", words=glimpse(earlier, _GLIMPSE_OF_ASKED))
        return [f"<i>{about}</i>"]
    return []


def _nothing(view: View, *, limited: bool) -> str:
    if limited:
        # Translators: no line of the user's matches what they chose or searched for
        return view.say("There is none.")
    # Translators: the journal of somebody without lines. "/today" is a command and stays as it is.
    return view.say("Nothing here yet, which is fine. /today brings a question, and your line is here from then on.")


def _page_buttons(view: View, result: JournalPage) -> list[Button]:
    """Return the buttons to the pages before and after, with the button to the Filters between them."""
    buttons = []
    if result.newer:
        # Translators: button; to the page with newer lines
        buttons.append(button(view.say("‹ Newer"), JOURNAL_NEWER(result.newer)))
    if result.lines or result.limited:
        # Translators: button under a page of the user's lines; leads to what the page can be limited by
        buttons.append(button(view.say("Find…"), JOURNAL_FILTERS()))
    if result.older:
        # Translators: button; to the page with older lines
        buttons.append(button(view.say("Older ›"), JOURNAL_OLDER(result.older)))
    return buttons


def _all_lines(view: View) -> Button:
    # Translators: button; shows all of the user's lines again
    return button(view.say("All lines"), JOURNAL_ALL())


def journal_line(view: View, result: JournalLine) -> Screen:
    say, line_id, shown = view.say, result.line_id, (result.line_id, result.revision)
    # Translators: button; back to the page of lines from which one was opened
    back = button(say("Back to the page"), JOURNAL())
    if not (words := view.words.get("line")):
        return Screen(line_gone_text(view), ((back,),))
    text = "\n".join((f"<b>{say.date(result.day, year=True)}</b>", *_question(view, line_id), quoted(words)))
    parts = [with_feelings(view, text).rstrip("\n"), *_shared(view, result)]
    sharing = []
    if result.may_share and not result.looked_up:
        sharing.append(button(say("Share…"), SHARE(line_id)))
    if result.looked_up:
        # Translators: button under a line that the user has shared; shows what was shared of it, and what came back
        sharing.append(button(say("What was shared"), SHARE_SEE(result.looked_up)))
    rows = (
        (name_button(view, line_id),),
        tuple(sharing),
        (button(say("Change"), CHANGE_LINE(*shown)), button(say("Delete"), ASK_DELETE_LINE(*shown))),
        (back,),
    )
    return Screen("\n\n".join(parts), tuple(row for row in rows if row), card=LineCard(line_id))


def _shared(view: View, result: JournalLine) -> list[str]:
    """Return the state of a Line's Reflections, judged by their sharer's own actions and clock.

    It reads nothing about the partner, not even their name: if they have left, that must not show.
    """
    return [_state(view, at, answered=about in result.answered) for about, at in result.reflections[:_REFLECTIONS]]


def _state(view: View, at: datetime, *, answered: bool) -> str:
    say, when = view.say, view.when(at)
    if answered:
        # Translators: below a line that was shared, and to which an answer came. %(when)s is when it was to go out.
        return say("Was set for %(when)s, and answered.", when=when)
    if at > view.now:
        # Translators: below a line that is to be shared. %(when)s is like "today at 20:30".
        return say("Set for %(when)s.", when=when)
    # Translators: below a line that was to be shared; whether it was opened is not said
    return say("Was set for %(when)s.", when=when)


def journal_filters(view: View, result: JournalFilters) -> Screen:
    say = view.say
    rows = [
        (
            # Translators: button; limits the user's lines to those with a word that they have put to them
            button(say("By a word"), JOURNAL_WORDS(0)),
            # Translators: button; limits the user's lines to those of a theme
            button(say("By a theme"), JOURNAL_THEMES()),
        ),
        # Translators: button; the user then types what to look for in their lines
        (button(say("Search…"), JOURNAL_SEARCH()),),
    ]
    if result.year_ago:
        rows.append((button(say("A year ago today"), JOURNAL_YEAR_AGO()),))
    rows.append((_back(view), _all_lines(view)) if result.limited else (_back(view),))
    # Translators: asks what a page of the user's lines should be limited to; the answers are buttons
    return Screen(say("Which of your lines?"), tuple(rows))


def journal_words(view: View, result: JournalWords) -> Screen:
    say = view.say
    words = unpack(view.words.get("feelings", "[]"))
    places = json.loads(view.words.get("places", "[]"))
    end = result.start + _WORDS_AT_ONCE
    labels = [
        button(upper(text), JOURNAL_WORD(*place))
        for word, place in list(zip(words, places, strict=False))[result.start : end]
        if (text := text_of(view, word))
    ]
    # Translators: button; shows more of the user's own words
    more = [button(say("More words"), JOURNAL_WORDS(end))] if len(words) > end else []
    other = button(say("Back"), JOURNAL_FILTERS())
    if labels:
        # Translators: asks which word for a feeling the shown lines should have; the answers are buttons
        text = say("Which word?")
    else:
        # Translators: the user has put no word to any line
        text = say("There is no word yet. “Name the feeling” is under every line you keep.")
    return Screen(text, (*in_rows(labels), (*more, other)))


def journal_themes(view: View, _: JournalThemes) -> Screen:
    say = view.say
    asked = view.words.get("themes", "").split()
    themes = [
        button(say.title(theme.title), JOURNAL_THEME(theme.id)) for theme in view.library.themes if theme.id in asked
    ]
    # Translators: asks of which theme the shown lines should be; the answers are buttons
    text = say("Which theme?") if themes else _nothing(view, limited=True)
    return Screen(text, (*in_rows(themes), (button(say("Back"), JOURNAL_FILTERS()),)))


def journal_search_wanted(view: View, _: JournalSearchWanted) -> Screen:
    # Translators: the user is about to type what to look for in their own lines
    text = view.say("Send me a word, or part of one. I look through your lines, and don't keep what you looked for.")
    return Screen(text, ((button(view.say("Back"), JOURNAL_FILTERS()),),))


def journal_sought(view: View, _: JournalSought) -> Screen:
    """Show that nothing was found. Lines that are found are shown as a page instead."""
    return Screen(_nothing(view, limited=True), ((_all_lines(view),),))


def _back(view: View) -> Button:
    return button(view.say("Back"), JOURNAL())


SCREENS: Final = (
    private(JournalPage, journal_page, lambda use: use.journal.read_page),
    private(JournalLine, journal_line, lambda use: use.journal.read_line),
    shown(JournalFilters, journal_filters),
    private(JournalWords, journal_words),
    shown(JournalThemes, journal_themes, lambda use: use.journal.read_themes),
    shown(JournalSearchWanted, journal_search_wanted),
    shown(JournalSought, journal_sought),
)
