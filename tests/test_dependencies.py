"""What Ajar depends on: each with a reason and a licence that we may use, and kept up to date."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.audit import verdict

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ALLOWED = re.compile(r"\b(MIT|MIT-0|BSD|BSD-[23]-Clause|Apache|PSF|Python Software Foundation|MPL|ISC|Unlicense)\b")
READ = {
    "pyrage": "UNKNOWN",  # MIT; the package says so only in its licence file
    "resvg_py": "UNKNOWN",  # likewise
    "python-telegram-bot": "LGPL-3.0-only",  # a library that is used unchanged and can be replaced
}
"""Licences that a person has read; docs/dependencies.md says what came of it."""


def _names(requirements: list[object]) -> set[str]:
    return {re.split(r"[\[<>=~; ]", each)[0] for each in requirements if isinstance(each, str)}


def test_every_dependency_has_a_reason() -> None:
    """The table and pyproject.toml name the same packages."""
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    reasons = dict(re.findall(r"^\| ([\w-]+) \| (\S.+) \|$", text, re.MULTILINE))
    reasons.pop("package")
    groups = PROJECT["dependency-groups"].values()
    assert set(reasons) == _names(PROJECT["project"]["dependencies"]).union(*map(_names, groups))


def test_licences_allow_our_use() -> None:
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    said = subprocess.run(
        [Path(sys.executable).parent / "pip-licenses", "--format=json", "--from=mixed", "--packages", *locked],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = {each["Name"]: each["License"] for each in json.loads(said)}
    assert len(found) > len(locked) - 5  # some aren't for every system
    assert {name: text for name, text in found.items() if not ALLOWED.search(text)} == READ


def test_audit_tells_weak_from_unknown() -> None:
    flaw = {"id": "PYSEC-2026-1", "fix_versions": ["2.1"]}
    good, weak = {"name": "good", "version": "1", "vulns": []}, {"name": "weak", "version": "2", "vulns": [flaw]}
    unknown = {"name": "new", "skip_reason": "not found"}

    def said(*found: object) -> tuple[list[str], int]:
        return verdict(json.dumps({"dependencies": found}))

    assert said(good, weak, unknown) == (["weak 2: PYSEC-2026-1, fixed in 2.1"], 1)
    assert said(good, unknown) == (["No known weakness in 1 packages; it doesn't know new."], 0)
    assert said(unknown) == (["Not audited: this package index has no advisories."], 0)
    unreachable = "requests.exceptions.ProxyError: HTTPSConnectionPool(host='pypi.org'): Max retries exceeded with url"
    assert verdict("", unreachable) == (["Not audited: PyPI can't be reached."], 0)
    assert verdict("", "ERROR:pip_audit._cli:invalid requirement\n") == (
        ["Not audited: pip-audit failed.", "ERROR:pip_audit._cli:invalid requirement"],
        1,
    )
    assert verdict("")[1] == verdict("", "ERROR:pip_audit._cli:Failed to resolve ajar: ResolutionImpossible")[1] == 1


def test_every_pinned_version_gets_updates() -> None:
    config = json.loads((ROOT / "renovate.json").read_text("utf-8"))
    assert {"pep621", "dockerfile", "docker-compose", "kubernetes", "custom.regex"} <= set(config["enabledManagers"])
    (uv,) = config["customManagers"]
    (pattern,) = uv["matchStrings"]
    found = re.search(pattern.replace("(?<", "(?P<"), (ROOT / "Makefile").read_text("utf-8"))
    assert found
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["currentValue"])


def test_version_is_consistent() -> None:
    from bot import __version__

    assert __version__ == PROJECT["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
