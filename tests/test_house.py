"""The rules of the house, checked by the tools that know them."""

import re
import subprocess
import sys
from pathlib import Path

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


def test_types() -> None:
    _run(str(BIN / "mypy"))


def test_modules_stay_readable() -> None:
    """A module over 400 lines wants to be two."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "bot").rglob("*.py")
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_the_lock_files_carry_hashes_and_no_address() -> None:
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
