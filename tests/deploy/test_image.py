"""The container image's recipe, checked without a container engine."""

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from bot.config import WrongSettings, load
from tests.deploy.files import DOCKERFILE, ROOT, refuse_unknown, steps_of

STEPS = steps_of(DOCKERFILE)


def _environment() -> dict[str, str]:
    """Return the variables that the image sets, without those whose value refers to another."""
    sets = " ".join(rest for word, rest in STEPS if word == "ENV")
    return dict(re.findall(r"(\w+)=([^\s$]+)(?=\s|$)", sets))


def test_recipe_is_well_formed() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_copied_files_reach_the_builder() -> None:
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for sources in (rest.split()[:-1] for word, rest in STEPS if word == "COPY" and "--from" not in rest):
        for source in sources:
            assert (ROOT / source).exists()
            assert any(fnmatch(source, pattern) for pattern in sent)


def test_builder_gets_nothing_private() -> None:
    """All of the checkout is left out, and only what the image copies is let in again."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    copied = " ".join(rest for word, rest in STEPS if word == "COPY").split()
    assert lines[1] == "*"
    assert all(line.removeprefix("!") in copied for line in lines if line.startswith("!"))


def test_image_demands_a_master_key(tmp_path: Path) -> None:
    """It doesn't make one, which would be lost together with the container."""
    environ = _environment() | {"AJAR_DATA_DIR": str(tmp_path)}
    token = tmp_path / "token"
    token.write_text("1234567:AAF-a_token_like_one_of_BotFather")
    token.chmod(0o400)
    with pytest.raises(WrongSettings) as wrong:
        load(environ | {"AJAR_BOT_TOKEN_FILE": str(token)}, env_file=None, need_token=True)
    assert [problem.partition(" ")[0] for problem in wrong.value.problems] == ["AJAR_MASTER_KEY_FILE"]


def test_commands_of_the_image_exist() -> None:
    last = {word: rest for word, rest in STEPS if word in {"ENTRYPOINT", "CMD", "HEALTHCHECK"}}
    assert json.loads(last["ENTRYPOINT"]) == ["ajar"]
    refuse_unknown(json.loads(last["CMD"]))
    refuse_unknown(json.loads(last["HEALTHCHECK"].partition("CMD ")[2])[1:])


def test_image_runs_as_nobody_in_particular() -> None:
    """A number, so that Kubernetes can check that it isn't root."""
    user = [rest for word, rest in STEPS if word == "USER"][-1]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert f"-o {user.partition(':')[0]}" in next(rest for word, rest in STEPS if "/var/lib/ajar" in rest)


def test_build_tools_are_left_behind() -> None:
    """The packages' own metadata say what building needs and running doesn't."""
    removed = next(rest for word, rest in STEPS if word == "RUN" and "uninstall" in rest)
    names = set(removed.partition("--yes ")[2].partition(" &&")[0].split()) - {"pip"}
    tree = subprocess.run(
        [Path(sys.executable).parent / "uv", "pip", "tree", "--quiet", "--python", sys.executable, "--invert",
         *(f"--package={name}" for name in sorted(names))],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "ajar-bot" not in tree
    assert names <= set(re.findall(r"^([\w-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))


def run_steps(folder: Path) -> Path:
    """Take the steps of the first stage as they stand, with folders in `folder`; return where Ajar is then."""
    build, opt = folder / "build", folder / "opt"
    build.mkdir()
    stage = STEPS[: [word for word, _ in STEPS].index("FROM", 2)]
    for word, rest in stage:
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                place = build / target / Path(source).name if target == "./" else build / target
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
                else:
                    shutil.copy(ROOT / source, place)
        if word == "RUN":
            command = rest.replace("/opt/ajar", str(opt / "ajar")).replace(
                "python3 -m venv", f"{sys.executable} -m venv"
            )
            done = subprocess.run(["sh", "-euc", command], cwd=build, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return opt / "ajar"
