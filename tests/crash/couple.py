"""Two people who pair, share, receive and part, and expect of the bot what anybody would."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.demo.calls import Calls
from tests.crash.life import Life, answers_in
from tests.standin import Seen


class End(StrEnum):
    """The expected answer about something shared, by its state in the database."""

    ANSWERED = "answered"
    TAKEN_BACK = "withdrawn"
    LEFT = "cancelled"


class Post(Calls):
    """The stand-in's log of calls, which also counts how often each announcement and each Response arrived."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(calls._now)
        self.announced: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    def add(self, method: str, params: dict[str, Any], status: int, result_or_error: Any, *, ok: bool) -> None:
        super().add(method, params, status, result_or_error, ok=ok)
        if method == "sendMessage" and ok:
            markup = result_or_error.get("reply_markup", {})
            self.announced.update(_carried(markup, "not_now:"))
            self.answered.update(_carried(markup, "landed:yes."))


@dataclass
class Couple:
    """The sharer and the receiver, and what became of everything shared."""

    alice: Life
    bob: Life
    ends: dict[int, End] = field(default_factory=dict)
    """By Reflection."""
    _set: int = 0
    """The Reflection that is on its way."""
    _words: str = ""
    _known: set[str] = field(default_factory=set)
    """Ids of Invites and Responses that were seen before."""

    async def pairs(self) -> None:
        """Let each say yes to the other."""
        await self.alice.person.says("/pair")
        shown = await self.alice._sees(lambda seen: self._link(seen) not in self._known | {""})
        self._known.add(link := self._link(shown))
        await self.bob.person.follows(link)
        asked = await self.bob._sees(self._fresh("guest_yes:"))
        await self._taps(self.bob, "Yes", asked, lambda seen: not _carried(seen.markup, "guest_yes:"))
        came = await self.alice._sees(self._fresh("pair_yes:"))
        await self._taps(self.alice, "Yes, us two", came, lambda seen: "can share lines now" in seen.text)
        self._known.update(_carried(asked.markup, "guest_yes:"), _carried(came.markup, "pair_yes:"))

    async def morning(self) -> None:
        """Let Alice answer her question and share the answer."""
        asked = await self.alice._sees(self._fresh("skip:"))
        self._known.update(_carried(asked.markup, "skip:"))
        await self.alice._answers()
        line_id, self._words = list(self.alice.kept.items())[-1]
        kept = await self.alice._sees(lambda seen: str(line_id) in _carried(seen.markup, "share:"))
        await self.alice.person.taps("Share…", kept)
        preview = await self.alice._sees(self._fresh("share_wish:listen.0."))
        (about,) = _carried(preview.markup, "share_wish:listen.0.")
        self._known.add(about)
        self._set = int(about)
        times = await self._taps(
            self.alice, "Just listen", preview, lambda seen: bool(_carried(seen.markup, "share_days:"))
        )
        when = next(label for label in times.labels if label.startswith("In "))
        await self._taps(self.alice, when, times, lambda seen: seen.text.startswith("Set for"))

    async def later(self) -> None:
        """Handle an announcement as the two would."""
        announced = await self.bob._sees(self._about("not_now:"))
        end = self.alice.chance.choices(list(End), (4, 1, 1))[0]
        self.ends[self._set] = end
        if end is End.ANSWERED:
            await self._receives(announced)
        elif end is End.TAKEN_BACK:
            mine = await self.alice._sees(self._about("share_back:"))
            await self._taps(self.alice, "Take it back", mine, lambda seen: seen.text.startswith("Taken back"))
            await self._taps(self.bob, "Open", announced, lambda seen: "has taken this one back" in seen.text)
        else:
            await self._part()

    async def _receives(self, announced: Seen) -> None:
        await self.bob.person.taps("Open", announced)
        opened = await self.bob._sees(self._about("respond:thanks."))
        assert opened.spoilers()[-1:] == [self._words]
        await self.bob.person.taps("Thank you for telling me", opened)
        preview = await self.bob._sees(self._fresh("reply_send:"))
        self._known.update(_carried(preview.markup, "reply_send:"))
        await self._taps(self.bob, "Send it", preview, lambda seen: "Undo" in seen.labels)

    async def hears(self) -> None:
        """Let Alice hear of the answer, if there is one, once it has gone out."""
        if self.ends[self._set] is not End.ANSWERED:
            return
        heard = await self.alice._sees(self._fresh("landed:yes."))
        self._known.update(_carried(heard.markup, "landed:yes."))
        assert self._words in heard.text
        await self._taps(self.alice, "Yes", heard, lambda seen: not seen.labels)

    async def _part(self) -> None:
        """Let Bob end it and Alice hear of it when she reaches for it; then both change their minds."""
        await self.bob.person.says("/unpair")
        asked = await self.bob._sees(self._fresh("unpair:"))
        self._known.update(_carried(asked.markup, "unpair:"))
        await self._taps(self.bob, "End it now", asked, lambda seen: not seen.labels)
        mine = await self.alice._sees(self._about("share_back:"))
        await self._taps(self.alice, "Take it back", mine, lambda seen: not seen.labels)
        await self.pairs()

    async def _taps(self, who: Life, label: str, message: Seen, until: Callable[[Seen], bool]) -> Seen:
        """Tap, and return the answer once it is there."""
        last = who.person.last.message_id
        await who.person.taps(label, message)
        return await who._sees(lambda seen: answers_in(seen, message, last) and until(seen))

    def _link(self, seen: Seen) -> str:
        keys = [key for row in seen.markup.get("inline_keyboard", []) for key in row]
        return next((text for key in keys if "start=" in (text := key.get("copy_text", {}).get("text", ""))), "")

    def _fresh(self, action: str) -> Callable[[Seen], bool]:
        """True for a message with a button for this, with an id that was not there before."""
        return lambda seen: bool(set(_carried(seen.markup, action)) - self._known)

    def _about(self, action: str) -> Callable[[Seen], bool]:
        """True for a message with a button for this about the Reflection on its way."""
        return lambda seen: str(self._set) in _carried(seen.markup, action)


def _carried(markup: dict[str, Any], action: str) -> list[str]:
    """Return the data of the buttons for this, like the id after `open:`."""
    data = [key.get("callback_data", "") for row in markup.get("inline_keyboard", []) for key in row]
    return [one.removeprefix(f"v1:{action}") for one in data if one.startswith(f"v1:{action}")]
