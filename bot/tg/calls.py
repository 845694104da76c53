"""Calls of the Bot API in which the refusal matters: what Telegram said, word for word, and how long to wait.

python-telegram-bot turns answers into exceptions of its own and loses the code, the description, or both.
"""

import json
import os
import re
from typing import Any, Final

import aiohttp

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)
_LONGEST_DESCRIPTION: Final = 200
UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
CONFLICT: Final = 409


_UPDATE_ID: Final = re.compile(rb'"update_id"\s*:\s*(\d{1,18})')


class Refusal(ValueError):
    """An answer that isn't ok, or is no answer of the Bot API at all."""

    def __init__(self, code: int, description: str, retry_after: float = 0.0) -> None:
        super().__init__("refused")
        self.code = code
        self.description = description[:_LONGEST_DESCRIPTION]
        self.retry_after = retry_after
        """Seconds to wait before asking again, where Telegram says so."""

    @property
    def has_webhook(self) -> bool:
        """Whether updates can't be fetched because a webhook is set."""
        return self.code == CONFLICT and "webhook is active" in self.description

    @property
    def sentence(self) -> str:
        """What to say to an operator."""
        advice = "; is AJAR_API_URL right?" if self.code == NOT_FOUND else ""
        return f"Telegram answers {self.code}: {self.description}{advice}"


class TooDeep(Refusal):
    """An answer that is nested more deeply than can be read."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, "JSON that is nested too deeply; is AJAR_API_URL right?")
        found = _UPDATE_ID.search(body)
        self.update_id = int(found[1]) if found else None
        """Of the first update in it."""


async def call(
    session: aiohttp.ClientSession,
    base_url: str,
    method: str,
    within: aiohttp.ClientTimeout = _TIMEOUT,
    **params: Any,
) -> Any:
    """Call a method and return its result. `base_url` is the API's address with the token.

    Raises Refusal, and aiohttp.ClientError or TimeoutError where no answer came.
    """
    async with session.post(f"{base_url}/{method}", json=params, timeout=within) as response:
        return result_of(response.status, await response.read())


_REASONS: Final = (  # the first kind that fits counts
    (aiohttp.ClientHttpProxyError, "the proxy that the environment names refuses"),
    (aiohttp.ClientProxyConnectionError, "the proxy that the environment names does not answer"),
    (aiohttp.ClientConnectorDNSError, "the name of its host is not known; is this machine online?"),
    (aiohttp.ClientConnectorCertificateError, "its certificate can't be relied on; is this machine's clock right?"),
    (aiohttp.ClientSSLError, "no encrypted connection comes about"),
    (TimeoutError, "no answer in time"),
)


def unreachable(error: BaseException) -> str:
    """Why no answer came, for operators: what aiohttp raised, or what a NetworkError of ours came from."""
    cause = error if isinstance(error, aiohttp.ClientError | TimeoutError) else error.__cause__
    reason = next((reason for kind, reason in _REASONS if isinstance(cause, kind)), None)
    if reason is None and isinstance(cause, aiohttp.ClientConnectorError) and cause.errno:
        reason = os.strerror(cause.errno).lower()
    status = f" ({cause.status})" if isinstance(cause, aiohttp.ClientHttpProxyError) else ""
    return f"{reason or 'the connection broke'}{status}"


def result_of(status: int, body: bytes) -> Any:
    """The result in an answer's body. Raises Refusal."""
    try:
        answer = json.loads(body)
    except RecursionError:
        raise TooDeep(status, body) from None
    except ValueError:
        raise Refusal(status, "not the JSON of a Bot API; is AJAR_API_URL right?") from None
    if not isinstance(answer, dict):
        raise Refusal(status, "JSON that is no answer of a Bot API; is AJAR_API_URL right?")
    if not answer.get("ok"):
        parameters = answer.get("parameters")
        wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
        code = answer.get("error_code")
        raise Refusal(
            code if isinstance(code, int) else status,
            str(answer.get("description") or "no reason given"),
            float(wait) if isinstance(wait, int | float) else 0.0,
        )
    return answer.get("result")


def username_of(me: object) -> str:
    """The bot's username in a result of getMe. Raises Refusal where there is none."""
    username = me.get("username") if isinstance(me, dict) else None
    if not isinstance(username, str) or not username:
        raise Refusal(200, "getMe names no bot; is AJAR_API_URL right?")
    return username
