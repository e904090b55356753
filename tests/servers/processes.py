"""Worker processes as the supervisor starts them, which a test may kill at any instant."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.stream_server import StreamServer

ROOT = Path(__file__).parents[2]


class Workers:
    """Processes by worker name; ``kill`` leaves no chance to tidy up."""

    def __init__(self, server: StreamServer, config: Path) -> None:
        self._config = config
        self._environment = {
            **os.environ,
            "PENSTOCK_REDIS_URL": server.url,
            "PENSTOCK_DATA_DIR": str(config.parent),
            "PYTHONPATH": str(ROOT),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a worker; its log goes to a file beside the topology."""
        with (self._config.parent / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "workers", name, "--config", str(self._config)],
                env=self._environment,
                cwd=ROOT,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """``kill -9``, and start it again."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait(20)
        self.start(name)

    def stop(self) -> None:
        """End all of them in good order."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            # a process that was told before it listened for signals has nothing to drain
            assert process.wait(30) in (0, -signal.SIGTERM), (
                self._config.parent / f"{name}.log"
            ).read_text()


@contextmanager
def workers(server: StreamServer, config: Path) -> Iterator[Workers]:
    """Worker processes that are gone when the block ends, however it ends."""
    found = Workers(server, config)
    try:
        yield found
        found.stop()
    finally:
        for process in found.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait(20)
