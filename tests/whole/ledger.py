"""What three people have typed and what must have become of it: the model that the machine compares the bot with.

It knows nothing of how the bot decides. It knows which kind of act may add, change or remove a Line, which texts a
Line may consist of, and which texts somebody has let somebody else see.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from bot.domain.typed import first_300, fold_line
from tests.whole.town import MARK, writer

KEEPS: Final = frozenset({"keep", "replace"})
"""Buttons that make a Line of a text that was set aside, or change one by it."""
REMOVES: Final = frozenset({"erase_line"})
ENDS: Final = frozenset({"erase_all"})
"""Buttons that remove everything of their user's."""
SHOWS: Final = frozenset(
    {"share_at", "share_time", "share_soon", "share_sure", "share_use", "share_use_sure", "share_named"}
    | {"reply_send", "send", "respond", "stem", "follow_up_send", "rit_in", "rit_sure"}
)
"""Buttons by which somebody lets their partner see the present or former text of that message."""


@dataclass(frozen=True)
class Act:
    """What somebody did: the text that they sent or edited, or what the button carries that they tapped."""

    user_id: int | None
    """None for what nobody did: time passed, Telegram failed, the bot was restarted."""
    text: str | None = None
    data: str | None = None

    @property
    def action(self) -> str:
        return self.data.split(":")[1] if self.data else ""


@dataclass
class Ledger:
    """Texts and Lines by user."""

    messages: dict[str, int] = field(default_factory=dict)
    """By mark: in which message the text was sent. An edited message contains another text."""
    texts: dict[str, str] = field(default_factory=dict)
    """By mark: the text as a Line would contain it."""
    lines: defaultdict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    granted: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By user: the marks of others' texts that those have let them see."""

    def typed(self, text: str, message_id: int) -> None:
        for found in MARK.findall(text):
            self.messages[found] = message_id
            self.texts[found] = first_300(fold_line(text))

    def grant(self, marks: set[str], user_id: int) -> None:
        """Note that somebody lets this user see the texts with these marks."""
        self.granted[user_id] |= marks

    def strange(self, user_id: int, marks: set[str]) -> set[str]:
        """Return those of these marks that this user may not see."""
        return {one for one in marks if writer(one) != user_id} - self.granted[user_id]

    def became(self, act: Act, now: dict[int, dict[int, str]]) -> list[str]:
        """Take over the Lines as they are now. Return what this act can't have done."""
        wrong: list[str] = []
        for user_id in {*now, *self.lines}:
            before, after = self.lines[user_id], now.get(user_id, {})
            if before != after:
                wrong += self._changes(act, user_id, before, after)
            self.lines[user_id] = dict(after)
            wrong += self._doubled(user_id, after)
        return wrong

    def _changes(self, act: Act, user_id: int, before: dict[int, str], after: dict[int, str]) -> list[str]:
        if act.user_id != user_id:
            return [f"the Lines of {user_id} changed without an act of theirs: {_difference(before, after)}"]
        if act.action in ENDS and not after:
            return []
        gone = before.keys() - after.keys()
        may_go = {int(act.data.split(":")[2].split(".")[0])} if act.data and act.action in REMOVES else set()
        wrong = [f"Line {line_id} was lost: {before[line_id]}" for line_id in gone - may_go]
        changed = [line_id for line_id in after if before.get(line_id) != after[line_id]]
        if len(changed) > 1:
            wrong.append(f"one act changed several Lines: {_difference(before, after)}")
        for line_id in changed:
            if act.text is None and act.action not in KEEPS:
                wrong.append(f"{act} made a Line: {after[line_id]}")
            elif after[line_id] not in self._could_be(act):
                wrong.append(f"{act} made a Line of words that weren't typed: {after[line_id]}")
        return wrong

    def _could_be(self, act: Act) -> set[str]:
        if act.text is not None:
            return {fold_line(act.text)}
        return {text for mark, text in self.texts.items() if writer(mark) == act.user_id}

    def _doubled(self, user_id: int, lines: dict[int, str]) -> list[str]:
        found = [self.messages[one] for words in lines.values() for one in MARK.findall(words) if one in self.messages]
        return [f"a message of {user_id} became two Lines: {lines}"] if len(found) != len(set(found)) else []


def _difference(before: dict[int, str], after: dict[int, str]) -> str:
    return f"{sorted(before.items() - after.items())} became {sorted(after.items() - before.items())}"
