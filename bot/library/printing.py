"""Prints prompts for their writers and translators: as a user would see them, or over a year."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time

from bot import calendars
from bot.domain.content import Prompt
from bot.domain.model import User
from bot.i18n import Say
from bot.library import Library
from bot.library.rehearsal import Rehearsal, RehearsedDay


def cards(library: Library, say: Say, *, depths: Collection[int], themes: Collection[str]) -> Iterator[str]:
    """Yield each prompt of these depths and themes, all if empty, with its Examples, in the language of `say`."""
    for prompt in library.prompts.values():
        if (not depths or prompt.depth in depths) and (not themes or prompt.theme in themes):
            yield _card(prompt, say)


def year(
    library: Library, say: Say, *, ceiling: int, paired: bool, zone: str, first: date, days: int = 365
) -> Iterator[str]:
    """Yield what a user with this ceiling would be asked on each day of a year.

    They accept each depth up to the ceiling, answer every day, live in `zone`, and want older Lines to be brought back.
    """
    since = datetime.combine(first, time(), UTC)
    person = User(1, say.language, since, zone=zone, ceiling=ceiling, callbacks=True)
    rehearsal = Rehearsal(library, person, paired, calendars.weekend(zone), calendars.dark_months(zone))
    for each in rehearsal.days(first, days):
        yield f"{each.today.date}  {say.weekday_short(each.today.date):<3}  {_line(each, say)}"


def _card(prompt: Prompt, say: Say) -> str:
    facts = [f"depth {prompt.depth}", prompt.role, prompt.format, *sorted(prompt.sensitivities), *sorted(prompt.tags)]
    examples = "\n".join(f"  – {say.title(example)}" for example in prompt.examples)
    return f"{prompt.id}  ({', '.join(facts)})\n{say.title(prompt.text)}\n{examples}\n"


def _line(day: RehearsedDay, say: Say) -> str:
    prompt = day.found.prompt
    if prompt is None:
        return "-  an older line of theirs" if day.found.callback_line_id else "-  (no question)"
    again = "" if day.is_fresh else "  (again)"
    return f"{prompt.depth}  {prompt.theme:<11}{say.title(prompt.text)}{again}"
