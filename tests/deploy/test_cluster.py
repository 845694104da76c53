"""The cluster's files say what the drill and docs/cluster.md rely on, and name each other's ports."""

import re
import shutil
import subprocess

import pytest

from tests.deploy.files import DEPLOY, documents_of

(PATRONI,) = documents_of("deploy/cluster/patroni.yml")
SCRIPT = (DEPLOY / "cluster" / "cluster").read_text("utf-8")
HAPROXY = (DEPLOY / "cluster" / "haproxy.cfg").read_text("utf-8")


def test_one_machine_alone_acknowledges_nothing() -> None:
    settings = PATRONI["bootstrap"]["dcs"]
    assert settings["synchronous_mode"] is True
    assert settings["synchronous_mode_strict"] is True
    assert settings["postgresql"]["parameters"]["synchronous_commit"] == "on"


def test_patroni_can_be_replaced_in_time() -> None:
    """Patroni refuses less; more, and there are no answers for longer than half a minute when a machine dies."""
    settings = PATRONI["bootstrap"]["dcs"]
    assert settings["ttl"] == 20
    assert settings["loop_wait"] + 2 * settings["retry_timeout"] <= settings["ttl"]


def test_only_the_primary_gets_connections() -> None:
    assert "option httpchk GET /primary" in HAPROXY
    assert "on-marked-down shutdown-sessions" in HAPROXY


def test_parts_name_each_others_ports() -> None:
    assert re.findall(r"server pg(\d) 127.0.0.1:2502\1 check port 2503\1", HAPROXY) == ["1", "2", "3"]
    assert "127.0.0.1:2502$1" in SCRIPT
    assert "127.0.0.1:2503$1" in SCRIPT
    assert PATRONI["etcd3"]["hosts"] == [f"127.0.0.1:2501{number}" for number in (1, 2, 3)]
    assert "http://127.0.0.1:2501$1" in SCRIPT
    pgbouncer = (DEPLOY / "cluster" / "pgbouncer.ini").read_text("utf-8")
    (port,) = re.findall(r"bind 127.0.0.1:(\d+)", HAPROXY)
    assert f"host=127.0.0.1 port={port} " in pgbouncer
    assert "pool_mode = transaction" in pgbouncer


def test_haproxy_reads_its_file() -> None:
    if not (haproxy := shutil.which("haproxy", path="/usr/sbin:/usr/bin")):
        pytest.skip("HAProxy isn't installed")
    done = subprocess.run(
        [haproxy, "-c", "-f", DEPLOY / "cluster" / "haproxy.cfg"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
