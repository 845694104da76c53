"""Takes the steps of the container image's recipe as they stand, and runs what comes out."""

import os
import subprocess
from pathlib import Path

from tests.deploy.test_image import run_steps


def test_image_steps_build_a_running_ajar(tmp_path: Path) -> None:
    place = run_steps(tmp_path)
    environ = {
        "PATH": f"{place}/bin:{os.environ['PATH']}",
        "HOME": "/nonexistent",
        "AJAR_DATA_DIR": str(tmp_path / "data"),
    }
    said = subprocess.run(
        ["ajar", "content", "check"], env=environ, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert said.stdout.endswith(" 366\n")
    build_places = "from bot.places import build; from pathlib import Path; build(Path('places'))"
    subprocess.run(["python", "-c", build_places], env=environ, check=True, cwd=tmp_path)
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"\nThe image adds {size / 2**20:.0f} MiB to the one of Python.")  # noqa: T201
    assert size < 250 * 2**20
