"""The page of an export: one HTML file to read and print, without scripts or external resources."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from markupsafe import Markup

from bot import export_document as document
from bot.domain.content import Wish
from bot.domain.expectations import Reception
from bot.domain.sharing import ResponseKind
from bot.domain.times import QuietHours
from bot.i18n import Say
from bot.tg.pages.templates import template
from bot.tg.screens.expectations import reception_words
from bot.tg.screens.responses import ready_made
from bot.tg.screens.screen import View
from bot.tg.screens.setting_words import days_in_words, depth_in_words, hours_in_words, position_in_words, switch_words
from bot.tg.screens.sharing import wish_words

Row = Mapping[str, Any]
Entries = Callable[[str], Iterable[Any]]
_NOT_OURS: Final = "–"


def page(view: View, found: document.Document, entries: Entries | None = None) -> str:
    """Return the page of a document, in its owner's language.

    `entries` returns the entries of a section, if the document itself doesn't contain them. The page is generated piece
    by piece, so that other threads get their turn.
    """
    writer = _Writer(view, entries or (lambda section: getattr(found, section)))
    pieces = template("export.html").generate(
        say=view.say,
        texts=_texts(view, found),
        months=writer.months(),
        sections=writer.sections(),
        settings=writer.settings(found.profile) if found.profile else (),
    )
    return "".join(pieces)


def worded(view: View, entries: Sequence[document.Part]) -> Sequence[document.Part]:
    """Add the texts of questions and Shelf words to entries."""
    return [entry.model_copy(update=_readable(view, entry)) for entry in entries]


def _readable(view: View, entry: document.Part) -> dict[str, Any]:
    found: dict[str, Any] = {}
    question = getattr(entry, "question", None)
    if isinstance(question, document.Question) and (prompt := view.library.prompts.get(question.id)):
        found["question"] = question.model_copy(update={"text": view.say.title(prompt.text)})
    if isinstance(entry, document.Line) and entry.feelings:
        found["feelings"] = [_named(view, feeling) for feeling in entry.feelings]
    return found


def _named(view: View, feeling: document.Feeling) -> document.Feeling:
    word = view.library.shelf.get(feeling.shelf or "")
    return feeling.model_copy(update={"word": view.say.title(word.text)}) if word else feeling


def _texts(view: View, found: document.Document) -> Mapping[str, Markup]:
    say = view.say
    texts = {
        # Translators: title of the page with everything a user has written
        "title": say("Your lines"),
        # Translators: below the title of the exported page. %(date)s is a date in words.
        "made": say("As they were on %(date)s.", date=say.date(found.made_at.date(), year=True)),
        # Translators: on the exported page
        "care": say("This file is not encrypted. Keep it where nobody reads along."),
        # Translators: on the exported page, what is not on it; "the JSON file" is sent with it
        "not_here": say(
            "What your partner wrote is theirs and isn't here. The questions of each day are in the JSON file."
        ),
        # Translators: a line was changed later
        "changed": say("changed later"),
        # Translators: heading on the exported page
        "settings": say("Settings"),
        # Translators: the exported page has no lines
        "nothing": say("There are no lines yet."),
    }
    if not (found.last and found.part == 1):
        # Translators: below the title of the exported page, if there are several. %(n)s is 2, for example.
        texts["made"] += " " + say("Part %(n)s.", n=found.part)
    return {name: Markup(text) for name, text in texts.items()}  # noqa: S704  # our own texts; values are escaped


class _Writer:
    """Turns entries into values for the template."""

    def __init__(self, view: View, entries: Entries) -> None:
        self._view = view
        self._entries = entries
        self._say: Say = view.say

    def months(self) -> Iterator[Row]:
        by_month = groupby(self._entries("lines"), key=lambda line: (line.date.year, line.date.month))
        return (
            {"name": self._say.month_in_full(found[0].date), "lines": [self._line(line) for line in found]}
            for found in (list(group) for _, group in by_month)
        )

    def _line(self, line: document.Line) -> Row:
        return {
            "date": Markup(self._say.date(line.date)),  # noqa: S704  # made by Babel
            "iso": line.date.isoformat(),
            "question": line.question.text if line.question else None,
            "words": _NOT_OURS if line.words is None else line.words,
            "feelings": [feeling.word for feeling in line.feelings if feeling.word],
            "changed": line.changed_at is not None,
        }

    def sections(self) -> list[Row]:
        say = self._say
        sections = (
            # Translators: heading on the exported page
            (say("What you shared, or began to"), [self._reflection(each) for each in self._entries("reflections")]),
            # Translators: heading on the exported page: answers to what the partner shared
            (say("What you answered"), [self._response(each) for each in self._entries("responses")]),
            # Translators: heading on the exported page: what they wrote or noted after the partner had answered
            (say("What you said to an answer"), [self._remark(each) for each in self._entries("remarks")]),
            # Translators: heading on the exported page: questions they keep to ask their partner in person
            (say("Questions to ask in person"), [self._kept(each) for each in self._entries("kept_questions")]),
            # Translators: heading on the exported page: texts that were sent but not kept as lines yet
            (say("Texts you haven't decided about"), [self._draft(each) for each in self._entries("drafts")]),
        )
        return [{"heading": Markup(name), "entries": entries} for name, entries in sections if entries]  # noqa: S704

    def _reflection(self, each: document.Reflection) -> Row:
        say = self._say
        # Translators: on the exported page, before a wish such as "Just listen"
        notes = (
            [say("Your wish: %(wish)s.", wish=wish_words(say)[Wish(each.wish)].choice)]
            if each.wish in set(Wish)
            else []
        )
        if each.state == "draft":
            # Translators: on the exported page: something was prepared for sharing and hasn't been shared
            notes.insert(0, say("Not shared."))
        if each.expected in set(Reception):
            # Translators: on the exported page: what a sharer privately expected; %(what)s is like "Laughed at"
            notes.append(say("You expected: %(what)s.", what=reception_words(say)[Reception(each.expected)]))
        if each.came in set(Reception):
            # Translators: on the exported page: what came after sharing; %(what)s is like "Advice"
            notes.append(say("What came: %(what)s.", what=reception_words(say)[Reception(each.came)]))
        words = " / ".join(text for text in (each.words, each.rewording) if text)
        return self._entry(each.shared_at or each.drafted_at, words, notes, each.question)

    def _response(self, each: document.Response) -> Row:
        return self._entry(each.sent_at, each.words or self._ready_made(each.answer), [])

    def _remark(self, each: document.Remark) -> Row:
        say = self._say
        landed = {
            # Translators: on the exported page: the partner's answer was all right for the one who shared
            True: say("It landed all right."),
            # Translators: on the exported page: the partner's answer was not really all right for the one who shared
            False: say("It didn't really land."),
        }
        return self._entry(
            each.follow_up_at or each.shared_at, each.follow_up or "",
            [landed[each.landed]] if each.landed is not None else [],
        )  # fmt: skip

    def _kept(self, each: document.KeptQuestion) -> Row:
        return self._entry(each.due_at, self._ready_made(each.question), [])

    def _ready_made(self, answer: str) -> str:
        """Return the text of a ready-made Response; its name, if this version doesn't have it."""
        return ready_made(self._say, ResponseKind(answer)) if answer in set(ResponseKind) else answer

    def _draft(self, each: document.Draft) -> Row:
        return self._entry(each.sent_at, each.words or _NOT_OURS, [])

    def _entry(
        self, at: datetime | None, words: str, notes: list[str], question: document.Question | None = None
    ) -> Row:
        return {
            "date": Markup(self._say.date(at.date(), year=True)) if at else "",  # noqa: S704  # made by Babel
            "iso": at.date().isoformat() if at else "",
            "question": question.text if question else None,
            "words": words,
            "notes": [Markup(note) for note in notes],  # noqa: S704  # our own texts; values are escaped
        }

    def settings(self, profile: document.Profile) -> list[tuple[Markup, str]]:
        say, view = self._say, self._view
        quiet = QuietHours(profile.quiet_from, profile.quiet_to) if profile.quiet_from and profile.quiet_to else None
        subjects = len(profile.muted_themes) + len(profile.muted_sensitivities)
        settings = (
            # Translators: a setting on the exported page: the name the partner sees
            (say("Name"), profile.name or say("not set")),
            # Translators: a setting on the exported page: since when they use the bot
            (say("Here since"), say.date(profile.since.date(), year=True)),
            # Translators: a setting on the exported page: the hour of the daily question
            (say("Hour"), say.clock(profile.ask_at) if profile.ask_at else say("none")),
            # Translators: a setting on the exported page: weekdays with a question
            (say("Days"), days_in_words(view, frozenset(day - 1 for day in profile.days))),
            # Translators: a setting on the exported page: the place whose time it is
            (say("Clock"), say.city(profile.zone) if profile.zone else say("not set")),
            (say("Language"), say.language_name(profile.language)),
            # Translators: a setting on the exported page: how deep questions may go
            (say("Up to"), depth_in_words(view, profile.ceiling)),
            # Translators: a setting on the exported page: subjects that are left out
            (say("Left out"), say.plural("%(n)s subject", "%(n)s subjects", subjects) if subjects else say("nothing")),
            (say("Quiet hours"), hours_in_words(view, quiet)),
            *((words.label, position_in_words(say, switch, profile)) for switch, words in switch_words(say).items()),
        )
        return [(Markup(label), Markup.escape(value)) for label, value in settings]  # noqa: S704
