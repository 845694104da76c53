"""`make audit`: asks PyPI's advisories about everything in requirements.lock. Says so if there is no network."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COMMAND = (
    Path(sys.executable).parent / "pip-audit", "--requirement", ROOT / "requirements.lock", "--require-hashes",
    "--disable-pip", "--format=json", "--progress-spinner=off", "--timeout=5",
)  # fmt: skip


UNREACHABLE = re.compile(r"ConnectionError|NameResolutionError|Max retries exceeded|(?:Connect|Read)Timeout|timed out")


def verdict(report: str, errors: str = "") -> tuple[list[str], int]:
    """Return what to say about pip-audit's report, and the exit code.

    Without a report `errors` says why. Only that PyPI can't be reached is no failure.
    """
    try:
        found: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except ValueError:
        if UNREACHABLE.search(errors):
            return ["Not audited: PyPI can't be reached."], 0
        return ["Not audited: pip-audit failed.", *errors.strip().splitlines()[-5:]], 1
    unknown = [each["name"] for each in found if "skip_reason" in each]
    weak = [
        f"{each['name']} {each['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'nothing yet'}"
        for each in found
        for flaw in each.get("vulns", ())
    ]
    if weak:
        return weak, 1
    if len(unknown) == len(found):
        return ["Not audited: this package index has no advisories."], 0
    passed_over = f"; it doesn't know {', '.join(unknown)}" if unknown else ""
    return [f"No known weakness in {len(found) - len(unknown)} packages{passed_over}."], 0


def main() -> int:
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        report, errors = "", "timed out"
    else:
        report, errors = done.stdout, done.stderr
    said, code = verdict(report, errors)
    print("\n".join(said))  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
