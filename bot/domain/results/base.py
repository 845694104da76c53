"""What a result is, and how it is packed into a row and unpacked."""

import json
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from functools import cache
from typing import Any

_MOMENTS: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}


@dataclass(frozen=True, slots=True)
class Result:
    """Base of all results."""

    stale: tuple[int, ...] = field(default=(), kw_only=True)
    """Ids of messages whose buttons no longer hold; they lose them when this is said."""

    def pack(self) -> str:
        """This result as JSON, for `unpack`."""
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        if not facts["stale"]:
            del facts["stale"]
        return json.dumps([type(self).__name__, facts], default=_pack_moment, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class AnswerLost(Result):
    """What was to be answered can't be told any more."""


def unpack(packed: str) -> Result:
    """The result that `pack` wrote, also in a version of before: facts that it has no more are passed over.

    AnswerLost where this version can't read it.
    """
    try:
        name, facts = json.loads(packed)
        kind = _kinds()[name]
        known = {each.name for each in fields(kind)}
        return kind(**{name: _unpack_value(value) for name, value in facts.items() if name in known})
    except (AttributeError, KeyError, TypeError, ValueError):
        return AnswerLost()


@cache
def _kinds() -> dict[str, type[Result]]:
    return {kind.__name__: kind for kind in Result.__subclasses__()}


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
