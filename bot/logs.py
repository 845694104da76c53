"""Logging: one pipeline for our own and other libraries' loggers, which lets no secret and no private text through.

What can appear depends on its kind and not on who writes the line:
- our own loggers (`bot` and below): the sentence, and values that are numbers, ids, single ASCII words or `Safe`;
- other loggers: from WARNING on, the sentence, and of its arguments only numbers, because libraries put messages, SQL
  parameters and whole updates into arguments;
- exceptions: type, place and frames, but never their message, local variables or source lines.
Finally every known secret, and everything that looks like a bot token, is redacted in the finished line.
"""

import asyncio
import errno
import json
import logging
import logging.config
import re
import secrets as randomness
import sys
import threading
import time as steady
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, TextIO
from uuid import UUID

import structlog

from bot.metrics import INCIDENTS

OURS: Final = "bot"
PROJECT: Final = Path(__file__).resolve().parent
# At DEBUG and INFO these log whole texts, URLs with the token, or SQL parameters.
QUIET: Final = (
    *("httpx", "httpcore", "telegram", "apscheduler", "asyncio", "aiosqlite", "asyncpg"),
    *("sqlalchemy", "aiohttp", "aiohttp.access", "alembic"),
)
TOKEN: Final = re.compile(r"\d{6,}(?::|\\u003[aA]|%(?:25)*3[aA])[A-Za-z0-9_-]{30,}")
REDACTED: Final = "[secret]"
SHORTEST_SECRET: Final = 4
SHORTEST_PART: Final = 16
A_WORD: Final = re.compile(r"[!-~]{0,200}")
CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MOST_FRAMES: Final = 30
MINUTE: Final = 60.0
PLACEHOLDER: Final = re.compile(r"%(?:\((\w+)\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([a-zA-Z%])")
NEVER_AWAITED: Final = re.compile(r"coroutine '[\w.<>]+' was never awaited")


class Safe(str):
    """A text of ours without anybody's words, which can therefore be a value in a log line even if it has spaces."""

    __slots__ = ()


def setup(level: str, format: str, secrets: Iterable[str], stream: TextIO | None = None) -> None:  # noqa: A002
    """Send all logging through one handler to `stream` (standard error), as `text` or `json`, one line per event.

    `level` is for our own loggers; all others log from WARNING on. `secrets` are replaced wherever they appear. From
    now on warnings, and exceptions that nobody catches, also in threads and destructors, are logged the same way.
    """
    handler = _Handler(stream or sys.stderr)
    hide(secrets)
    handler.setFormatter(_Formatter(_as_json if format == "json" else _as_text, _redact))
    handler.addFilter(_only_warnings_of_others)
    handler.addFilter(_Unrepeated())
    logging.raiseExceptions = False  # otherwise a broken logging call prints its arguments to standard error
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _on_uncaught
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_thread
    warnings.showwarning = _on_warning


def hide(secrets: Iterable[str]) -> None:
    """Also replace these secrets from now on: for one that we learn only later, like a new master key."""
    _redact.hide(secrets)


def install_hooks(loop: asyncio.AbstractEventLoop) -> None:
    """Log, in the safe form, any exception that a task or callback of `loop` raises and nobody catches."""
    loop.set_exception_handler(_on_loop)


def safe_error(exc: BaseException) -> Safe:
    """Say which exception it was and where, without its message, which may contain private text.

    A code from the database, the operating system or a driver (SQLITE_BUSY, ECONNREFUSED, 23505) is kept.
    """
    frames = list(traceback.walk_tb(exc.__traceback__))
    own = [frame for frame in frames if _is_ours(frame[0].f_code.co_filename)]
    code = _code(exc)
    name = f"{_type_name(exc)}({code})" if code else _type_name(exc)
    if not frames:
        return Safe(name)
    frame, line = (own or frames)[-1]
    return Safe(f"{name} at {_place(frame.f_code.co_filename, line, frame.f_code.co_name)}")


def safe_frame(frame: FrameType) -> Safe:
    """Say where a frame is in the code."""
    return Safe(_place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))


def safe_trace(exc: BaseException) -> list[Safe]:
    """Return frames and type names of `exc` and its causes, the oldest first; no messages, source or locals."""
    return [Safe(each) for each in _trace(exc, set())]


def incident(log: structlog.stdlib.BoundLogger, exc: BaseException, **ids: int | str | None) -> str:
    """Log `exc` in the safe form under a new random code, and return the code for the sentence that the user gets."""
    number = "".join(randomness.choice(CROCKFORD) for _ in range(8))
    INCIDENTS.inc()
    for hear in _hearers:
        hear(number)
    log.error("incident", incident=number, error=safe_error(exc), trace=safe_trace(exc), **ids)
    return number


_hearers: Final[list[Callable[[str], None]]] = []


@contextmanager
def incidents_heard_by(hear: Callable[[str], None]) -> Iterator[None]:
    """Call `hear` with the code of each incident, in whatever thread it happens."""
    _hearers.append(hear)
    try:
        yield
    finally:
        _hearers.remove(hear)


class ThrottledLog:
    """Logs events that can happen many times a second, as in a loop that waits for the database, once a minute each.

    The next line says in `times` how often the event has happened since the previous line.
    """

    def __init__(self, log: structlog.stdlib.BoundLogger, now: Callable[[], float] = steady.monotonic) -> None:
        self._log = log
        self._now = now
        self._last: dict[str, float] = {}
        self._since: dict[str, int] = {}

    def warning(self, event: str, **facts: Any) -> None:
        if counted := self._counted(event):
            self._log.warning(event, **facts, **counted)

    def error(self, event: str, **facts: Any) -> None:
        if counted := self._counted(event):
            self._log.error(event, **facts, **counted)

    def critical(self, event: str, **facts: Any) -> None:
        if counted := self._counted(event):
            self._log.critical(event, **facts, **counted)

    def _counted(self, event: str) -> dict[str, int]:
        """Return how often the event happened, if it is time for a line, or else nothing."""
        self._since[event] = times = self._since.get(event, 0) + 1
        now = self._now()
        if now - self._last.get(event, now - MINUTE) < MINUTE:
            return {}
        self._last[event], self._since[event] = now, 0
        return {"times": times}


class Redactor:
    """Replaces known secrets, however they are quoted or URL-encoded, and everything that looks like a bot token."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        # A key ring is a list of keys, and a token has a public half: no part must appear alone either.
        wanted = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        wanted |= {part for secret in wanted for part in re.split("[:,]", secret) if len(part) >= SHORTEST_PART}
        self._secrets |= wanted
        if self._secrets:
            longest_first = sorted(self._secrets, key=len, reverse=True)
            self._known = re.compile("|".join("".join(map(_any_form, secret)) for secret in longest_first))

    def __call__(self, line: str) -> str:
        if self._known is not None:
            line = self._known.sub(REDACTED, line)
        return TOKEN.sub(REDACTED, line)


def _any_form(c: str) -> str:
    """Match a character of a secret as it is, URL-encoded (even twice), or escaped by Python or JSON (even twice)."""
    if c.isalnum() and c.isascii():
        return c
    encoded = "".join(f"%(?:25)*{byte:02X}" for byte in c.encode("utf-8", "surrogatepass"))
    if c == "\\":
        return rf"(?:\\+|(?i:{encoded}))"
    units = re.findall("....", c.encode("utf-16-be", "surrogatepass").hex())  # two of them above U+FFFF
    in_json = r"\\+".join(f"u{unit}" for unit in units)
    return rf"(?:\\*(?:{re.escape(c)}|{in_json}|x{ord(c):02x}|U{ord(c):08x})|(?i:{encoded}))"


_redact: Final = Redactor(())


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say which line could not be written, but not its content: logging's own handler prints the arguments."""
        error = sys.exc_info()[1]
        if error is None or isinstance(error, OSError):
            return  # the stream itself is gone, so we can't report anything
        where = (record.name, record.lineno, _type_name(error))
        apology = "a log line of %s, line %d, could not be written: %s"
        self.stream.write(self.format(logging.LogRecord(f"{OURS}.logs", logging.ERROR, "", 0, apology, where, None)))
        self.stream.write(self.terminator)
        self.flush()


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Brings every record into the same few fields, renders them, and redacts the finished line."""

    def __init__(self, render: Callable[[dict[str, Any]], str], redact: Redactor) -> None:
        self._redact = redact
        super().__init__(
            processors=[_fields, lambda _log, _name, event: render(dict(event))],
            pass_foreign_args=True,
            use_get_message=False,
        )

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def _only_warnings_of_others(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or _is_our_logger(record.name)


class _Unrepeated(logging.Filter):
    """Lets each logging call of other people's code through once a minute, with a count of its calls since."""

    def __init__(self, now: Callable[[], float] = steady.monotonic) -> None:
        super().__init__()
        self._now = now
        self._last: dict[tuple[str, int], float] = {}
        self._since: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_our_logger(record.name):
            return True
        place = record.pathname, record.lineno
        self._since[place] = times = self._since.get(place, 0) + 1
        now = self._now()
        if now - self._last.get(place, now - MINUTE) < MINUTE:
            return False
        self._last[place], self._since[place] = now, 0
        record.times = times
        return True


def _fields(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    record: logging.LogRecord = event.pop("_record")
    from_structlog = event.pop("_from_structlog")
    error = _exception(event.pop("exc_info", None) or record.exc_info)
    event.pop("stack_info", None)
    args = event.pop("positional_args", ())
    said = event.pop("event", "") if from_structlog else record.msg
    event.pop("event", None)
    sentence = _own_sentence if from_structlog or _is_our_logger(record.name) else _foreign_sentence
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "event": sentence(said, args),
    }
    for key, value in event.items():
        line[f"{key}_" if key in line else str(key)] = _clean(value)
    if (times := getattr(record, "times", 1)) > 1:
        line["times"] = times
    if error is not None:
        line |= {"error": safe_error(error), "trace": safe_trace(error)}
    return line


def _exception(given: Any) -> BaseException | None:
    if given is True:
        given = sys.exc_info()
    if isinstance(given, tuple):
        given = given[1]
    return given if isinstance(given, BaseException) else None


def _own_sentence(said: Any, args: Any) -> str:
    if not isinstance(said, str):
        return str(_clean(said))
    if isinstance(args, dict):
        return said % {name: _clean(value) for name, value in args.items()}
    return said % tuple(map(_clean, args)) if args else said


def _foreign_sentence(said: Any, args: Any) -> str:
    """Return the first line of a library's sentence, with numbers filled in and every other argument left out."""
    if not isinstance(said, str):
        return f"<{type(said).__name__}>"
    if not args:
        return _without_quoted(said.partition("\n")[0])
    named = args if isinstance(args, dict) else {}
    inorder = iter(() if named else args)

    def fill(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        value = named.get(found[1]) if found[1] else next(inorder, None)
        return str(value) if isinstance(value, int | float) else "…"

    return PLACEHOLDER.sub(fill, said).partition("\n")[0]


def _without_quoted(sentence: str) -> str:
    """Remove what a finished sentence quotes or adds after a colon, because it may repeat somebody's words."""
    return re.sub(r"""(["'`“«‘]).*|: .*|[\[({<].*""", " …", sentence)


def _clean(value: Any) -> Any:  # noqa: PLR0911 - one line per kind
    """Keep values that can't contain anybody's words, and replace all others by their kind."""
    match value:
        case Enum():
            return value.name
        case None | bool() | int() | float() | Safe():
            return value
        case str():
            return value if A_WORD.fullmatch(value) else f"<{len(value)} characters>"
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID() | Path():
            return str(value)
        case BaseException():
            return safe_error(value)
        case type():
            return value.__name__
        case list() | tuple() | set() | frozenset():
            return [_clean(each) for each in value]
        case _:
            return f"<{type(value).__name__}>"


def _as_json(line: dict[str, Any]) -> str:
    text = json.dumps(line, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate becomes JSON's escape for it


def _as_text(line: dict[str, Any]) -> str:
    head = f"{line.pop('time')} {line.pop('level'):7} {line.pop('logger')} {_printable(str(line.pop('event')))}"
    trace = line.pop("trace", None)
    rest = "".join(f" {_printable(key)}={_quoted(value)}" for key, value in line.items())
    return head + rest + (f" trace={_quoted(' > '.join(map(str, trace)))}" if trace else "")


def _quoted(value: Any) -> str:
    text = _printable(",".join(map(str, value)) if isinstance(value, list) else str(value))
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)


def _printable(text: str) -> str:
    """Escape line breaks and terminal codes, so that nobody can forge another line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _trace(exc: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(exc))
    before = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    if before is not None and id(before) not in seen:
        yield from _trace(before, seen)
        yield "then"
    frames = list(traceback.walk_tb(exc.__traceback__))
    if len(frames) > MOST_FRAMES:
        yield f"{len(frames) - MOST_FRAMES} frames left out"
    for frame, line in frames[-MOST_FRAMES:]:
        yield _place(frame.f_code.co_filename, line, frame.f_code.co_name)
    yield _type_name(exc)
    if isinstance(exc, BaseExceptionGroup):
        for part in exc.exceptions:
            if id(part) not in seen:
                yield "in it"
                yield from _trace(part, seen)


def _place(file: str, line: int, function: str) -> str:
    path = Path(file)
    if _is_ours(file):
        short = path.resolve().relative_to(PROJECT.parent)
    else:
        after = re.split(r"/(?:site-packages|python3\.\d+)/", path.as_posix())[-1]
        short = Path(*Path(after).parts[-3:])
    return f"{short.as_posix()}:{line} {function}".rstrip()


def _is_ours(file: str) -> bool:
    return file.startswith(f"{PROJECT}/")


def _is_our_logger(name: str) -> bool:
    return name == OURS or name.startswith(f"{OURS}.")


def _type_name(exc: BaseException) -> str:
    kind = type(exc)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _code(exc: BaseException) -> str:
    found: object = errno.errorcode.get(exc.errno or 0) if isinstance(exc, OSError) else None
    for error in (exc, getattr(exc, "orig", None)):  # SQLAlchemy wraps the driver's error
        for name in ("sqlite_errorname", "sqlstate"):
            found = found or getattr(error, name, None)
    return found if isinstance(found, str) and re.fullmatch(r"[A-Z0-9_]{1,40}", found) else ""


def _log() -> structlog.stdlib.BoundLogger:
    return structlog.stdlib.get_logger(f"{OURS}.logs")


def _on_uncaught(_kind: type[BaseException], exc: BaseException, _trace: TracebackType | None) -> None:
    if isinstance(exc, KeyboardInterrupt):
        return
    incident(_log(), exc, where="main")


def _on_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        incident(_log(), args.exc_value, where="thread")


def _on_unraisable(args: Any) -> None:
    if args.exc_value is not None:
        incident(_log(), args.exc_value, where="destructor")


def _on_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if isinstance(exc := context.get("exception"), BaseException):
        incident(_log(), exc, where="loop")
    else:
        task = context.get("task")
        name = getattr(task.get_coro(), "__qualname__", None) if isinstance(task, asyncio.Task) else None
        what = Safe(_without_quoted(str(context.get("message", ""))))
        _log().error("the event loop reports a problem", what=what, task=Safe(name) if name else None)


def _on_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Log category and place, but the message only if Python itself made it from a function's name."""
    known = NEVER_AWAITED.fullmatch(str(message).partition("\n")[0])  # development mode adds source lines
    what = {"what": Safe(known[0])} if known else {}
    _log().warning("warning", category=category.__name__, place=Safe(_place(filename, lineno, "")), **what)
