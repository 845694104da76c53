"""Checks simulated lives against the promises: each date once, nothing in quiet hours, nothing twice."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.domain.model import Ask, AskState, Rhythm, SkippedSpan, SkipReason, User
from bot.domain.times import local_date
from tests.simulation import DAY, Life, Sent, Span, Town

AT_THEIR_WORD = timedelta(minutes=31)
"""How late a message can be and still count as sent at the time its user chose."""
LATEST = timedelta(hours=16)
"""A question is no longer put six hours after the promised time, plus the night that follows."""
STILL_THERE = timedelta(minutes=10)


@dataclass
class Account:
    """What is wrong, in words, and how often each kind of thing happened."""

    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


async def account(town: Town) -> Account:
    found = Account()
    sent: dict[int, list[Sent]] = defaultdict(list)
    for each in town.phones.sent:
        sent[each.user_id].append(each)
    for life in town.lives:
        async with town.store.reading() as rows:
            user = await rows.users.find(life.id)
            skipped = await rows.skipped.of(life.id)
            asks = sorted(await rows.asks.between(life.id, date.min, date.max), key=lambda ask: ask.day)
        assert user
        _Books(town, life, user, asks, skipped, sent[life.id], found).check()
    return found


@dataclass
class _Books:
    town: Town
    life: Life
    user: User
    asks: list[Ask]
    skipped: list[SkippedSpan]
    sent: list[Sent]
    found: Account

    def check(self) -> None:
        self._each_date_once()
        self._nothing_is_left_out_at_the_end()
        for ask in self.asks:
            self._why_asked(ask)
        for span in self.skipped:
            for day in _dates(span):
                self.found.counts[span.reason] += 1
                self._why_not(span.reason, day)
        self._messages()
        if self.life.too_deep:
            self._wrong(f"asked deeper than was ever taken: {self.life.too_deep}")

    def _wrong(self, what: str) -> None:
        self.found.wrong.append(f"{self.life.id}: {what}")

    def _each_date_once(self) -> None:
        days = sorted([ask.day for ask in self.asks] + [day for span in self.skipped for day in _dates(span)])
        if self.user.last_day is None:
            return
        first = days[0]
        expected = [first + ahead * DAY for ahead in range((self.user.last_day - first).days + 1)]
        if days != expected:
            twice = [day for day, times in Counter(days).items() if times > 1]
            self._wrong(f"twice: {twice}, never: {sorted(set(expected) - set(days))}")

    def _nothing_is_left_out_at_the_end(self) -> None:
        """For a user who is asked daily, the next question planned is for the next of their days."""
        user = self.user
        if not user.reachable or user.rhythm is not Rhythm.DAILY:
            return
        if user.planned is None:
            self._wrong("is to be asked, and nothing is planned")
        elif user.last_day and user.zone:
            open_days = [user.last_day + ahead * DAY for ahead in range(1, (user.planned.day - user.last_day).days)]
            today = local_date(self.town.clock.now(), user.zone)
            if any(day.weekday() in user.days and day < today for day in open_days):
                self._wrong(f"dates before the planned {user.planned.day} are open: {open_days}")

    def _why_asked(self, ask: Ask) -> None:
        self.found.counts["missed" if ask.state is AskState.MISSED else "asked"] += 1
        if ask.state is AskState.MISSED:
            if not self._in_trouble(ask.due_at, timedelta(hours=12)):
                self._wrong(f"{ask.day} is missed, and the bot was not down at {ask.due_at}")
        elif not any(each.ask_id == ask.id for each in self.sent):
            late = timedelta(days=2)
            explained = (
                self._in_trouble(ask.due_at, late)
                or _near(self.life.paused, ask.due_at, late)
                or _near(self.life.away, ask.due_at, late)
                or ask.due_at > self.town.clock.now() - late
                or ask.state in {AskState.OPEN, AskState.ANSWERED, AskState.SKIPPED, AskState.SNOOZED}
            )  # a question asked for by /today is answered at once; it isn't a message of the bot's own
            if not explained and ask.shown_at is None:
                self._wrong(f"{ask.day} was asked, and nothing was sent")

    def _in_trouble(self, moment: datetime, slack: timedelta) -> bool:
        troubles = (*self.town.down, *self.town.cut)
        return any(start <= moment < end or moment <= start < moment + slack for start, end in troubles)

    def _why_not(self, kind: SkipReason, day: date) -> None:
        """The recorded reason is the real one."""
        noon = datetime.combine(day, datetime.min.time(), self.town.clock.now().tzinfo) + timedelta(hours=12)
        near = timedelta(hours=38)  # any time of that date in any zone
        if kind is SkipReason.PAUSED and not _near(self.life.paused, noon - near, 2 * near):
            self._wrong(f"{day} is recorded as paused")
        if kind is SkipReason.AWAY and not _near(self.life.away, noon - near, 2 * near):
            self._wrong(f"{day} is recorded as away")
        if kind is SkipReason.JUMPED and not any(abs(moved - noon) < 2 * near for moved in self.life.moved):
            self._wrong(f"{day} is recorded as jumped over")
        if kind is SkipReason.MISSED and not self._in_trouble(noon - near, 2 * near):
            self._wrong(f"{day} is recorded as missed")
        if kind is SkipReason.OFF:
            changes = [moment for moment, _ in self.life.days]
            theirs = [
                days
                for (moment, days), until in zip(self.life.days, [*changes[1:], noon + 999 * DAY], strict=True)
                if moment < noon + near and until > noon - near
            ]
            if all(day.weekday() in days for days in theirs):
                self._wrong(f"{day} is recorded as no day of theirs")

    def _messages(self) -> None:
        due = {ask.id: ask.due_at for ask in self.asks}
        copies: Counter[int] = Counter()
        for each in self.sent:
            self.found.counts[each.said] += 1
            if each.in_pause:
                self._wrong(f"{each.said} in a pause, at {each.at}")
            if each.ask_id and "still" not in each.said:
                copies[each.ask_id] += 1
                promised = [due[each.ask_id], *self.life.promises.get(each.ask_id, [])]
                if all(each.at - moment > LATEST for moment in promised):
                    self._wrong(f"the question of {promised} came at {each.at}")
            if not each.in_quiet_hours:
                continue
            self.found.counts["in quiet hours, at the hour that was chosen"] += 1
            promised = [due[each.ask_id], *self.life.promises.get(each.ask_id, [])] if each.ask_id else []
            at_their_word = any(timedelta() <= each.at - moment <= AT_THEIR_WORD for moment in promised)
            if each.said.startswith("Offer"):
                at_their_word = each.at - self.life.last_spoke(each.at) <= STILL_THERE
            if not at_their_word or "still" in each.said:
                self._wrong(f"{each.said} in quiet hours, at {each.at}")
        for ask_id, times in copies.items():
            most = 1 + len(self.life.promises.get(ask_id, [])) + (ask_id in self.town.phones.unclear)
            if times > most:
                self._wrong(f"a question came {times} times")


def _dates(span: SkippedSpan) -> list[date]:
    return [span.first + ahead * DAY for ahead in range((span.last - span.first).days + 1)]


def _near(spans: list[Span], moment: datetime, slack: timedelta) -> bool:
    """Return whether one of them overlaps the time from `moment` to `slack` later."""
    return any(span.start <= moment + slack and (span.end is None or span.end >= moment) for span in spans)
