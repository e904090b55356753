"""A topology file is looked at in a process of its own, which its authors cannot harm."""

import signal
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from supervisor.errors import ReloadRefused
from supervisor.inspection import Inspector, look_at
from supervisor.parts import Applied
from tests.servers.pipeline import SMALL, topology_from
from tests.servers.supervised import PASSING


def finished(steps: Generator[None, None, Applied]) -> Applied:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def test_a_file_is_looked_at_in_a_process_of_its_own(tmp_path: Path) -> None:
    topology_from(SMALL, tmp_path)
    file = tmp_path / "streams.yaml"
    assert finished(Inspector().inspect(file, file)) == look_at(file)
    file.write_text(file.read_text().replace("kind: gate", "kind: gat"))
    with pytest.raises(ReloadRefused, match="did you mean 'gate'"):
        finished(Inspector().inspect(file, file))


def test_what_a_module_prints_or_raises_at_import_does_no_harm(tmp_path: Path) -> None:
    author = tmp_path / "author_that_prints.py"
    author.write_text("from schemas import L3EventSchema\nprint('[hello')\n")
    streams = {**SMALL["streams"], "IN": {**SMALL["streams"]["IN"]}}
    for name in ("IN", "OK"):
        streams[name] = {**streams[name], "schema": "author_that_prints:L3EventSchema"}
    file = tmp_path / "streams.yaml"
    with file.open("w") as out:
        YAML().dump({**SMALL, "streams": streams}, out)
    assert "IN" in finished(Inspector().inspect(file, file)).topology.streams
    author.write_text("import os\nos._exit(9)\n")
    with pytest.raises(ReloadRefused, match="ended with 9"):
        finished(Inspector().inspect(file, file))
    for words in ("42", '"no"', "[1]", "[" * 100_000):
        author.write_text(f"import os\nos.write(1, b{words!r})\nos._exit(3)\n")
        with pytest.raises(ReloadRefused, match="ended with 3"):
            finished(Inspector().inspect(file, file))


def test_a_look_that_nobody_waits_for_any_more_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text("import time\ntime.sleep(1000)\n")
    tree = {**SMALL, "streams": {**SMALL["streams"]}}
    tree["streams"]["IN"] = {**SMALL["streams"]["IN"], "schema": "hanging:Model"}
    with (tmp_path / "streams.yaml").open("w") as out:
        YAML().dump(tree, out)
    started: list[subprocess.Popen[bytes]] = []

    def spawn(*arguments: Any, **named: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(*arguments, **named))
        return started[0]

    steps = Inspector(spawn).inspect(tmp_path / "streams.yaml")
    next(steps)
    steps.close()
    assert started[0].wait(timeout=30.0) == -signal.SIGKILL


def test_a_process_that_cannot_be_started_or_never_ends_refuses_the_file(tmp_path: Path) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("no more processes")

    with pytest.raises(ReloadRefused, match="no more processes"):
        finished(Inspector(refuse).inspect(tmp_path / "a.yaml", tmp_path / "a.yaml"))

    class Endless:
        pid = 1
        code: int | None = None

        def poll(self) -> int | None:
            return self.code

        def send_signal(self, sig: int, /) -> None:
            self.code = -sig

    file = tmp_path / "a.yaml"
    times = iter([0.0, 1.0, 61.0, 62.0])
    with pytest.raises(ReloadRefused, match="ended with -9"):
        finished(Inspector(lambda *_, **__: Endless(), lambda: next(times)).inspect(file, file))


def test_a_copy_is_looked_at_and_the_file_that_it_is_of_is_named(tmp_path: Path) -> None:
    topology_from(SMALL, tmp_path)
    file, copy = tmp_path / "streams.yaml", tmp_path / "copy.yaml"
    copy.write_text(file.read_text().replace("rejects_to: BAD", "rejects_to: BED"))
    with pytest.raises(ReloadRefused, match=r"did you mean 'BAD'.*/streams.yaml:\d+"):
        finished(Inspector().inspect(copy, file))


def test_only_the_functions_of_the_workers_that_are_asked_for_are_looked_at(tmp_path: Path) -> None:
    topology_from(PASSING, tmp_path)
    file = tmp_path / "streams.yaml"
    (tmp_path / "authored.py").write_text("raise ValueError('no')\n")
    assert "gate" in finished(Inspector().inspect(file, file, ["gate"])).topology.workers
    with pytest.raises(ReloadRefused, match="worker 'pass': authored:counting cannot be imported"):
        finished(Inspector().inspect(file, file, ["gate", "pass"]))
