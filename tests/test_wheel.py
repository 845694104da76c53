"""The wheel carries everything that running needs, not only the code."""

import os
import shutil
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


def build(source: Path, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1764460800"},
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "unpacked")
    return wheel.parent / "unpacked"


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


def test_wheel_has_all_data_files(unpacked: Path) -> None:
    assert list((unpacked / "bot" / "storage" / "migrations" / "versions").glob("0001_*.py"))
    assert (unpacked / "bot" / "demo" / "page" / "index.html").is_file()


def test_wheel_is_reproducible(wheel: Path, tmp_path: Path) -> None:
    """Also with what other work has left between the files."""
    elsewhere = tmp_path / "elsewhere"
    for name in ("bot", "content", "locales"):
        shutil.copytree(ROOT / name, elsewhere / name, copy_function=shutil.copyfile)  # not their dates and modes
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copyfile(ROOT / name, elsewhere / name)
    leftover = elsewhere / "locales" / "de" / "LC_MESSAGES" / "bot.mo"
    leftover.write_bytes(b"compiled")
    assert build(elsewhere, tmp_path / "dist").read_bytes() == wheel.read_bytes()
