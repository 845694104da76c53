"""Screens of the Shelf: words for a Line, two taps away, and the user's words of the last eight weeks."""

from typing import Final

from bot.domain.content import ShelfWord
from bot.domain.feelings import LONGEST_OWN, MOST, Feeling, unpack
from bot.domain.results.shelf import BoardShown, OwnWordWanted, ShelfFull, ShelfShown, WordsShown
from bot.tg.actions import BOARD, FEEL, FEEL_NOTHING, FEEL_OWN, SHELF, SHOW_LINE, NotOurs
from bot.tg.actions import unpack as unpack_tap
from bot.tg.screens.screen import (
    Button,
    LineCard,
    Place,
    Screen,
    View,
    button,
    in_rows,
    private,
    unlinked,
    upper,
)
from bot.tg.screens.sharing import safe

_MOST_SHOWN: Final = 40
"""The most words on one screen; older ones aren't shown."""


def feelings_in(view: View) -> tuple[str, ...]:
    """Return the words added to this screen's Line."""
    return words_in(view, view.words.get("feelings"))


def words_in(view: View, packed: str | None) -> tuple[str, ...]:
    """Return the words added to a Line as texts, without words that are no longer on the Shelf."""
    named = (text_of(view, feeling) for feeling in unpack(packed or "[]"))
    return tuple(text for text in named if text)


def with_feelings(view: View, text: str) -> str:
    """Return a text about a Line, followed by the words added to it."""
    words = feelings_in(view)
    if not words:
        return text
    # Translators: below "Kept": the words that the user put to the line, such as "heavy, disappointed"
    return (
        text
        + "\n"
        + view.say.plural(
            "Your word for it: %(words)s", "Your words for it: %(words)s", len(words), words=", ".join(words)
        )
    )


def name_button(view: View, line_id: int) -> Button:
    """Make the button under a Line that leads to the Shelf."""
    if feelings_in(view):
        # Translators: button under a line that the user has put a word to
        return button(view.say("Another word"), SHELF(line_id))
    # Translators: button under "Kept"; words to choose from, such as "heavy"
    return button(view.say("Name the feeling"), SHELF(line_id))


def shelf_shown(view: View, result: ShelfShown) -> Screen:
    say = view.say
    # Translators: above the twelve first words; the user puts one or several of them to the line
    text = with_feelings(view, say("Which comes close?"))
    words = [view.library.shelf[board] for board in view.words.get("boards", "").split() if board in view.library.shelf]
    words = words or [word for word in view.library.shelf.values() if word.is_first]
    # Translators: button below words for feelings; the user can type their own
    no_word = button(say("No word fits"), FEEL_OWN(result.line_id))
    # Translators: button; removes the words that the user has put to the line
    off = button(say("Take them off"), FEEL_NOTHING(result.line_id))
    # Translators: button; back to the line
    back = button(say("Back"), SHOW_LINE(result.line_id))
    rows = in_rows([button(_label(view, word), BOARD(word.id, result.line_id)) for word in words])
    last = (no_word, off, back) if feelings_in(view) else (no_word, back)
    return Screen(text, (*rows, *in_rows(last)), card=LineCard(result.line_id))


def board_shown(view: View, result: BoardShown) -> Screen:
    say = view.say
    if (board := _tapped_board(view)) is None:
        return shelf_shown(view, ShelfShown(result.line_id))
    first, *others = (word for word in view.library.shelf.values() if word.board == board)
    lines = (f"<b>{say.content(word.text)}</b> – {say.content(word.line)}" for word in (first, *others))
    rows = in_rows([button(_label(view, word), FEEL(word.id, result.line_id)) for word in others])
    # Translators: button below finer words; the first word alone. %(word)s is one like "heavy"
    alone = button(say("Just “%(word)s”", word=say.title(first.text)), FEEL(first.id, result.line_id))
    # Translators: button; back to the twelve first words
    back = button(say("Back"), SHELF(result.line_id))
    return Screen("\n".join(lines), (*rows, (alone,), (back,)), card=LineCard(result.line_id))


def own_word_wanted(view: View, result: OwnWordWanted) -> Screen:
    say = view.say
    if result.too_long:
        # Translators: the user's own word for a feeling is too long. %(limit)s is 30.
        text = say("That's more than a word or two. Up to %(limit)s characters fit.", limit=LONGEST_OWN)
    else:
        # Translators: after "No word fits": not having a word is fine, or the user types their own
        text = say("That happens. If you have a word of your own, send it. If not, it's fine without.")
    # Translators: button; the line stays without a word, or with those it has
    leave = button(say("Without a word"), SHOW_LINE(result.line_id))
    back = button(say("Back"), SHELF(result.line_id))
    return Screen(text, ((leave, back),), card=LineCard(result.line_id))


def shelf_full(view: View, result: ShelfFull) -> Screen:
    say = view.say
    # Translators: a line can have only so many words for a feeling. %(most)s is 6.
    text = say("That line has %(most)s words already; more don't fit.", most=MOST)
    off = button(say("Take them off"), FEEL_NOTHING(result.line_id))
    return Screen(text, ((off, button(say("Back"), SHOW_LINE(result.line_id))),), card=LineCard(result.line_id))


def words_shown(view: View, _: WordsShown) -> Screen:
    say = view.say
    words = feelings_in(view)
    if not words:
        # Translators: /words, when there are none
        text = say("No words yet from the last eight weeks. “Name the feeling” is under every line you keep.")
        return Screen(text, place=Place.BELOW)
    # Translators: /words; the user's words for feelings of the last eight weeks follow, the latest first
    head = say("Your words of the last eight weeks, the latest first.")
    return Screen(f"{head}\n\n{safe(' · '.join(words[:_MOST_SHOWN]))}", place=Place.BELOW)


def text_of(view: View, feeling: Feeling) -> str:
    """Return a Feeling in the user's language; "" if it is no longer on the Shelf."""
    if feeling.own:
        return unlinked(feeling.own)
    word = view.library.shelf.get(feeling.shelf)
    return view.say.title(word.text) if word else ""


def _tapped_board(view: View) -> str | None:
    """Return the board that the tapped button opens, which only the tap itself contains; no row does."""
    try:
        tap = unpack_tap(view.words.get("tapped"))
        word = view.library.shelf.get(str(BOARD.read(tap)[0])) if tap.action == BOARD.name else None
    except NotOurs:
        return None
    return word.board if word else None


def _label(view: View, word: ShelfWord) -> str:
    return upper(view.say.title(word.text))


SCREENS: Final = (
    private(ShelfShown, shelf_shown, lambda use: use.shelf.read_shelf),
    private(BoardShown, board_shown),
    private(OwnWordWanted, own_word_wanted),
    private(ShelfFull, shelf_full),
    private(WordsShown, words_shown, lambda use: use.shelf.read_words),
)
