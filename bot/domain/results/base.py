"""What a result is, and how it is packed into a row and unpacked."""

import json
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from functools import cache
from typing import Any, ClassVar

_MOMENTS: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}


@dataclass(frozen=True, slots=True)
class Result:
    """Base of all results. Each says its `kind`."""

    kind: ClassVar[str]
    """What it is called in rows. It stays as it is when the class gets another name."""
    stale: tuple[int, ...] = field(default=(), kw_only=True)
    """Ids of messages whose buttons no longer hold; they lose them when this is said."""

    @property
    def from_rows(self) -> bool:
        """Whether rows alone can say it again later. Not so where it shows what only the update itself knows."""
        return True

    def pack(self) -> str:
        """This result as JSON, for `unpack`."""
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        if not facts["stale"]:
            del facts["stale"]
        return json.dumps([self.kind, facts], default=_pack_moment, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class AnswerLost(Result):
    """What was to be answered can't be told any more."""

    kind: ClassVar = "AnswerLost"


def unpack(packed: str) -> Result:
    """The result that `pack` wrote, also in an earlier version: facts that it has no more are passed over.

    AnswerLost, which has a sentence for it, where this version doesn't know the kind, or lacks a fact of it.
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
    """All results by what they are called in rows. Raises ValueError where two are called alike, or one has no kind.

    Of a dataclass with slots there are two classes, of which the later one counts.
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
