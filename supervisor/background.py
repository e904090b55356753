"""``penstock up --detach``: starts ``penstock up`` in a session of its own and waits for it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from supervisor.control import Control
from supervisor.errors import ActionFailed, NotRunning
from supervisor.exits import Exit
from supervisor.overview import Overview
from supervisor.worker_log import WorkerLog

_PAUSE_S = 0.05
_SAID = "penstock: "


class DetachedEnded(Exception):
    """The supervisor ended before it was ready; ``code`` and ``sentences`` are its own."""

    def __init__(self, code: int, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.code = code
        self.sentences = sentences


def start_detached(
    arguments: Sequence[str],
    data_dir: Path,
    within_s: float,
    *,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Overview:
    """Run ``penstock`` with ``arguments`` and wait until every worker is ready or misconfigured.

    What it prints goes to ``logs/supervisor.log`` in the data directory.

    Raises DetachedEnded when it ends before, ActionFailed when the time is up: it goes on then.
    """
    log = data_dir / "logs" / "supervisor.log"
    with WorkerLog(log).open() as file:
        begun_at = file.tell()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "supervisor", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    deadline_s = now_s() + within_s
    while now_s() < deadline_s:
        code = process.poll()
        if code is not None:
            raise DetachedEnded(code, _sentences(log, begun_at, code))
        overview = _settled(data_dir, process.pid)
        if overview is not None:
            return overview
        sleep(_PAUSE_S)
    raise ActionFailed(
        f"not every worker was ready within {within_s:g} s, but the supervisor (process "
        f"{process.pid}) goes on; see 'penstock status' and {log}"
    )


def _settled(data_dir: Path, pid: int) -> Overview | None:
    """The overview once nothing is to be waited for any more."""
    try:
        control = Control(data_dir)
        if control.here.pid != pid:
            return None
        if control.ready():
            return control.overview()
        overview = control.overview()
    except NotRunning:
        return None
    processes = [process for worker in overview.workers for process in worker.processes]
    misconfigured = any(process.state == "misconfigured" for process in processes)
    settled = all(process.ready or process.state == "misconfigured" for process in processes)
    return overview if misconfigured and settled else None


def _sentences(log: Path, begun_at: int, code: int) -> list[str]:
    with log.open("rb") as file:
        file.seek(begun_at)
        lines = file.read().decode(errors="replace").splitlines()
    said = [line.removeprefix(_SAID) for line in lines if line.startswith(_SAID)]
    # On a full disk it cannot even write down why it ended.
    known = f" ({Exit(code).name.lower().replace('_', ' ')})" if code in set(Exit) else ""
    return said or [f"the supervisor ended with exit code {code}{known}; see {log}"]
