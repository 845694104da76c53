"""Handlers of the button *Share…* under a Line."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.domain.results import Result
from bot.domain.results.pairing import NotPaired, SharingEnded
from bot.services.visit import Visit


def beside_the_line(
    use_case: Callable[[Visit, int], Awaitable[Result]],
) -> Callable[[Visit, int], Awaitable[Result]]:
    """Answer beside the Line, whose message must stay, as it has the buttons that change and delete the Line."""

    async def handle(visit: Visit, line_id: int) -> Result:
        result = await use_case(visit, line_id)
        return replace(result, beside=True) if isinstance(result, NotPaired | SharingEnded) else result

    return handle
