"""Routes: which use case takes which command or tap.

A route is one entry of the table in `bot.tg.table`. Most commands and taps are only passed on: the turn becomes a
Visit, the button's values are read, and the use case returns a Result. If something has to be decided first, there is
a handler for it in `bot.tg.handlers`.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVarTuple

from bot.domain.results import ArgumentUnclear, Preface, Result
from bot.services.start import next_step
from bot.services.use_cases import once
from bot.services.visit import Visit
from bot.tg.actions import Action, NotOurs, Tap
from bot.tg.turn import Handler, Turn

Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, without its slash, and its handler."""

    name: str
    handler: Handler
    sets: bool = False
    """Whether it sets a value: if its message is edited, the new value applies."""
    always: bool = False
    """Whether it also works for a user who hasn't agreed to the present policy."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """An action, and the handler for taps on its buttons."""

    action: Action[*tuple[Any, ...]]
    handler: Callable[[Turn, Tap], Awaitable[Result]]
    always: bool = False
    """As for a command."""


class Routes:
    """All routes, by command and by action. Raises TwiceServed, naming the duplicate."""

    def __init__(self, commands: Collection[Command], taps: Iterable[Tapped]) -> None:
        self.commands = once({command.name: command.handler} for command in commands)
        self.setting = {command.name for command in commands if command.sets}
        self.always = {command.name for command in commands if command.always}
        self.taps = once({tap.action.name: tap} for tap in taps)


def command(
    name: str,
    use_case: Callable[[Visit], Awaitable[Result]],
    said: Callable[[Visit, str], Awaitable[Result]] | None = None,
    *,
    sets: bool = False,
) -> Command:
    """Make a command that goes through `when_ready`.

    `said` takes the words that follow the command. Without it, the user is told that such words are unclear, instead of
    having them dropped.
    """

    async def handle(visit: Visit, words: str) -> Result:
        if not words:
            return await use_case(visit)
        return await said(visit, words) if said else ArgumentUnclear(name)

    async def with_words(turn: Turn) -> Result:
        return await when_ready(lambda visit: handle(visit, turn.argument))(turn)

    return Command(name, with_words, sets)


def when_ready(use_case: Callable[[Visit], Awaitable[Result]]) -> Handler:
    """Make a handler for users who have completed the start; others are told so, and taken to their next step.

    It leaves whatever the user was in the middle of.
    """

    async def handle(turn: Turn) -> Result:
        if not turn.is_ready:
            return replace(await next_step(turn.rows, turn.user, turn.now), preface=Preface.NOT_YET)
        await turn.rows.dialogs.forget(turn.user_id)
        return await use_case(turn.visit)

    return handle


def ignoring_argument(use_case: Callable[[Visit], Awaitable[Result]]) -> Callable[[Visit, str], Awaitable[Result]]:
    """For a command that asks before it does anything: whatever follows the command is ignored."""

    async def handle(visit: Visit, _words: str) -> Result:
        return await use_case(visit)

    return handle


def tap(action: Action[*Ts], use_case: Callable[[Visit, *Ts], Awaitable[Result]]) -> Tapped:
    """Make the route of a button that only users who have completed the start can have."""

    async def handle(turn: Turn, tapped: Tap) -> Result:
        if not turn.is_ready:
            raise NotOurs
        return await use_case(turn.visit, *action.read(tapped))

    return Tapped(action, handle)


def tap_once_agreed(action: Action[*Ts], use_case: Callable[[Visit, *Ts], Awaitable[Result]]) -> Tapped:
    """Make the route of a button that also works during the start: under the first question, and under its Line."""

    async def handle(turn: Turn, tapped: Tap) -> Result:
        return await use_case(turn.visit, *action.read(tapped))

    return Tapped(action, handle)


def of_user(use_case: Callable[[Visit, *Ts], Awaitable[Result]]) -> Callable[[Turn, *Ts], Awaitable[Result]]:
    """Make a handler of a use case that any user has, at the start and afterwards. It raises NotOurs for others."""

    async def handle(turn: Turn, *about: *Ts) -> Result:
        return await use_case(turn.visit, *about)

    return handle


def tap_by_anybody(
    action: Action[*Ts], handler: Callable[[Turn, *Ts], Awaitable[Result]], *, always: bool = False
) -> Tapped:
    """Make the route of a button that also works for somebody who is still at the start or hasn't agreed yet.

    `always` is whether it also works for a user who no longer agrees.
    """

    async def handle(turn: Turn, tapped: Tap) -> Result:
        return await handler(turn, *action.read(tapped))

    return Tapped(action, handle, always)
