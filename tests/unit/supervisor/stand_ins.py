"""Stand-ins for what the supervisor takes from the machine: a clock, processes, a server."""

import json
import platform
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.supervisor_event import SupervisorEvent
from schemas.topology import Topology
from streams.presence import Presence
from supervisor.child import Child, Place, Surroundings
from supervisor.chronicle import Chronicle
from supervisor.parts import applied


class Clock:
    """Seconds that pass when a test says so; ``step`` pass at each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.at_s = 100.0
        self.step = step

    def __call__(self) -> float:
        self.at_s += self.step
        return self.at_s


class FakeProcess:
    """A process that ends when a test says so, or of a signal if it is ``obedient``."""

    def __init__(self, pid: int, command: list[str], log: Any, obedient: bool) -> None:
        self.pid = pid
        self.command = command
        self.code: int | None = None
        self.signals: list[int] = []
        self._log = log
        self._obedient = obedient

    def say(self, line: str) -> None:
        self._log.write(line.encode() + b"\n")
        self._log.flush()

    def poll(self) -> int | None:
        return self.code

    def send_signal(self, sig: int, /) -> None:
        self.signals.append(sig)
        if sig == signal.SIGKILL:
            self.code = -sig
        elif self._obedient:
            self.code = 0


class Machine:
    """Starts fake processes and remembers them all, and what their children told of."""

    def __init__(self, *, step: float = 0.0, obedient: bool = True) -> None:
        self.clock = Clock(step)
        self.epoch_s = 0.0
        self.started: list[FakeProcess] = []
        self.chronicle = Chronicle()
        self.refusing = False
        self.obedient = obedient

    def spawn(self, command: list[str], *, stdout: Any, **_: Any) -> FakeProcess:
        if self.refusing:
            raise OSError("no more processes")
        if "supervisor.inspection" in command:
            return self._inspected(command, stdout)
        log = open(stdout.name, "ab")  # noqa: SIM115 - the process keeps it
        process = FakeProcess(1000 + len(self.started), command, log, self.obedient)
        self.started.append(process)
        return process

    def _inspected(self, command: list[str], stdout: Any) -> FakeProcess:
        """One that has looked at a topology file already, and found no fault."""
        stdout.write(applied(topology()).as_json().encode())
        process = FakeProcess(0, command, stdout, True)
        process.code = 0
        return process

    @property
    def around(self) -> Surroundings:
        return Surroundings(self.clock, lambda: 1.0, self.spawn, lambda: self.epoch_s)

    @property
    def told(self) -> list[SupervisorEvent]:
        return list(self.chronicle._waiting)

    def end(self, code: int, *lines: str) -> None:
        """The process that was started last says so much and ends."""
        for line in lines:
            self.started[-1].say(line)
        self.started[-1].code = code

    @property
    def living(self) -> list[FakeProcess]:
        return [process for process in self.started if process.code is None]

    def close(self) -> None:
        for process in self.started:
            process._log.close()


@contextmanager
def a_machine(**settings: Any) -> Iterator[Machine]:
    machine = Machine(**settings)
    try:
        yield machine
    finally:
        machine.close()


def child_on(machine: Machine, directory: Path, place: Place = Place("gate")) -> Child:  # noqa: B008
    return Child(
        place,
        lambda: ["worker", place.label],
        directory / f"{place.label}.log",
        machine.chronicle,
        machine.around,
    )


def went_on(restarts: int) -> str:
    """The line with which a keeper tells that it starts another process."""
    said = {"event": "process_ended", "level": "error", "reason": "ended", "restarts": restarts}
    return json.dumps(said)


def presence(
    worker: str, pid: int, *, ready: bool = True, port: int = 1, lane: int = 0
) -> Presence:
    return Presence(
        worker=worker,
        kind="gate",
        consumer=f"{platform.node()[:64]}-{pid}-abc",
        lane=lane,
        pid=pid,
        host="127.0.0.1",
        port=port,
        version="1",
        state="running" if ready else "waiting",
        ready=ready,
        started_at_s=0.0,
        expires_at_s=1e12,
        rss_bytes=1_048_576,
    )


def topology(**changes: Any) -> Topology:
    """A gate and a transform with memory, on one lane unless changed."""
    reading = "schemas:L3EventSchema"
    return Topology.model_validate(
        {
            "version": 1,
            "dead_letters": "DEAD",
            "lineage": "LINEAGE",
            "streams": {
                "IN": {"schema": reading, "source": True},
                "OK": {"schema": reading},
                "OUT": {"schema": reading, "sink": True},
                "BAD": {"schema": "schemas:Rejection", "sink": True},
                "DEAD": {"schema": "schemas:DeadLetter", "sink": True},
                "LINEAGE": {"schema": "schemas:LineageRecord", "sink": True},
            },
            "workers": {
                "gate": {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD"},
                "pass": {
                    "kind": "transform",
                    "call": "authors:through",
                    "reads": ["OK"],
                    "writes": ["OUT"],
                    "memory": True,
                },
            },
            **changes,
        }
    )
