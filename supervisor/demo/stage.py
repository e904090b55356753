"""A pipeline to play on: the one that runs, or one of our own for as long as the demo takes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.topology import Topology
from streams.connection import Client
from streams.errors import NoServer, ServerAway, StreamsError
from streams.presence import present
from supervisor.context import Context
from supervisor.demo.publish import Interrupted, Wait
from supervisor.errors import SupervisorError
from supervisor.lock import SupervisorLock

LOG = "demo-up.log"
"""What our own pipeline says, under the data directory."""

_STOP_WITHIN_S = 60.0
_POLL_S = 0.1


class NoPipeline(SupervisorError):
    """The demo's own pipeline did not start, or ended too early."""


class Stage:
    """The way to the pipeline; ``own`` says whether the demo started it."""

    def __init__(self, client: Client, process: subprocess.Popen[bytes] | None, log: Path) -> None:
        self.client = client
        self.own = process is not None
        self._process = process
        self._log = log

    def check(self) -> None:
        """Raises NoPipeline when our own pipeline has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise NoPipeline(_ended(self._process.returncode, self._log))


@contextmanager
def stage(
    penstock: Context,
    topology: Topology,
    wait: Wait,
    within_s: float,
    told: Callable[[str], None],
) -> Iterator[Stage]:
    """Enter the running pipeline, or start one and stop it at the end; data stay.

    ``told`` gets a sentence about what takes a while.

    Raises NoPipeline when it does not come up in time, Interrupted when told to stop meanwhile.
    """
    data_dir = penstock.settings().data_dir
    log = data_dir / LOG
    running = SupervisorLock(data_dir).held() or _works_elsewhere(penstock, topology)
    if not running:
        told(f"No pipeline runs on {data_dir}: starting one for as long as the demo takes.")
    process = None if running else start(up_command(penstock.config), log)
    try:
        with await_client(penstock.client, process, log, wait, within_s) as client:
            yield Stage(client, process, log)
    finally:
        if process is not None:
            stop(process)


def _works_elsewhere(penstock: Context, topology: Topology) -> bool:
    """Whether all workers are alive without a supervisor here, as on several machines."""
    try:
        with penstock.client() as client:
            alive = {presence.worker for presence in present(client, time.time())}
    except (NoServer, ServerAway):
        return False
    return alive >= set(topology.workers)


def up_command(config: Path) -> list[str]:
    """What starts a pipeline in a process of its own."""
    return [sys.executable, "-P", "-m", "supervisor", "--config", str(config), "up"]


def start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process whose words go to ``log``; Ctrl-C does not reach it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], within_s: float = _STOP_WITHIN_S) -> None:
    """Let it drain and end; end it for good when it takes longer than ``within_s``."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_client(
    connect: Callable[[], Client],
    process: subprocess.Popen[bytes] | None,
    log: Path,
    wait: Wait,
    within_s: float,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> Client:
    """Wait until the server serves; one that is loading its data answers, but does not.

    Raises NoPipeline when the process ends, or the time is up; Interrupted when told to stop.
    """
    deadline_s = monotonic_s() + within_s
    while True:
        if process is not None and process.poll() is not None:
            raise NoPipeline(_ended(process.returncode, log))
        try:
            return _serving(connect())
        except StreamsError as error:
            if monotonic_s() > deadline_s:
                raise NoPipeline(
                    f"the pipeline did not come up in {within_s:.0f} s: {error}"
                ) from error
        if wait(_POLL_S):
            raise Interrupted


def _serving(client: Client) -> Client:
    try:
        present(client, time.time())
    except StreamsError:
        client.close()
        raise
    return client


def _ended(code: int, log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    words = lines[-1] if lines else "it left no word"
    said = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return f"the demo's own pipeline ended {said}: {words[:300]} (see {os.fspath(log)})"
