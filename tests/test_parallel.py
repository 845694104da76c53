"""How the tests are divided among processes, even when some of them die, and how others are forked for them."""

import os
import socket
import struct
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import forks, parallel
from tests.conftest import pytest_xdist_make_scheduler
from tests.journeys.house import free_port

TESTS = [f"tests/crash/test_{module}.py::test_{number}" for module in "abcd" for number in range(3)]


class Process:
    """A process that runs tests, as xdist knows it."""

    shutting_down = False
    gateway = SimpleNamespace(id="gw")

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_runtest_some(self, places: list[int]) -> None:
        self.sent += [TESTS[place] for place in places]

    def shutdown(self) -> None:
        self.shutting_down = True


def test_two_dying_processes_lose_no_test() -> None:
    """The successor of the first is still collecting when the second one dies."""
    pytest.importorskip("xdist")
    option = SimpleNamespace(loadscopereorder=True)
    config: Any = SimpleNamespace(option=option, getvalue=lambda _name: ["popen", "popen"])
    units = pytest_xdist_make_scheduler(config, None)
    first, second = Process(), Process()
    for process in (first, second):
        units.add_node(process)
        units.add_node_collection(process, TESTS)
    units.schedule()
    died = [units.remove_node(first)]
    successors = Process(), Process()
    units.add_node(successors[0])
    died.append(units.remove_node(second))
    units.add_node(successors[1])
    for process in successors:
        units.add_node_collection(process, TESTS)
        units.schedule()
    ran: set[str] = set()
    while any(process.sent for process in successors):
        for process in successors:
            sent, process.sent = process.sent, []
            for test in sent:
                ran.add(test)
                units.mark_test_complete(process, TESTS.index(test))
    assert ran == set(TESTS)
    assert set(died) <= ran
    assert units.tests_finished


def test_each_process_begins_with_other_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr("tests.parallel.importlib.import_module", imported.append)
    tests = Path(__file__).parent
    orders = []
    for number in range(3):
        imported.clear()
        parallel.import_in_turns([tests / "domain", tests / "tg"], [tests / "tg"], number, 3)
        orders.append(list(imported))
    all_modules = sorted(f"tests.domain.{file.stem}" for file in (tests / "domain").glob("test_*.py"))
    assert [sorted(order) for order in orders] == [all_modules] * 3
    assert len({tuple(order[: len(order) // 3]) for order in orders}) == 3
    assert not set(orders[0][: len(all_modules) // 3]) & set(orders[1][: len(all_modules) // 3])


def test_module_that_cannot_be_imported_is_left_to_the_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_name: str) -> None:
        pytest.skip("for want of a program")

    monkeypatch.setattr("tests.parallel.importlib.import_module", fails)
    parallel.import_in_turns([Path(__file__).parent], [], 0, 1)


def test_free_port_stays_free_for_its_owner() -> None:
    """A bot asks for it a second later; meanwhile all other processes of the test run take ports, too."""
    port = free_port()
    with socket.socket() as other, suppress(OSError):
        # IP_LOCAL_PORT_RANGE, so that there is only this one to give; an older Linux has many.
        other.setsockopt(socket.IPPROTO_IP, 51, struct.pack("I", port << 16 | port))
        other.bind(("127.0.0.1", 0))
        assert other.getsockname()[1] != port
    socket.create_server(("127.0.0.1", port)).close()


def test_forked_process_ends_with_its_owner(tmp_path: Path) -> None:
    said = tmp_path / "said"
    process = forks.Forked(
        partial(exec, "import time; time.sleep(600)"), cwd=tmp_path, env={}, output=said, errors=said
    )
    pid = process.pid
    assert process.returncode is None
    del process
    patience = time.monotonic() + 20
    while _lives(pid):
        assert time.monotonic() < patience


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
