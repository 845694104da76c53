"""Reads the questions that somebody got, in order, and says what is against the rules of the product.

It knows the library, who the person is (`tests.year_in_chat.Temper`), and what was in their chat; nothing of the rows.
A question that comes back because it was put off counts once, when it first came: its person has asked for it. What
they have put in its place the next morning counts for either day.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from bot.domain.content import Prompt, Role, Tag
from bot.library import Library
from tests.year_in_chat import DAY, Chat, Page

YEAR: Final = timedelta(days=365)
FIRST: Final = ("body.where", "work.hands", "home.mended")
WINDOW: Final = 60
SHARES: Final = {1: (100,), 2: (60, 40), 3: (60, 30, 10)}
"""How many of a hundred are at one's depth, one lighter, two lighter; deep ones never follow each other."""
MONDAY: Final = 1
PAUSED: Final = 3
"""How many dates a pause takes."""


@dataclass
class Reader:
    """Reads one chat from its beginning."""

    library: Library
    chat: Chat
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _shown: dict[str, Page] = field(default_factory=dict)
    """By prompt: when it came last."""
    _last: Prompt | None = None
    _mixed: list[tuple[int, int]] = field(default_factory=list)
    _without: list[Page] = field(default_factory=list)

    def reads(self, days: int) -> "Reader":
        """Read everything; each local date of the time in between has to have its question."""
        for page in self.chat.pages:
            self._reads(page)
        self._dates(days)
        self._depths()
        return self

    # A question

    def _reads(self, page: Page) -> None:
        prompt = self.library.prompts.get(page.prompt_id or "")
        if prompt is None:
            self._without_prompt(page)
            return
        self._may_come(prompt, page)
        again = self._shown.get(prompt.id)
        fresh = list(self._fresh(page))
        if again and page.at - again.at < YEAR:
            self.counts["old"] += 1
            self._says(not fresh, page, f"came on {again.day} already, and {len(fresh)} others didn't")
        else:
            self.counts["fresh"] += 1
            self._order(prompt, page, fresh)
        self._shown[prompt.id] = page
        self._last = prompt

    def _without_prompt(self, page: Page) -> None:
        self._mixed.clear()
        kind = "callback" if page.is_callback else "open"
        self.counts[kind] += 1
        self._says(not list(self._fresh(page)), page, "no question, although there are others")
        before = [one for one in self._without if one.is_callback == page.is_callback and one.ask_id != page.ask_id]
        before = [one for one in before if one.is_callback or self._stayed(one)]
        if before:
            apart = max((day(page) - day(before[-1])).days for day in (_came_on, self._meant_for))
            self._says(apart >= (6 if page.is_callback else 3), page, f"{apart} days after the last {kind}")
        if page.is_callback:
            wanted = self.chat.callbacks_from
            self._says(wanted is not None and wanted <= page.at, page, "an older line that wasn't wanted")
            self._says(any(words in page.words for words in self.chat.typed), page, "not their own line")
        self._without.append(page)

    def _meant_for(self, page: Page) -> date:
        """Return the date of a question; what came in its place may have come the next morning, if it was put off."""
        return next(one.day for one in self.chat.pages if one.ask_id == page.ask_id)

    def _stayed(self, page: Page) -> bool:
        """Return whether nothing else came in its place on the same day: an older question that they wanted, say."""
        return [one for one in self.chat.pages if one.ask_id == page.ask_id][-1] is page

    def _may_come(self, prompt: Prompt, page: Page) -> None:
        temper = self.chat.temper
        self._says(prompt.depth <= temper.ceiling, page, f"depth {prompt.depth} is beyond the ceiling")
        self._says(prompt.depth <= page.depth, page, f"depth {prompt.depth} wasn't accepted")
        self._says(prompt.theme not in temper.themes_left_out, page, "a theme left out")
        self._says(prompt.sensitivities.isdisjoint(temper.left_out), page, "a subject left out")
        self._says(prompt.role is Role.TELLER or not page.alone, page, "about two, to somebody alone")
        is_deep = prompt.depth >= 4 and self._last is not None and self._last.depth >= 4
        self._says(not is_deep, page, "two deep ones in a row")
        for tag in self._against(prompt, page):
            self._says(False, page, f"it doesn't suit the day: {tag}")

    def _against(self, prompt: Prompt, page: Page) -> Iterator[str]:
        """Yield what about the day is against this prompt."""
        day, temper = page.day, self.chat.temper
        is_free = day.weekday() in temper.weekend
        is_holiday = f"{day:%m%d}" >= "1220" or f"{day:%m%d}" <= "0106"
        against = {
            Tag.NOT_MONDAY: day.isoweekday() == MONDAY,
            Tag.NOT_FREE_DAY: is_free,
            Tag.FREE_DAY: not is_free,
            Tag.NOT_JANUARY: day.month == 1,
            Tag.DARK_MONTHS: day.month not in temper.dark_months,
            Tag.HOLIDAYS: not is_holiday,
            Tag.NOT_FIRST_WEEK: page.at - self.chat.joined < 7 * DAY,
        }
        yield from (tag for tag in prompt.tags if against[tag])
        if prompt.theme == "work" and is_free and Tag.FREE_DAY not in prompt.tags:
            yield "work"

    def _fresh(self, page: Page) -> Iterable[Prompt]:
        """Yield what could have come instead, without coming again within a year."""
        temper = self.chat.temper
        deepest = min(page.depth, temper.ceiling)
        if page.swapped_from:
            before = self.library.prompts.get(page.swapped_from)
            deepest = min(deepest, max(1, (before.depth if before else 1) - page.lighter_wanted))
        if self._last and self._last.depth >= 4:
            deepest = min(deepest, 3)
        for prompt in self.library.prompts.values():
            again = self._shown.get(prompt.id)
            if (
                prompt.depth <= deepest
                and (again is None or page.at - again.at >= YEAR)
                and prompt.theme not in temper.themes_left_out
                and prompt.sensitivities.isdisjoint(temper.left_out)
                and (prompt.role is Role.TELLER or not page.alone)
                and not any(self._against(prompt, page))
            ):
                yield prompt

    def _order(self, prompt: Prompt, page: Page, fresh: list[Prompt]) -> None:
        """Check the first ones, whose turn among the themes it is, and the mixture of depths."""
        if len(self._shown) < len(FIRST):
            by_hand = [name for name in FIRST if name in {one.id for one in fresh}]
            if by_hand:
                self._says(prompt.id == by_hand[0], page, f"instead of {by_hand[0]}")
                return
        elsewhere = [one for one in fresh if self._last is None or one.theme != self._last.theme] or fresh
        self._says(prompt in elsewhere, page, "the theme of the one before")
        away = {one.theme: self._last_asked(one.theme) for one in elsewhere if one.depth == prompt.depth}
        longest = [theme for theme, at in away.items() if at == min(away.values())]
        self._says(prompt.theme in longest, page, f"{longest[0]} was away for longer")
        if page.swapped_from is None:
            self._mixture(prompt, page, fresh)

    def _last_asked(self, theme: str) -> datetime:
        """Return when something of this theme came last, or the moment they joined."""
        came = (page.at for name, page in self._shown.items() if self.library.prompts[name].theme == theme)
        return max(came, default=self.chat.joined)

    def _mixture(self, prompt: Prompt, page: Page, fresh: list[Prompt]) -> None:
        depth = min(page.depth, self.chat.temper.ceiling)
        of_depth = Counter(one.depth for one in fresh)
        is_free_choice = depth in SHARES and all(of_depth[each] > 1 for each in range(max(1, depth - 2), depth + 1))
        if not is_free_choice or (self._mixed and self._mixed[-1][0] != depth):
            self._mixed.clear()
        if is_free_choice:
            self._mixed.append((depth, prompt.depth))
        if len(self._mixed) < WINDOW:
            return
        self.counts["windows"] += 1
        found = Counter(depth - each for _, each in self._mixed[-WINDOW:])
        for lighter, share in enumerate(SHARES[depth]):
            percent = found[lighter] * 100 / WINDOW
            self._says(abs(percent - share) <= 10, page, f"{percent:.0f} % are {lighter} lighter, not {share}")

    # All questions

    def _dates(self, days: int) -> None:
        """Check that each date has one question, but for those in a pause."""
        first_pages: dict[int, Page] = {}
        for page in self.chat.pages:
            first_pages.setdefault(page.ask_id, page)
        by_day: defaultdict[date, list[Page]] = defaultdict(list)
        for page in first_pages.values():
            by_day[page.day].append(page)
        for day, pages in by_day.items():
            self._says(len(pages) == 1, pages[-1], f"the {len(pages)}th question on {day}")
        began = self.chat.pages[0].day
        missing = {began + number * DAY for number in range(days - 1)} - set(by_day)
        for start in self.chat.pauses:
            paused = [day for day in (start + number * DAY for number in range(PAUSED + 1)) if day in missing]
            self.counts["paused"] += len(paused)
            missing -= set(paused)
            is_over = start + PAUSED * DAY < began + (days - 2) * DAY
            if is_over and len(paused) != PAUSED:
                self.wrong.append(f"{self.chat.temper.zone}: the pause of {start} took {len(paused)} days")
        self.wrong += [f"{self.chat.temper.zone}: no question on {day}" for day in sorted(missing)]

    def _depths(self) -> None:
        """Check that what was refused is never offered or asked again."""
        for at, depth in self.chat.refused:
            for page in self.chat.pages:
                prompt = self.library.prompts.get(page.prompt_id or "")
                if page.at > at and prompt:
                    self._says(prompt.depth < depth, page, f"depth {depth} was refused")
            again = [offered for offered in self.chat.offers if offered[0] > at and offered[1] >= depth]
            self.wrong += [f"{self.chat.temper.zone}: depth {offered} was offered again" for _, offered in again]

    def _says(self, holds: bool, page: Page, what: str) -> None:
        if not holds:
            self.wrong.append(f"{self.chat.temper.zone}, {page.at:%Y-%m-%d %H:%M}, {page.prompt_id}: {what}")


def _came_on(page: Page) -> date:
    return page.day


def transcript(chat: Chat, library: Library) -> str:
    """Return the questions as their person read them, with the depth of each and what they did."""
    lines = []
    for page in chat.pages:
        prompt = library.prompts.get(page.prompt_id or "")
        depth = prompt.depth if prompt else "-"
        words = " / ".join(line for line in page.words.split("\n") if line)
        lines.append(f"{page.day:%a %d %b} {depth} {words} [{', '.join(chat.done[page.ask_id])}]")
    return "\n".join(lines) + "\n"
