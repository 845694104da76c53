"""The rules of the code base, checked by the tools that know them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_one_way() -> None:
    _run(str(BIN / "lint-imports"), "--no-cache")


def test_style() -> None:
    _run(str(BIN / "ruff"), "check", ".")
    _run(str(BIN / "ruff"), "format", "--check", ".")


@pytest.mark.timeout(300)  # as long as `_run` allows: six processes share two cores
def test_types() -> None:
    _run(str(BIN / "mypy"))


def test_lock_files_carry_hashes() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert not re.search(r"https?://", text)
        pinned = re.findall(r"^([\w.-]+)==\S+(?: ;[^\\]*)? \\$", text, re.MULTILINE)
        assert len(pinned) > 20
        assert len(pinned) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE))


def test_make_help_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    described = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert phony == described


def test_skipped_tests_are_named() -> None:
    """Simulate a machine without Chromium."""
    one = "tests/demo/test_page.py::test_new_phone_starts_the_bot"
    environ = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_XDIST_WORKER"}}
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", one), cwd=ROOT, env={**environ, "PATH": ""}, capture_output=True,
        text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    *_, missing, result = done.stdout.splitlines()
    assert missing == "Not tested: the demo's page, for want of Chromium. To get it: apt install chromium"
    assert result.startswith("1 skipped")


def test_a_bot_on_sqlite_loads_no_more_than_it_needs() -> None:
    """What only commands, migrations or the other database need would take its memory for good."""
    code = "import sys, bot.app; print(*sys.modules)"
    loaded = subprocess.run((sys.executable, "-c", code), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    unneeded = {"alembic", "asyncpg", "bot.storage.copying", "pyrage", "rapidfuzz", "sqlalchemy.dialects.postgresql"}
    assert not unneeded & set(loaded.split())
