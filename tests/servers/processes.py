"""Worker processes as the supervisor starts them, which may be killed or frozen at any instant."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.stream_server import StreamServer

ROOT = Path(__file__).parents[2]


class Workers:
    """Processes by label; ``kill`` leaves no chance to tidy up.

    A label is a worker's name, with ``#2`` and so on behind it where there are more of it.
    ``after_death`` runs between a process's end and its next start, as a supervisor would do.
    ``code`` is where Python looks for packages first. ``most_bytes`` bounds the address space.
    """

    def __init__(
        self,
        server: StreamServer,
        config: Path,
        *,
        after_death: Callable[[], object] = lambda: None,
        code: Path = ROOT,
        most_bytes: int | None = None,
    ) -> None:
        self._config = config
        self._after_death = after_death
        self._code = code
        self._most_bytes = most_bytes
        self._environment = {
            **_inherited(code),
            "PENSTOCK_REDIS_URL": server.url,
            "PENSTOCK_DATA_DIR": str(config.parent),
            "PYTHONPATH": f"{code}{os.pathsep}{ROOT}",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, label: str) -> None:
        """Start a worker; its log goes to a file beside the topology."""
        name = label.partition("#")[0]
        with self.log_of(label).open("ab") as log:
            self.processes[label] = subprocess.Popen(
                [sys.executable, "-m", "workers", name, "--config", str(self._config)],
                env=self._environment,
                cwd=self._code,
                stderr=log,
                start_new_session=True,  # a group of their own, which can be frozen as one
            )
        if self._most_bytes is not None:
            bounds = (self._most_bytes, self._most_bytes)
            resource.prlimit(self.processes[label].pid, resource.RLIMIT_AS, bounds)

    def log_of(self, label: str) -> Path:
        """The log of all processes that had this label."""
        return self._config.parent / f"{label}.log"

    def kill(self, label: str) -> None:
        """``kill -9``, and start it again."""
        self.processes[label].send_signal(signal.SIGKILL)
        self.processes[label].wait(20)
        self._after_death()
        self.start(label)

    def strike(self, label: str) -> None:
        """``kill -9`` the process that works, and not its keeper, who forks another."""
        struck, ended = self.working(label), threading.Event()
        for pid in struck:
            os.kill(pid, signal.SIGKILL)
        for _ in range(2_000):  # until there is another, or the keeper could be told to end between
            if self.processes[label].poll() is None and not struck.issuperset(self.working(label)):
                return
            ended.wait(0.01)
        raise AssertionError(f"the keeper of {label} forked no other process")

    def working(self, label: str) -> set[int]:
        """The process that the keeper forked; none for a moment after it ended."""
        keeper = self.processes[label].pid
        children = Path(f"/proc/{keeper}/task/{keeper}/children")
        return {int(pid) for pid in children.read_text().split()}

    def revive(self) -> list[str]:
        """Start again whatever ended by itself; return the labels."""
        ended = [label for label, process in self.processes.items() if process.poll() is not None]
        for label in ended:
            self._after_death()
            self.start(label)
        return ended

    def freeze(self, label: str) -> None:
        """``SIGSTOP``: keeper and worker stand still with whatever they hold."""
        os.killpg(self.processes[label].pid, signal.SIGSTOP)

    def thaw(self, label: str) -> None:
        """``SIGCONT``."""
        os.killpg(self.processes[label].pid, signal.SIGCONT)

    @property
    def alive(self) -> list[int]:
        """The process ids of those that run."""
        return [p.pid for p in self.processes.values() if p.poll() is None]

    def stop(self) -> None:
        """End all of them in good order."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for label, process in self.processes.items():
            # a process that was told before it listened for signals has nothing to drain
            code = process.wait(30)
            said = f"{label} ended with {code}: {self.log_of(label).read_text()}"
            assert code in (0, -signal.SIGTERM), said
        self.processes.clear()


def _inherited(code: Path) -> dict[str, str]:
    """Our environment; what runs from elsewhere is not ours, so its coverage is not either."""
    ours = code == ROOT
    return {n: v for n, v in os.environ.items() if ours or not n.startswith("COVERAGE_")}


@contextmanager
def workers(
    server: StreamServer,
    config: Path,
    *,
    after_death: Callable[[], object] = lambda: None,
    code: Path = ROOT,
    most_bytes: int | None = None,
) -> Iterator[Workers]:
    """Worker processes that are gone when the block ends, however it ends."""
    found = Workers(server, config, after_death=after_death, code=code, most_bytes=most_bytes)
    try:
        yield found
        found.stop()
    finally:
        for process in found.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait(20)
