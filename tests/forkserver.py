"""The process from which a test run forks its bots and commands: `python -m tests.forkserver` (see forks.py).

It loads everything once for all processes of the run, and does nothing itself but fork: threads would not survive that.
Each connection asks for one process, and hears its pid and, when it has ended, its exit code. Whoever closes the
connection earlier ends that process. A connection that asks with nothing hears the server's own pid, and keeps it
running: it ends when nobody is connected any more.
"""

import contextlib
import gc
import importlib
import os
import pickle
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import NoReturn


class Server:
    """Forks on request."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._ended, self._ends = socket.socketpair()
        for end in (self._ended, self._ends):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._ends.fileno(), warn_on_full_buffer=False)
        self._pids: dict[Connection, int] = {}
        """The process of each connection; 0 if it hasn't asked for one."""

    def run(self) -> None:
        """Serve until the last connection is closed."""
        self._accept()
        while self._pids:
            for ready in wait([self._listening, self._ended, *self._pids]):
                if ready is self._listening:
                    self._accept()
                elif ready is self._ended:
                    self._reap()
                elif isinstance(ready, Connection) and ready in self._pids:
                    self._hear(ready)

    def _accept(self) -> None:
        accepted, _ = self._listening.accept()
        self._pids[Connection(accepted.detach())] = 0

    def _hear(self, connection: Connection) -> None:
        try:
            if not (asked := connection.recv_bytes()):
                connection.send(os.getpid())
                return
        except (EOFError, OSError):
            self._forget(connection)
            return
        if (pid := os.fork()) == 0:
            self._leave()
            _live(asked)
        self._pids[connection] = pid
        with contextlib.suppress(OSError):  # whoever asked has died, which we hear next
            connection.send(pid)

    def _forget(self, connection: Connection) -> None:
        pid = self._pids.pop(connection)
        connection.close()
        if pid:
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ended.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._tell(ended[0], os.waitstatus_to_exitcode(ended[1]))

    def _tell(self, pid: int, code: int) -> None:
        for connection in [each for each, its in self._pids.items() if its == pid]:
            del self._pids[connection]
            with contextlib.suppress(OSError), connection:
                connection.send(code)

    def _leave(self) -> None:
        """Give up, in a forked process, what belongs to the server."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._listening.close()
        for connection in self._pids:
            connection.close()


def _live(asked: bytes) -> NoReturn:
    """Do the work as Python does a program, and end."""
    code = 1
    try:
        output, errors, cwd, env, work = pickle.loads(asked)  # noqa: S301  # from a test
        _move_in(output, errors, cwd, env)
        code = _code_of(pickle.loads(work))  # noqa: S301
    except BaseException:  # noqa: BLE001  # nothing is left that could handle it
        traceback.print_exc()
    finally:
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                thread.join()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _move_in(output: str, errors: str, cwd: str, env: dict[str, str]) -> None:
    for number, file in ((1, output), (2, errors)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()


def _code_of(work: Callable[[], object]) -> int:
    try:
        work()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def main(listening: int, folder: str) -> None:
    """Serve on a socket that is bound in a folder, and remove that in the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it goes to all processes of a terminal, and the tests end us
    importlib.import_module("tests.preloaded")
    if threading.active_count() > 1:
        raise RuntimeError("a process with several threads can't be forked")
    gc.collect()
    gc.freeze()  # otherwise each fork's first collection writes to, and thereby copies, all of this
    with socket.socket(fileno=listening) as listener:
        Server(listener).run()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
