"""No secret and no private sentence reaches a log, whoever writes the line and in whatever way."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from bot import config, logs
from tests import noisy_program

TOKEN = "123456789:AAF-" + "q" * 32
PROGRAM = Path(noisy_program.__file__)
WORD = re.compile(r"afraid|left alone|nowhere", re.IGNORECASE)


def run(format_: str, level: str) -> tuple[list[str], list[str], int]:
    """Run the noisy program; return what it wrote to standard output and to standard error, and its exit code."""
    command = [sys.executable, "-X", "dev", str(PROGRAM), format_, level]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=100)
    return done.stdout.splitlines(), done.stderr.splitlines(), done.returncode


@pytest.fixture(scope="module")
def text() -> tuple[list[str], list[str], int]:
    return run("text", "DEBUG")


@pytest.fixture(scope="module")
def as_json() -> tuple[list[str], list[str], int]:
    return run("json", "INFO")


class TestNothingLeaks:
    @pytest.mark.parametrize("format_", ["text", "as_json"])
    def test_nothing_private_or_secret_is_logged(self, format_: str, request: pytest.FixtureRequest) -> None:
        out, err, code = request.getfixturevalue(format_)
        everything = "\n".join(out + err)
        assert code == 1, everything
        assert len(err) > 70
        assert not WORD.findall(everything)
        for secret in (*noisy_program.SECRETS.values(), noisy_program.LATER, noisy_program.UNKNOWN_TOKEN):
            for part in re.findall(r"[A-Za-z0-9]{7,}", secret):
                assert part not in everything
        assert "ss/w" not in everything
        assert "q" * 8 not in everything
        assert "y" * 8 not in everything

    def test_ring_parts_are_not_logged(self) -> None:
        redact = logs.Redactor([noisy_program.SECRETS["key"]])
        for key in noisy_program.SECRETS["key"].split(","):
            assert redact(f"x {key.partition(':')[2]} y") == "x [secret] y"

    def test_every_way_of_logging_was_tried(self, text: tuple[list[str], list[str], int]) -> None:
        """Otherwise the test above would pass because nothing was logged."""
        said = "\n".join(text[1])
        for sentence in (
            *(
                "event token [secret] [secret] [secret]",
                "known later [secret]",
                "argument [secret] 5",
                "named ([secret])",
            ),
            *("bot[secret]/sendMessage", "an argument of ours <31 characters> <Private>", "plain of ours"),
            *("their argument … after 3 tries, 0.5 s, …%", "their name … 4", "their sentence …", "their second line"),
            *("their error error=", "ours, with its exception error=", "theirs, with its exception error="),
            *("Can not load invalid JSON data", "category=PrivateWarning", "where=thread", "where=destructor"),
            *("where=loop", "where=main", 'what="odd …" task=in_a_loop', "asyncio unhooked error="),
            *("bot.plain, line", "could not be written: TypeError", "sqlalchemy.exc.OperationalError(SQLITE_ERROR)"),
            *("FileNotFoundError(ENOENT)", "coroutine 'in_a_loop.<locals>.fail' was never awaited", "the end"),
        ):
            assert sentence in said, sentence

    def test_library_details_stay_out(self, text: tuple[list[str], list[str], int]) -> None:
        levels = {(line.split()[1], line.split()[2].partition(".")[0]) for line in text[1]}
        assert {name for level, name in levels if level in {"DEBUG", "INFO"}} == {"bot"}

    def test_our_level_applies_to_our_loggers(
        self, text: tuple[list[str], list[str], int], as_json: tuple[list[str], list[str], int]
    ) -> None:
        assert any("debug of ours" in line for line in text[1])
        assert not any("debug of ours" in line for line in as_json[1])

    @pytest.mark.parametrize("format_", ["text", "as_json"])
    def test_shown_incident_is_in_the_log(self, format_: str, request: pytest.FixtureRequest) -> None:
        out, err, _ = request.getfixturevalue(format_)
        told = [line.split()[1] for line in out if line.startswith("INCIDENT")]
        assert len(set(told)) == len(told) == 7
        for number in told:
            assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{8}", number)
            (line,) = [line for line in err if number in line]
            assert "ERROR" in line


class TestForm:
    def test_text_is_one_line_per_event(self, text: tuple[list[str], list[str], int]) -> None:
        for line in text[1]:
            assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) +[\w.]+ \S", line), line
            assert line.isprintable()

    def test_json_is_one_object_per_event(self, as_json: tuple[list[str], list[str], int]) -> None:
        events = [json.loads(line) for line in as_json[1]]
        for event in events:
            assert list(event)[:4] == ["time", "level", "logger", "event"]
        by_sentence = {event["event"]: event for event in events}
        assert by_sentence["with a context"]["level"] == "WARNING"
        assert by_sentence["with a context"]["level_"] == "mine"
        assert by_sentence["a broken client"]["value"] == "\ud83d"
        assert by_sentence["forged\nline \x1b[31m"]["value"] == "a\nb"
        trace = by_sentence["ours, with its exception"]["trace"]
        assert [each for each in trace if " " not in each] == ["telegram.error.BadRequest", "then", "ValueError"]


class TestRedaction:
    @settings(deadline=None)  # the machine may be busy
    @given(
        secret=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=4, max_size=40),
        form=st.sampled_from(
            [
                *(str, quote, quote_plus, repr, json.dumps, lambda s: quote(s, safe="").lower().replace("%", "%25")),
                *(lambda s: repr([s]), lambda s: json.dumps(json.dumps(s)), lambda s: repr(json.dumps([s]))),
            ]
        ),
    )
    def test_known_secret_is_always_found(self, secret: str, form: Callable[[str], str]) -> None:
        secret = secret.lower() if "%25" in form("é") else secret
        line = f"before {form(secret)} after"
        redacted = logs.Redactor([secret])(line)
        assert "[secret]" in redacted
        assert len(redacted) <= len("before [secret] after") + len('"\'[\\"\\"]\'"')

    @pytest.mark.parametrize("colon", [":", "%3A", "%3a", "%253A", "\\u003a"])
    def test_unknown_token_is_recognized(self, colon: str) -> None:
        line = logs.Redactor([])(f"https://api.telegram.org/bot987654321{colon}{'Ab_-1' * 7}/getMe")
        assert line == "https://api.telegram.org/bot[secret]/getMe"

    def test_half_a_token_is_not_shown(self) -> None:
        assert logs.Redactor([TOKEN])(TOKEN.partition(":")[2]) == "[secret]"

    def test_ordinary_lines_stay(self) -> None:
        line = '2026-11-01T12:30:00.000Z INFO bot.x sent user=123456789 at=12:30:00 note="1234567:short"'
        assert logs.Redactor([TOKEN, "", "abc"])(line) == line


def raised(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - any kind is looked at
        return error
    raise AssertionError("it was to raise")


class TestSafeError:
    def test_error_names_our_deepest_frame(self) -> None:
        error = raised(lambda: config.load({"AJAR_BOT_TOKEN": ""}, None))
        assert re.fullmatch(r"bot\.config\.WrongSettings at bot/config\.py:\d+ load", logs.safe_error(error))

    def test_foreign_error_names_its_deepest_frame(self) -> None:
        error = raised(lambda: json.loads("{private"))
        assert re.fullmatch(
            r"json\.decoder\.JSONDecodeError at json/decoder\.py:\d+ raw_decode", logs.safe_error(error)
        )

    def test_placeless_error_names_its_kind(self) -> None:
        assert logs.safe_error(ValueError("private")) == "ValueError"

    def test_system_error_code_is_kept(self) -> None:
        class DriverError(Exception):
            sqlstate = "23505"

        class LoudError(Exception):
            sqlstate = "a private sentence"

        assert logs.safe_error(OSError(28, "private", "private")) == "OSError(ENOSPC)"
        assert logs.safe_error(ConnectionRefusedError(111, "private")) == "ConnectionRefusedError(ECONNREFUSED)"
        assert logs.safe_error(DriverError("private")).endswith("DriverError(23505)")
        assert logs.safe_error(LoudError("private")).endswith("LoudError")

    def test_cyclic_causes_end(self) -> None:
        first, second = ValueError(), KeyError()
        first.__cause__, second.__cause__ = second, first
        assert logs.safe_trace(first) == ["KeyError", "then", "ValueError"]

    def test_deep_chain_of_causes_is_cut(self) -> None:
        def deeper() -> None:
            deeper()

        trace = logs.safe_trace(raised(deeper))
        assert len(trace) == 32
        assert re.fullmatch(r"\d+ frames left out", trace[0])
        assert trace[-1] == "RecursionError"

    def test_suppressed_cause_stays_out(self) -> None:
        def fail() -> None:
            try:
                _ = dict[str, int]()["private"]
            except KeyError:
                raise ValueError("private") from None

        assert "KeyError" not in logs.safe_trace(raised(fail))


def test_verbose_library_loggers_start_at_warning() -> None:
    assert set(logs.QUIET) >= {
        *("httpx", "httpcore", "telegram", "apscheduler", "asyncio", "aiosqlite", "sqlalchemy", "aiohttp.access"),
    }


def test_incident_returns_its_number() -> None:
    kept = CapturingLogger()
    number = logs.incident(kept, ValueError("private"), user=3, update=7)  # type: ignore[arg-type]
    (call,) = kept.calls
    assert call.method_name == "error"
    assert call.kwargs == {"incident": number, "error": "ValueError", "trace": ["ValueError"], "user": 3, "update": 7}


def test_closed_stream_does_not_raise(tmp_path: Path) -> None:
    """Standard error may be a pipe whose reader died; logging must not raise into the bot because of that."""
    code = (
        "import os, sys, structlog; from bot import logs; logs.setup('INFO', 'text', []);"
        "os.close(2); structlog.stdlib.get_logger('bot.x').info('hello'); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "alive\n"


def test_repeated_setup_leaves_one_handler(tmp_path: Path) -> None:
    code = (
        "import logging; from bot import logs;"
        "[logs.setup('INFO', 'text', []) for _ in range(3)]; logging.getLogger('bot.x').info('once')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr.count("once") == 1


class TestSeldom:
    def test_repeated_event_is_throttled(self) -> None:
        captured, now = CapturingLogger(), 1000.0
        throttled = logs.ThrottledLog(captured, lambda: now)  # type: ignore[arg-type]  # it takes the same calls
        for _ in range(50):
            throttled.error("database.waits", update=5)
            throttled.warning("telegram.waits")
            now += 1.19
        said = [(call.args[0], call.kwargs["times"]) for call in captured.calls]
        assert said == [("database.waits", 1), ("telegram.waits", 1)]
        now = 1061.0
        throttled.error("database.waits", update=6)
        assert (captured.calls[-1].method_name, captured.calls[-1].kwargs) == ("error", {"update": 6, "times": 50})

    def test_library_lines_are_not_repeated(self) -> None:
        now = 0.0
        keep = logs._Unrepeated(lambda: now)

        def record(name: str, line: int = 1) -> logging.LogRecord:
            return logging.LogRecord(name, logging.ERROR, "pool.py", line, "away", (), None)

        kept = [keep.filter(record("sqlalchemy.pool")) for _ in range(20)]
        assert kept == [True] + [False] * 19
        assert keep.filter(record("sqlalchemy.pool", 2)), "another line"
        assert all(keep.filter(record("bot.tg")) for _ in range(20)), "ours decide by themselves"
        now = 60.0
        again = record("sqlalchemy.pool")
        assert keep.filter(again)
        assert "times=20" in logs._Formatter(logs._as_text, logs.Redactor([])).format(again)
