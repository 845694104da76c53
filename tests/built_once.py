"""Fails a test in which a statement that is executed with values is built anew, instead of once for all.

Such a statement is compiled again each time, which takes several times as long as executing it, and takes the place of
another one among the compiled statements that are remembered.
"""

from collections import defaultdict
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Dialect, Executable

from bot.storage import prepared

_MOST: Final = 4
"""How many statements may have the same text: those that differ only in a constant, like the state of a row."""
_built: Final[defaultdict[tuple[Any, ...], list[Executable]]] = defaultdict(list)
"""By what they were compiled to."""


def build_once() -> None:
    """Look at every statement from now on."""
    compiled = prepared._prepared.__wrapped__

    def prepare(statement: Executable, names: tuple[str, ...], lengths: prepared.Lengths, dialect: Dialect) -> Any:
        made = compiled(statement, names, lengths, dialect)
        if made is not None:
            same = _built[made.text, names, lengths, dialect.name]
            if not any(each is statement for each in same):
                same.append(statement)
            assert len(same) <= _MOST, f"built again and again instead of once: {made.text}"
        return made

    setattr(prepared, "_prepared", lru_cache(prepared.REMEMBERED)(prepare))  # noqa: B010  # for mypy
