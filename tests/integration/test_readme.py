"""The README's example, word for word: its files, its commands, what they answer."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.pipeline import until

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


class Shell:
    """Runs the README's commands in an empty folder, with a port of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._environment = {
            **{name: value for name, value in os.environ.items() if "PENSTOCK" not in name},
            "PENSTOCK_PORT": "0",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def run(self, command: str) -> str:
        done = subprocess.run(
            command, shell=True, cwd=self._directory, env=self._environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def quietly(self, command: str) -> str:
        """What a command printed, whatever its exit code."""
        return subprocess.run(
            command, shell=True, cwd=self._directory, env=self._environment,
            capture_output=True, text=True, timeout=60, check=False,
        ).stdout  # fmt: skip


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "orders.py").write_text(next(text for kind, text in BLOCKS if kind == "python"))
    (tmp_path / "streams.yaml").write_text(next(text for kind, text in BLOCKS if kind == "yaml"))
    shell = Shell(tmp_path)
    yield shell
    shell.quietly("penstock down")


def commands() -> dict[str, str]:
    """The commands of the example, by their verb."""
    block = [text for kind, text in BLOCKS if kind == "sh"][1]
    lines = [line.split(" #")[0].strip() for line in block.splitlines()]
    return {line.split()[1]: line for line in lines if line}


@pytest.mark.timeout(120)
def test_the_readmes_example_does_what_it_says(shell: Shell) -> None:
    verbs = commands()
    assert "ORDERS_IN" in shell.run(verbs["check"])
    shell.run(verbs["up"])
    uid = shell.run(verbs["publish"]).split()[0]
    assert uid.startswith("ORDERS_IN/")
    until(lambda: "12.5" in shell.run(verbs["tail"]), 20.0, "the refund")
    until(lambda: uid in shell.quietly(verbs["lineage"]), 20.0, "the trail")
    shell.run(verbs["down"])
