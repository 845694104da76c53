"""Whatever deploy/ names exists: settings, commands and their options, paths. And every file is well-formed."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest

from bot.clock import SystemClock
from bot.health import Health
from bot.web.server import Observed, make_server
from tests.deploy.files import (
    DEPLOY,
    NOT_SETTINGS,
    ROOT,
    SETTINGS,
    UNITS,
    code_of,
    commands_in,
    directives,
    documents_of,
    every_file,
    name_of,
    refuse_unknown,
)

FILES = every_file()
YAML = [name for name in FILES if name.endswith((".yaml", ".yml"))]
SCRIPTS = [name for name in FILES if (ROOT / name).read_bytes().startswith(b"#!/bin/sh")]
UNIT_FILES = sorted(name_of(path) for suffix in ("service", "timer", "conf") for path in UNITS.rglob(f"*.{suffix}"))
PAGES = ["deploy/README.md", "README.md", *sorted(name_of(path) for path in (ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", FILES)
def test_named_settings_exist(name: str) -> None:
    named = set(re.findall(r"\bAJAR_[A-Z_]+[A-Z]\b", (ROOT / name).read_text("utf-8")))
    assert not named - SETTINGS - NOT_SETTINGS


@pytest.mark.parametrize("name", FILES)
def test_named_paths_exist(name: str) -> None:
    for path in re.findall(
        r"(?<![\w./-])(?:/opt/ajar/)?((?:deploy|docs)/[\w./@-]*\w)", (ROOT / name).read_text("utf-8")
    ):
        assert (ROOT / path).exists(), f"{name} names {path}"


@pytest.mark.parametrize("name", YAML)
def test_yaml_is_well_formed(name: str) -> None:
    assert documents_of(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_well_formed_and_executable(name: str) -> None:
    subprocess.run(["sh", "-n", ROOT / name], check=True)
    assert os.access(ROOT / name, os.X_OK)


@pytest.mark.parametrize("name", [*PAGES, *UNIT_FILES])
def test_named_commands_have_their_options(name: str) -> None:
    """Also those in a page's blocks of code."""
    for words in commands_in(code_of(ROOT / name)):
        if words[0].isalpha():
            refuse_unknown(words)


def test_unknown_command_and_option_are_noticed() -> None:
    """Check the check itself."""
    for words in (["bakcup"], ["backup", "--kepe", "3"], ["keys", "--new"], ["keys", "nwe"]):
        with pytest.raises(click.UsageError):
            refuse_unknown(words)
    refuse_unknown(["backup", "--keep", "3"])
    assert list(commands_in("ExecStart=/opt/ajar/.venv/bin/ajar backup --keep 3\n")) == [["backup", "--keep", "3"]]


def test_compose_mounts_secrets_for_the_image() -> None:
    for name in (name for name in YAML if name.startswith("deploy/compose/")):
        (compose,) = documents_of(name)
        assert {"ajar_bot_token", "ajar_master_key"} <= set(compose["secrets"])
        for service in compose["services"].values():
            assert set(service.get("secrets", ())) <= set(compose["secrets"])
            volumes = {each.partition(":")[0] for each in service.get("volumes", ()) if not each.startswith((".", "/"))}
            assert volumes <= set(compose["volumes"])
            if str(service["image"]).startswith("ajar:"):
                assert service["read_only"] is True
                assert service["cap_drop"] == ["ALL"]
                assert service["mem_limit"] == service["memswap_limit"]
                if isinstance(service.get("command"), list):
                    refuse_unknown(list(map(str, service["command"])))


def test_others_wait_for_the_postgresql_that_stays() -> None:
    """Its first start makes the database with a server that only listens on a socket, which is stopped again."""
    (compose,) = documents_of("deploy/compose/postgresql.yaml")
    asks = compose["services"]["postgres"]["healthcheck"]["test"]
    assert "--host=127.0.0.1" in asks


def test_kubernetes_runs_what_exists_without_rights() -> None:
    everything = [each for name in YAML if name.startswith("deploy/kubernetes/") for each in documents_of(name)]
    (kustomization,) = (each for each in everything if each["kind"] == "Kustomization")
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert {*kustomization["resources"], "kustomization.yaml"} == there
    settings = next(each["data"] for each in everything if each["kind"] == "ConfigMap")
    assert set(settings) <= SETTINGS
    secrets = {Path(value).name for name, value in settings.items() if name.endswith("_FILE")}
    named = set(re.findall(r"--from-file=(\w+)", (DEPLOY / "README.md").read_text("utf-8")))
    assert secrets == named
    pods = [each["spec"]["template"]["spec"] for each in everything if each["kind"] in {"Deployment", "Job"}]
    assert len(pods) == 3
    for pod in pods:
        (container,) = pod["containers"]
        refuse_unknown(container["args"])
        assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["enableServiceLinks"] is False
    for deployment in (each for each in everything if each["kind"] == "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        budget = next(
            each
            for each in everything
            if each["kind"] == "PodDisruptionBudget" and each["metadata"] == deployment["metadata"]
        )
        assert budget["spec"]["selector"]["matchLabels"] == labels
        assert budget["spec"]["minAvailable"] < deployment["spec"]["replicas"]


MANIFESTS = [name for name in YAML if name.startswith("deploy/kubernetes/") and "kustomization" not in name]


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_accepts_the_manifests(name: str, version: str) -> None:
    """By its own schemas, in which a misspelt field is an error."""
    for manifest in documents_of(name):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_probes_ask_what_the_bot_answers() -> None:
    asked = set(re.findall(r"httpGet: \{path: (\S+),", "".join((ROOT / name).read_text("utf-8") for name in MANIFESTS)))
    served = make_server(Observed.of(Health(), SystemClock()), None).app.router.resources()
    assert asked == {"/health/live", "/health/started"}
    assert asked <= {resource.canonical for resource in served}


def test_misspelt_field_of_a_manifest_is_refused() -> None:
    (job,) = documents_of("deploy/kubernetes/migrate.yaml")
    job["spec"]["template"]["spec"]["restartpolicy"] = "Never"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)


def test_watchdogs_outwait_the_bots_own() -> None:
    """It says why it ends; systemd doesn't."""
    from bot.watchdog import LOOP_LOOK_EVERY, LOOP_LOOKS

    for path in UNITS.glob("ajar*.service"):
        found = {name: value for _, name, value in directives(path)}
        if "run" in found["ExecStart"].split():
            assert found["Type"] == "notify"
            assert _seconds(found["WatchdogSec"]) > LOOP_LOOK_EVERY * LOOP_LOOKS + 15


def _seconds(span: str) -> int:
    """Read a time as systemd does: a number alone is in seconds."""
    return int(span.removesuffix("min")) * 60 if span.endswith("min") else int(span)


@pytest.mark.parametrize("name", UNIT_FILES)
def test_units_name_what_exists(name: str) -> None:
    for _section, setting, value in directives(ROOT / name):
        if setting.startswith("Exec"):
            assert value.startswith("/"), f"{name}: {value}"
        if setting in {"OnSuccess", "Unit"}:
            assert (UNITS / value).is_file()
        if setting == "Environment" and value.startswith("AJAR_"):
            assert value.partition("=")[0] in SETTINGS


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, put where deploy/README.md says, below a folder."""
    root = tmp_path_factory.mktemp("machine")
    shutil.copytree(UNITS, root / "etc/systemd/system", symlinks=True)
    return root


def _analyze(*words: str) -> str:
    if not (found := shutil.which("systemd-analyze")):
        pytest.skip("systemd isn't installed")
    done = subprocess.run([found, *words], capture_output=True, text=True, check=False, timeout=30)
    return done.stdout + done.stderr


@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.service")))
def test_units_are_sandboxed(installed: Path, unit: str) -> None:
    """From 0 (safe) to 10, as systemd rates it; what is left is mostly the network, which the bot needs."""
    said = _analyze("security", "--offline=true", "--no-pager", f"--root={installed}", unit.replace("@.", "@1."))
    rated = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert rated, said
    assert float(rated[1]) < 2


@pytest.mark.parametrize(
    "unit", sorted(path.name for path in UNITS.glob("*.*") if path.suffix in {".service", ".timer"})
)
def test_systemd_knows_every_directive(installed: Path, unit: str) -> None:
    said = _analyze("verify", "--no-pager", f"--root={installed}", unit.replace("@.", "@1."))
    wrong = [line for line in said.splitlines() if re.search(r"Unknown|Failed to parse|Invalid|ignoring", line)]
    assert not wrong


def test_command_runs_with_the_services_settings(tmp_path: Path) -> None:
    """The script that stands for `ajar` says the same to systemd-run as the service's own files to systemd."""
    stand_in = tmp_path / "systemd-run"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    said = subprocess.run(
        [UNITS / "ajar", "backup", "--keep", "3"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True,
        text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert said[-4:] == ["/opt/ajar/.venv/bin/ajar", "backup", "--keep", "3"]
    (unit,) = re.findall(r"--unit=(\S+)", "\n".join(said))
    given = {line.replace(f"/run/credentials/{unit}.service", "%d").replace("/var/lib", "%S") for line in said}
    settings, sandbox = (directives(UNITS / "ajar-.service.d" / f"{each}.conf") for each in ("settings", "sandbox"))
    same = {"DynamicUser", "User", "StateDirectory", "StateDirectoryMode", "WorkingDirectory", "UMask", "LimitCORE"}
    wanted = {f"{name}={value}" for _, name, value in sandbox if name in same}
    wanted |= {f"{name}={value}" for _, name, value in settings if name in {"LoadCredential", "EnvironmentFile"}}
    wanted |= {value for _, name, value in settings if name == "Environment" and re.search("FILE|DATA_DIR", value)}
    assert wanted <= given


@pytest.mark.parametrize("name", ["deploy/proxy/Caddyfile", "deploy/compose/Caddyfile"])
def test_caddy_reads_its_files(name: str, tmp_path: Path) -> None:
    if not (caddy := shutil.which("caddy")):
        pytest.skip("Caddy isn't installed")
    done = subprocess.run(
        [caddy, "validate", "--adapter", "caddyfile", "--config", ROOT / name],
        env={"HOME": str(tmp_path), "HOST_NAME": "bot.example.org"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_nginx_reads_its_file(tmp_path: Path) -> None:
    if not (nginx := shutil.which("nginx", path=f"/usr/sbin:{os.environ['PATH']}")):
        pytest.skip("nginx isn't installed")
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=x",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    site = (DEPLOY / "proxy" / "nginx.conf").read_text().replace("/etc/letsencrypt/live/bot.example.org", str(tmp_path))
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"events {{}} pid {tmp_path}/pid; error_log stderr; http {{ {temporary} {site} }}")
    (tmp_path / "logs").mkdir()
    said = subprocess.run([nginx, "-t", "-p", tmp_path, "-c", whole], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_links_lead_to_the_sandbox() -> None:
    for folder in UNITS.glob("*.service.d"):
        for link in folder.iterdir():
            assert link.resolve().parent == UNITS / "ajar-.service.d"
            assert link.is_file()


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json")])
def test_json_is_well_formed(name: str) -> None:
    found: Any = json.loads((ROOT / name).read_text("utf-8"))
    assert found


def test_every_file_is_documented() -> None:
    """Otherwise an operator doesn't find it."""
    pages = "\n".join((ROOT / page).read_text("utf-8") for page in PAGES)
    for name in FILES:
        path = ROOT / name
        folders = [parent for parent in path.parents if parent.is_relative_to(DEPLOY) and parent != DEPLOY]
        names = {path.name, *(folder.name for folder in folders)}
        assert any(re.search(rf"{re.escape(each)}\b", pages) for each in names), name
