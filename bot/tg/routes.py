"""Routes: which use case handles which command or tap.

A route is one entry of the table in `bot.tg.table`. Most routes only pass on: the turn becomes a Visit, the button's
values are read, and the use case returns a Result. If something has to be decided first, there is a handler in
`bot.tg.handlers`.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVarTuple

from bot.domain.results import ArgumentUnclear, Preface, Result
from bot.services.start import next_step
from bot.services.use_cases import merge
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
    """Whether it sets a value, so that editing its message sets the new one."""
    always: bool = False
    """Whether it also works for a user who doesn't agree to the current policy."""


@dataclass(frozen=True, slots=True)
class TapRoute:
    """An action, and the handler for taps on its buttons."""

    action: Action[*tuple[Any, ...]]
    handler: Callable[[Turn, Tap], Awaitable[Result]]
    always: bool = False
    """As in Command."""


class Routes:
    """All routes, by command and by action. Raises DuplicateService, naming the duplicate."""

    def __init__(self, commands: Collection[Command], taps: Iterable[TapRoute]) -> None:
        self.commands = merge({command.name: command.handler} for command in commands)
        self.setting = {command.name for command in commands if command.sets}
        self.always = {command.name for command in commands if command.always}
        self.taps = merge({tap.action.name: tap} for tap in taps)


def command(
    name: str,
    use_case: Callable[[Visit], Awaitable[Result]],
    said: Callable[[Visit, str], Awaitable[Result]] | None = None,
    *,
    sets: bool = False,
) -> Command:
    """Make a command that goes through `when_ready`.

    `said` takes the words after the command. Without it we tell the user that such words are unclear, rather than
    dropping them.
    """

    async def handle(visit: Visit, words: str) -> Result:
        if not words:
            return await use_case(visit)
        return await said(visit, words) if said else ArgumentUnclear(name)

    async def with_words(turn: Turn) -> Result:
        return await when_ready(lambda visit: handle(visit, turn.argument))(turn)

    return Command(name, with_words, sets)


def when_ready(use_case: Callable[[Visit], Awaitable[Result]]) -> Handler:
    """Make a handler for users who have completed the start. Others are told so, and get their next step.

    The handler also stops waiting for any text from the user.
    """

    async def handle(turn: Turn) -> Result:
        if not turn.is_ready:
            return replace(await next_step(turn.rows, turn.user, turn.now), preface=Preface.NOT_YET)
        await turn.rows.dialogs.forget(turn.user_id)
        return await use_case(turn.visit)

    return handle


def ignoring_argument(use_case: Callable[[Visit], Awaitable[Result]]) -> Callable[[Visit, str], Awaitable[Result]]:
    """Ignore the words after a command, which is fine for one that asks before it does anything."""

    async def handle(visit: Visit, _words: str) -> Result:
        return await use_case(visit)

    return handle


def tap(action: Action[*Ts], use_case: Callable[[Visit, *Ts], Awaitable[Result]]) -> TapRoute:
    """Make the route of a button that only users who have completed the start get."""

    async def handle(turn: Turn, tapped: Tap) -> Result:
        if not turn.is_ready:
            raise NotOurs
        return await use_case(turn.visit, *action.read(tapped))

    return TapRoute(action, handle)


def tap_once_agreed(action: Action[*Ts], use_case: Callable[[Visit, *Ts], Awaitable[Result]]) -> TapRoute:
    """Make the route of a button that also works during the start, under the first question or its Line."""

    async def handle(turn: Turn, tapped: Tap) -> Result:
        return await use_case(turn.visit, *action.read(tapped))

    return TapRoute(action, handle)


def of_user(use_case: Callable[[Visit, *Ts], Awaitable[Result]]) -> Callable[[Turn, *Ts], Awaitable[Result]]:
    """Make a handler of a use case for any user, also during the start. It raises NotOurs without a user."""

    async def handle(turn: Turn, *about: *Ts) -> Result:
        return await use_case(turn.visit, *about)

    return handle


def tap_by_anybody(
    action: Action[*Ts], handler: Callable[[Turn, *Ts], Awaitable[Result]], *, always: bool = False
) -> TapRoute:
    """Make the route of a button that also works for people who are still at the start or haven't agreed yet.

    With `always` it also works for a user who no longer agrees.
    """

    async def handle(turn: Turn, tapped: Tap) -> Result:
        return await handler(turn, *action.read(tapped))

    return TapRoute(action, handle, always)
