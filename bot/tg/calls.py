"""Bot API calls that need the details of a refusal: Telegram's exact words, and how long to wait.

python-telegram-bot turns answers into exceptions of its own, and loses the code, the description, or both.
"""

import contextlib
import json
import math
import os
import re
from dataclasses import dataclass
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

import aiohttp

from bot.metrics import TELEGRAM_CALLS, TELEGRAM_ERRORS, TELEGRAM_UNREACHABLE

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)
_LONGEST_DESCRIPTION: Final = 200
UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
CONFLICT: Final = 409
_REFUSED: Final = 400
"""HTTP status codes from here on are refusals."""
LONGEST_WAIT: Final = 3600.0
"""Seconds: whatever an answer says, we ask Telegram again after an hour."""
MOST_ID: Final = 2**52 - 1
"""Ids have up to 52 bits: https://core.telegram.org/bots/api#user"""

_USERNAME: Final = re.compile("[A-Za-z0-9_]{1,64}")
_UPDATE_ID: Final = re.compile(rb'"update_id"\s*:\s*(\d{1,18})')


class Refusal(ValueError):
    """An answer that isn't ok, or that doesn't come from a Bot API at all."""

    def __init__(self, code: int, description: str, retry_after: float = 0.0, *, said: bool = True) -> None:
        super().__init__("refused")
        self.code = code
        self.said = said
        """Whether the answer clearly says no; otherwise the call may have taken effect."""
        self.description = description[:_LONGEST_DESCRIPTION]
        self.retry_after = retry_after
        """Seconds to wait before asking again, if Telegram says so."""

    @property
    def has_webhook(self) -> bool:
        """Whether updates can't be fetched because a webhook is set."""
        return self.code == CONFLICT and "webhook is active" in self.description

    @property
    def sentence(self) -> str:
        """The refusal as a sentence for operators."""
        advice = "; is AJAR_API_URL right?" if self.code == NOT_FOUND else ""
        return f"Telegram answers {self.code}: {self.description}{advice}"


class TooDeep(Refusal):
    """An answer that is nested too deeply to be parsed."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, "JSON that is nested too deeply; is AJAR_API_URL right?", said=_says_no(status))
        found = _UPDATE_ID.search(body)
        self.update_id = int(found[1]) if found else None
        """The id of the first update in the answer."""


async def call(
    session: aiohttp.ClientSession,
    base_url: str,
    method: str,
    within: aiohttp.ClientTimeout = _TIMEOUT,
    **params: Any,
) -> Any:
    """Call a method and return its result. `base_url` is the API's address, including the token.

    Raises Refusal, or aiohttp.ClientError or TimeoutError if no answer came.
    """
    TELEGRAM_CALLS.inc()
    try:
        async with session.post(f"{base_url}/{method}", json=params, timeout=within, allow_redirects=False) as response:
            return result_of(response.status, await response.read())
    except Refusal as refusal:
        count_refusal(refusal)
        raise
    except (aiohttp.ClientError, TimeoutError):
        TELEGRAM_UNREACHABLE.inc()
        raise


def count_refusal(refusal: Refusal) -> None:
    """Count a refusal in the metrics."""
    if refusal.said:
        code = str(refusal.code)
        TELEGRAM_ERRORS.inc(code if code in TELEGRAM_ERRORS.values else "other")
    else:
        TELEGRAM_UNREACHABLE.inc()


async def do(session: aiohttp.ClientSession, base_url: str, method: str, **params: Any) -> None:
    """Call a method that returns only True. Raises like `call`."""
    if await call(session, base_url, method, **params) is not True:
        raise Refusal(200, f"{method} does not say that it was done; is AJAR_API_URL right?", said=False)


_REASONS: Final = (  # the first kind that matches counts
    (aiohttp.ClientHttpProxyError, "the proxy that the environment names refuses"),
    (aiohttp.ClientProxyConnectionError, "the proxy that the environment names does not answer"),
    (aiohttp.ClientConnectorDNSError, "the name of its host is not known; is this machine online?"),
    (aiohttp.ClientConnectorCertificateError, "its certificate can't be trusted; is this machine's clock right?"),
    (aiohttp.ClientSSLError, "an encrypted connection can't be established"),
    (TimeoutError, "no answer in time"),
)


def unreachable(error: BaseException) -> str:
    """Return why no answer came, for operators. `error` comes from aiohttp, or is our NetworkError caused by one."""
    cause = error if isinstance(error, aiohttp.ClientError | TimeoutError) else error.__cause__
    reason = next((reason for kind, reason in _REASONS if isinstance(cause, kind)), None)
    if reason is None and isinstance(cause, aiohttp.ClientConnectorError) and cause.errno:
        reason = os.strerror(cause.errno).lower()
    status = f" ({cause.status})" if isinstance(cause, aiohttp.ClientHttpProxyError) else ""
    return f"{reason or 'the connection broke'}{status}"


def result_of(status: int, body: bytes) -> Any:
    """Return the result in an answer's body. Raises Refusal."""
    try:
        answer = json.loads(body)
    except RecursionError:
        raise TooDeep(status, body) from None
    except ValueError:
        reason = "not the JSON of a Bot API; is AJAR_API_URL right?"
        raise Refusal(status, reason, said=_says_no(status)) from None
    if not isinstance(answer, dict) or not (isinstance(answer.get("ok"), bool) or _says_no(status)):
        reason = "JSON that is no answer of a Bot API; is AJAR_API_URL right?"
        raise Refusal(status, reason, said=_says_no(status))
    if answer.get("ok") is not True:
        code, description, parameters = (answer.get(name) for name in ("error_code", "description", "parameters"))
        raise Refusal(
            code if is_whole(code, 599) else status,
            description if isinstance(description, str) and description else "no reason given",
            _seconds(parameters.get("retry_after") if isinstance(parameters, dict) else None),
        )
    return answer.get("result")


def _says_no(status: int) -> bool:
    return status >= _REFUSED


def _seconds(wait: object) -> float:
    """Return how long to wait, whatever the value is; 0 if it isn't a usable number."""
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        seconds = 0.0 if isinstance(wait, bool) else float(wait)  # type: ignore[arg-type]
        return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else 0.0
    return LONGEST_WAIT if isinstance(wait, int) else 0.0


def is_whole(number: object, most: int) -> TypeGuard[int]:
    """Return whether this is a whole number from 1 to `most`."""
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= most


def username_of(me: object) -> str:
    """Return the bot's username from a result of getMe. Raises Refusal if there is none."""
    username = me.get("username") if isinstance(me, dict) and is_whole(me.get("id"), MOST_ID) else None
    if not isinstance(username, str) or not _USERNAME.fullmatch(username):
        raise Refusal(200, "getMe names no bot; is AJAR_API_URL right?")
    return username


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """Telegram's information about the webhook: its address ("" if none is set), and how delivery to it is going."""

    url: str
    waiting: int
    failed_at: int
    """Unix time of the last delivery that failed; 0 if none did."""
    failure: str


def webhook_of(info: object) -> WebhookInfo:
    """Read a result of getWebhookInfo. Raises Refusal if it has no address, not even an empty one."""
    if not isinstance(info, dict) or not isinstance(info.get("url"), str):
        raise Refusal(200, "getWebhookInfo names no address; is AJAR_API_URL right?", said=False)
    waiting, failed_at, failure = (
        info.get(name) for name in ("pending_update_count", "last_error_date", "last_error_message")
    )
    return WebhookInfo(
        url=info["url"],
        waiting=waiting if is_whole(waiting, MOST_ID) else 0,
        failed_at=failed_at if is_whole(failed_at, MOST_ID) else 0,
        failure=failure[:_LONGEST_DESCRIPTION] if isinstance(failure, str) else "",
    )


def host_of(url: str) -> str:
    """Return an address's host for operators, as the path may contain a secret."""
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that can't be read"
