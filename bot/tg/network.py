"""HTTP for python-telegram-bot through aiohttp, which the receive loop uses as well.

It distinguishes requests that were certainly not sent from those that may have arrived. The library's own transport is
several times slower (httpcore scans every connection for every queued request), and raises a NetworkError for both.
"""

import io
import json
import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import structlog
from telegram._utils.defaultvalue import DefaultValue
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.request import BaseRequest, RequestData

from bot.fence import Fence
from bot.logs import Safe, ThrottledLog
from bot.metrics import TELEGRAM_CALLS, TELEGRAM_UNREACHABLE
from bot.tg.calls import MOST_ID, Refusal, count_refusal, is_whole, result_of, username_of

_READ: float = 15.0
_CONNECT: float = 5.0
CONNECTIONS = 200
"""Enough for all answers and all Notices that are under way at once."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_TIMEOUT = aiohttp.ClientTimeout(sock_read=_READ, sock_connect=_CONNECT)


log = structlog.stdlib.get_logger(__name__)
strange: Final = defaultdict[str, ThrottledLog](lambda: ThrottledLog(log))
"""One warning limiter per method."""
_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "yes or no",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
_DONE: Final = 200
_BROKEN: Final = 500
_CODES: Final = range(400, 600)
_ERRORS: Final[Mapping[int, type[TelegramError]]] = {400: BadRequest, 403: Forbidden}
HALF_A_CHARACTER: Final = "half a character"

_HARMLESS: Final = ("getMe", "getWebhookInfo")
"""Calls that change nothing, and are made before the fence is opened."""

# The last one means that the proxy couldn't connect.
_NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


class NeverSent(NetworkError):
    """No connection was made, so nothing was sent."""


class MayHaveArrived(NetworkError):
    """The request was sent, and the connection broke before its answer came."""


class Fenced(aiohttp.ClientConnectionError):
    """The call wasn't sent, because another process may have taken over its cause."""


class StrangeAnswer(NetworkError):
    """An answer that we can't understand. The call may have taken effect."""


class Network(BaseRequest):
    """One pool of connections for all the bot's calls, through `proxy` if there is one."""

    def __init__(self, proxy: str | None = None, fence: Fence | None = None) -> None:
        """Nothing is sent while `fence` is closed. It is None if no other process uses the database."""
        self._proxy = proxy
        self._fence = fence
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool. Raises RuntimeError before `initialize`."""
        if self._session is None:
            raise RuntimeError("the network is not open")
        return self._session

    @property
    def read_timeout(self) -> float:
        return _READ

    async def initialize(self) -> None:
        if self._session is None:
            # Telegram closes idle connections after about a minute; a request sent on one might or might not arrive.
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=20)
            self._session = aiohttp.ClientSession(
                connector=connector,
                proxy=self._proxy,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_stop_at(self._fence)] if self._fence else None,
            )

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  # aiohttp has none
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  # wait rather than fail: nothing was sent yet
    ) -> tuple[int, bytes]:
        body = _body(request_data)
        headers = _FORM if isinstance(body, bytes) else None
        timeout = aiohttp.ClientTimeout(
            sock_read=_READ if isinstance(read_timeout, DefaultValue) else read_timeout,
            sock_connect=_CONNECT if isinstance(connect_timeout, DefaultValue) else connect_timeout,
        )
        return understood(_method_of(url), *await self.exchange(method, url, body, headers, timeout))

    async def exchange(
        self,
        method: str,
        url: str,
        body: Any,
        headers: Mapping[str, str] | None,
        within: aiohttp.ClientTimeout = _TIMEOUT,
    ) -> tuple[int, bytes]:
        """Send a request. Return the status and the body of the response. Raises NeverSent or MayHaveArrived."""
        TELEGRAM_CALLS.inc()
        try:
            async with self.session.request(
                method, url, data=body, headers=headers, timeout=within, allow_redirects=False
            ) as response:
                return response.status, await response.read()
        except Fenced as error:
            raise NeverSent(type(error).__name__) from error
        except _NO_CONNECTION as error:
            TELEGRAM_UNREACHABLE.inc()
            raise NeverSent(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            TELEGRAM_UNREACHABLE.inc()
            raise MayHaveArrived(type(error).__name__) from error


def _stop_at(fence: Fence) -> aiohttp.TraceConfig:
    """Return a trace that checks the fence just before a request is written, as it may have waited for a connection."""

    async def look(_session: object, _context: object, sent: aiohttp.TraceRequestHeadersSentParams) -> None:
        method = sent.url.path.rpartition("/")[2]
        if not fence.is_open and method not in _HARMLESS:
            raise Fenced(method)

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(look)
    return config


def understood(method: str, status: int, body: bytes) -> tuple[int, bytes]:
    """Return an answer as the library should see it, reduced to the parts that are used, all of the right shape.

    Raises StrangeAnswer if it is neither a refusal nor an understandable success.
    """
    try:
        return _DONE, json.dumps({"ok": True, "result": _read(method, status, body)}).encode()
    except Refusal as refusal:
        return _refused(status, refusal)


def result_in(method: str, status: int, body: bytes) -> Any:
    """Return the parts of an answer's result that we use. Raises a TelegramError, like the library."""
    try:
        return _read(method, status, body)
    except Refusal as refusal:
        raise _error(status, refusal) from None


def _read(method: str, status: int, body: bytes) -> Any:
    """Return the parts of a result that we use. Raises Refusal, or StrangeAnswer if it is neither."""
    try:
        result = result_of(status, body)
    except Refusal as refusal:
        count_refusal(refusal)
        if refusal.said:
            raise
        raise _strange(method, refusal.description) from None
    try:
        return _used(method, result)
    except ValueError:
        raise _strange(method, f"a result of another shape: {_KINDS[type(result)]}") from None


def _method_of(url: str) -> str:
    return url.rpartition("/")[2]


def _strange(method: str, what: str) -> "StrangeAnswer":
    """Log the method and what is strange, but nothing of the content."""
    strange[method].warning("telegram.strange", method=Safe(method), answer=Safe(what))
    return StrangeAnswer(method)


def _error(status: int, refusal: Refusal) -> TelegramError:
    if refusal.retry_after:
        return RetryAfter(math.ceil(refusal.retry_after))
    return _ERRORS.get(_code(status, refusal), NetworkError)(refusal.description)


def _refused(status: int, refusal: Refusal) -> tuple[int, bytes]:
    answer: dict[str, Any] = {"ok": False, "description": refusal.description}
    if refusal.retry_after:
        answer["parameters"] = {"retry_after": math.ceil(refusal.retry_after)}
    return _code(status, refusal), json.dumps(answer).encode()


def _code(status: int, refusal: Refusal) -> int:
    return next((code for code in (refusal.code, status) if code in _CODES), _BROKEN)


def _used(method: str, result: Any) -> Any:
    """Return the parts of a result that we use. Raises ValueError if they are missing or of another shape."""
    if method == "getMe":
        username = username_of(result)
        return {"id": result["id"], "is_bot": True, "first_name": "", "username": username}
    is_message = method.startswith(("send", "edit")) and method != "sendChatAction"
    if is_message and isinstance(result, dict) and is_whole(result.get("message_id"), MOST_ID):
        return {"message_id": result["message_id"], "date": 0, "chat": {"id": 0, "type": "private"}}
    if result is True and not method.startswith("send"):
        return True
    raise ValueError


def _body(request_data: RequestData | None) -> aiohttp.FormData | bytes | None:
    """Return the request body. Without files we encode it ourselves, as aiohttp's form costs a random boundary.

    Raises BadRequest for a lone surrogate, which JSON text may contain, since a retry would fail again.
    """
    if request_data is None:
        return None
    if not request_data.multipart_data:
        try:
            return request_data.url_encoded_parameters().encode()
        except UnicodeEncodeError:
            raise BadRequest(HALF_A_CHARACTER) from None
    form = aiohttp.FormData(request_data.json_parameters, quote_fields=False)  # a file keeps its name
    for name, (file_name, content, mime_type) in request_data.multipart_data.items():
        # aiohttp reads a stream in pieces, beside the event loop; it would write bytes at once.
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=file_name, content_type=mime_type)
    return form
