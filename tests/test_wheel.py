"""The wheel carries everything that running needs, not only the code."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOOK = """
from bot import library, i18n
print(library.__file__)
print(len(library.load(library.content_folder()).prompts))
print(*i18n.languages())
print(i18n.say_in('de')('Kept, and shown to nobody.'))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_installed_wheel_has_questions_and_catalogs(unpacked: Path) -> None:
    """Run from the unpacked wheel alone, away from the checkout."""
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            LOOK,
        ],
        cwd=unpacked,
        env={"PYTHONPATH": str(unpacked), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said[0].startswith(str(unpacked))
    assert int(said[1]) >= 60
    assert said[2].split()[:2] == ["en", "de"]
    assert said[3] != "Kept, and shown to nobody."


def test_wheel_has_migrations_and_the_demo_page(unpacked: Path) -> None:
    assert list((unpacked / "bot" / "storage" / "migrations" / "versions").glob("0001_*.py"))
    assert (unpacked / "bot" / "demo" / "page" / "index.html").is_file()
