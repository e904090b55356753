"""A supervisor whose server and processes are of straw."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from redis.exceptions import ResponseError

from streams.keys import PRESENCE
from streams.settings import ServerSettings
from supervisor.settings import SupervisorSettings
from supervisor.steps import Steps, nothing_to_do
from supervisor.supervisor import Supervisor
from tests.unit.supervisor.stand_ins import Machine, presence, topology

WHAT_WAS_READ = "what was read at the start\n"


class StrawServer:
    """A server that knows the presence of a machine's processes, and what was done in turn."""

    def __init__(self, machine: Machine, done: list[str], starting: Callable[[], Steps]) -> None:
        self.machine = machine
        self.done = done
        self.away = False
        self.starting = starting
        self.at_stop: Callable[[], object] = lambda: None

    def start(self) -> Steps:
        yield from self.starting()
        self.done.append("server started")

    def stop(self) -> None:
        assert not self.machine.living
        self.at_stop()
        self.done.append("server stopped")

    def look(self) -> None:
        return

    @contextmanager
    def client(self) -> Any:
        yield self

    def execute_command(self, command: str, *asked: Any) -> dict[bytes, bytes]:
        if self.away:
            raise ConnectionError("away")
        if command == "HGETALL" and asked[0] != PRESENCE:
            return {}
        if command.startswith("XINFO"):
            raise ResponseError("no such key")  # no stream was written yet
        lines = [presence(process.command[4], process.pid) for process in self.machine.living]
        return {line.field.encode(): line.model_dump_json().encode() for line in lines}


def supervised(
    machine: Machine,
    directory: Path,
    on_ready: Callable[[Supervisor], None],
    drain_s: float = 20.0,
    starting: Callable[[], Steps] = nothing_to_do,
) -> list[str]:
    """Run a supervisor whose server takes the steps of ``starting`` to start; return what happened,
    in its order.
    """
    done: list[str] = []

    def ready(_: float) -> None:
        done.append("ready")
        on_ready(supervisor)

    settings = SupervisorSettings(directory / "streams.yaml", data_dir=directory, drain_s=drain_s)
    supervisor = Supervisor(
        topology(), settings, ServerSettings(), structlog.get_logger(), text=WHAT_WAS_READ,
        around=machine.around, on_ready=ready,
    )  # fmt: skip
    supervisor.server = StrawServer(machine, done, starting)  # type: ignore[assignment]

    def open_pages(_: Supervisor) -> Callable[[], None]:
        done.append("pages opened")
        return lambda: done.append("pages shut")

    supervisor.run(open_pages)
    return done
