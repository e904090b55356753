"""``penstock`` as a user runs it: as a command, in a directory of its own, with real processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.connection import Client, connect
from streams.embedded import EmbeddedServer
from streams.embedded_address import Address
from tests.servers.pipeline import SMALL, topology_from

AUTHORS = """\
def through(message):
    return message.event


def counting(message, memory):
    memory["count"] = memory.get("count", 0) + 1
    return message.event
"""

PASSING: dict[str, Any] = {
    **SMALL,
    "streams": {**SMALL["streams"], "OUT": {"schema": "schemas:L3EventSchema", "sink": True}},
    "workers": {
        **SMALL["workers"],
        "pass": {
            "kind": "transform",
            "call": "authored:counting",
            "reads": ["OK"],
            "writes": ["OUT"],
            "memory": True,
        },
    },
}
"""A gate, and a transform that owns its lane alone."""


@dataclass
class House:
    """A directory with a topology file, its author's functions, and the data of one pipeline."""

    directory: Path
    tree: dict[str, Any] = field(default_factory=lambda: PASSING)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "authored.py").write_text(AUTHORS)
        topology_from(self.tree, self.directory)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def command(self, *arguments: str) -> dict[str, Any]:
        """What ``subprocess`` takes to run ``penstock``."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
        return {
            "args": [sys.executable, "-m", "supervisor", *arguments],
            "cwd": self.directory,
            "env": {**ours, "PENSTOCK_DATA_DIR": str(self.data), **self.environment},
            "text": True,
        }

    def run(self, *arguments: str, within_s: float = 60.0) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            **self.command(*arguments), capture_output=True, timeout=within_s, check=False
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            **self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def status(self) -> Any:
        done = self.run("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def worker(self, name: str) -> Any:
        return next(row for row in self.status()["workers"] if row["worker"] == name)

    def address(self) -> Address | None:
        """Where the embedded server is, if it answers."""
        return EmbeddedServer(self.data).running()

    def client(self) -> Client:
        address = self.address()
        assert address is not None
        return connect(address.url)


@contextmanager
def up(house: House, *arguments: str) -> Iterator["subprocess.CompletedProcess[str]"]:
    """The pipeline of a house while the block lasts; nothing of it lives afterwards."""
    done = house.run("up", "--detach", "--port", "0", *arguments)
    try:
        yield done
    finally:
        house.run("down")
        for pid in left_over(house):
            os.kill(pid, signal.SIGKILL)


def left_over(house: House) -> list[int]:
    """Processes that still work for a house: those whose environment names its data."""
    mark = f"PENSTOCK_DATA_DIR={house.data}".encode()
    config = str(house.data / "valkey").encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark in (entry / "environ").read_bytes().split(b"\0")
            ours = ours or config in (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or is another user's
        if ours and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found
