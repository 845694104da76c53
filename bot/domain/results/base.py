"""The base class of results, and how results are packed into rows and unpacked."""

import json
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Protocol


class Preface(StrEnum):
    """A line to say before a result that the user hasn't asked for."""

    LANGUAGE_SET = "language_set"
    NOT_YET = "not_yet"  # their command works once the start is done
    UNSENT = "unsent"  # what they typed for their partner came too late
    SHARING_ENDED = "sharing_ended"  # as it came after the end of the Pair


_MOMENTS: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}


@dataclass(frozen=True, slots=True)
class Result:
    """Base of all results. Each says its `kind`."""

    kind: ClassVar[str]
    """Its name in rows. It stays the same when the class is renamed."""
    stale: tuple[int, ...] = field(default=(), kw_only=True)
    """Ids of messages whose buttons are outdated; the buttons are removed when this result is shown."""
    keyboard: bool = field(default=False, kw_only=True)
    """Whether a keyboard that shares the location is left on the screen, and goes away when this result is shown."""
    preface: Preface | None = field(default=None, kw_only=True)
    undecided: bool = field(default=False, kw_only=True)
    """Whether a button leads to something else, which waits for a decision."""

    def pack(self) -> str:
        """Return this result as JSON, for `unpack`."""
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        for rare in ("stale", "keyboard", "preface", "undecided"):
            if not facts[rare]:
                del facts[rare]
        return json.dumps([self.kind, facts], default=_pack_moment, separators=(",", ":"))


class OfReflection(Protocol):
    """Any Result about a Reflection."""

    @property
    def reflection_id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class AnswerLost(Result):
    """We can no longer read what the answer was."""

    kind: ClassVar = "AnswerLost"


def unpack(packed: str) -> Result:
    """Return the result that `pack` wrote, even in an earlier version: facts that no longer exist are ignored.

    Returns AnswerLost, which says so to the user, if this version doesn't know the kind or a fact is missing.
    """
    try:
        name, facts = json.loads(packed)
        kind = kinds()[name]
        known = {each.name for each in fields(kind)}
        return kind(**{name: _unpack_value(value) for name, value in facts.items() if name in known})
    except (AttributeError, KeyError, TypeError, ValueError):
        return AnswerLost()


@cache
def kinds() -> dict[str, type[Result]]:
    """Return all classes of results by their kind. Raises ValueError if two share a kind, or one has none.

    `dataclass(slots=True)` creates a second class; only that later one counts.
    """
    classes = {kind.__name__: kind for kind in Result.__subclasses__()}
    if nameless := [name for name, kind in classes.items() if "kind" not in vars(kind)]:
        raise ValueError(f"these results don't say their kind: {', '.join(sorted(nameless))}")
    found = {kind.kind: kind for kind in classes.values()}
    if len(found) < len(classes):
        alike = sorted(name for name, kind in classes.items() if found[kind.kind] is not kind)
        raise ValueError(f"these results have the kind of another one: {', '.join(alike)}")
    return found


def _pack_moment(value: object) -> dict[str, str]:
    if isinstance(value, datetime | date | time):
        return {type(value).__name__: value.isoformat()}
    raise TypeError(f"a result can't hold a {type(value).__name__}")


def _unpack_value(value: Any) -> Any:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        return _MOMENTS[kind].fromisoformat(text)
    if isinstance(value, list):
        return tuple(_unpack_value(item) for item in value)
    return value
