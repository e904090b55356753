"""The pipeline's image: what is in it, who runs it, and how secrets reach it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENTRYPOINT = ROOT / "deploy" / "entrypoint.py"
TEXT = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
STEPS = [
    (found[1], found[2])
    for line in re.sub(r"\\\n\s*", "", TEXT).splitlines()
    if (found := re.fullmatch(r"([A-Z]+) (.*)", line))
]


def of(instruction: str) -> list[str]:
    return [rest for name, rest in STEPS if name == instruction]


def test_every_line_is_an_instruction_or_a_comment() -> None:
    lines = re.sub(r"\\\n\s*", "", TEXT).splitlines()
    assert len(STEPS) == sum(1 for line in lines if line and not line.startswith("#"))


def test_what_it_is_built_on_is_pinned() -> None:
    for image in of("FROM"):
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", image), image
    assert all("--require-hashes" in run or "--no-deps" in run for run in of("RUN"))
    assert all("--no-cache-dir" in run for run in of("RUN"))


def test_it_ends_as_a_user_that_is_not_root() -> None:
    names = [name for name, _ in STEPS]
    assert [int(user) > 0 for user in of("USER")] == [True]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name in ("RUN", "COPY"))


def test_it_has_a_health_check_and_starts_without_a_shell() -> None:
    assert len(of("HEALTHCHECK")) == 1
    assert "/readyz" in of("HEALTHCHECK")[0]
    for step in (*of("ENTRYPOINT"), *of("CMD")):
        assert step.startswith("["), step


def test_it_copies_what_exists_and_holds_every_package() -> None:
    copied = [step.split()[:-1] for step in of("COPY")]
    assert all((ROOT / path).exists() for paths in copied for path in paths)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages <= {path for paths in copied for path in paths}
    assert not of("ADD")


def test_what_is_secret_is_not_sent_to_the_builder() -> None:
    assert "deploy/secrets" in (ROOT / ".dockerignore").read_text().split()


def started(tmp_path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The entry point with a ``penstock`` that says its arguments and environment."""
    stand_in = tmp_path / "penstock"
    stand_in.write_text('#!/bin/sh\necho "$@"\nenv\n')
    stand_in.chmod(0o755)
    return subprocess.run(
        [sys.executable, ENTRYPOINT, "up", "--port", "9464"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_become_settings(tmp_path: Path) -> None:
    for name, secret in (("redis", "p@ss:w/rd\n"), ("neo4j", "graph/a/b\n"), ("key", "k" * 32)):
        (tmp_path / name).write_text(secret)
    done = started(
        tmp_path,
        PENSTOCK_REDIS_URL="redis://redis:6379/0",
        PENSTOCK_REDIS_PASSWORD_FILE=str(tmp_path / "redis"),
        PENSTOCK_NEO4J_AUTH_FILE=str(tmp_path / "neo4j"),
        PENSTOCK_STATE_KEY_FILE=str(tmp_path / "key"),
        PENSTOCK_LOG_LEVEL="debug",
    )
    assert done.returncode == 0, done.stderr
    arguments, *lines = done.stdout.splitlines()
    assert arguments == "up --port 9464"
    assert {line for line in lines if line.startswith("PENSTOCK_")} == {
        "PENSTOCK_REDIS_URL=redis://:p%40ss%3Aw%2Frd@redis:6379/0",
        "PENSTOCK_NEO4J_USER=graph",
        "PENSTOCK_NEO4J_PASSWORD=a/b",
        f"PENSTOCK_STATE_KEY={'k' * 32}",
        "PENSTOCK_LOG_LEVEL=debug",
    }


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_secret_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    done = started(tmp_path, PENSTOCK_STATE_KEY_FILE=str(tmp_path / "key"))
    assert done.returncode == 1
    assert "is empty" in done.stderr


def test_the_first_argument_worker_starts_one_worker() -> None:
    done = subprocess.run(
        [sys.executable, ENTRYPOINT, "worker", "--help"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "python -m workers" in done.stdout


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux")
FIRST = f"""
import ctypes, os, runpy, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come here, as to id 1
os.getpid = lambda: 1
sys.argv = ["entrypoint.py", "up"]
runpy.run_path({str(ENTRYPOINT)!r}, run_name="__main__")
"""
ORPHAN = """
said, say = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.write(say, str(os.getpid()).encode())
    os._exit(0)
orphan = os.read(said, 20).decode()
os.wait()
while os.path.exists("/proc/" + orphan):  # until somebody has asked after it
    os.sched_yield()
sys.exit(7)
"""
DRAINS = """
def drain(number, _):
    print("told", number, flush=True)
    sys.exit(0)
signal.signal({number}, drain)
print("started", flush=True)
while True:
    signal.pause()
"""


def first(directory: Path, penstock: str) -> "subprocess.Popen[str]":
    """The image's entry point as the first process of a container, with a ``penstock`` of straw."""
    stand_in = directory / "penstock"
    stand_in.write_text(f"#!{sys.executable}\nimport os, signal, sys\nsignal.alarm(30)\n{penstock}")
    stand_in.chmod(0o755)
    return subprocess.Popen(
        [sys.executable, "-c", FIRST],
        env={**os.environ, "PATH": f"{directory}:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )


@on_linux
def test_the_first_process_asks_after_those_that_lost_their_parent(tmp_path: Path) -> None:
    with first(tmp_path, ORPHAN) as process:
        try:
            assert process.wait(60) == 7
        finally:
            process.kill()


@on_linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_first_process_passes_on_what_it_is_told(number: int, tmp_path: Path) -> None:
    with first(tmp_path, DRAINS.format(number=int(number))) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        assert process.stdout.read() == f"told {int(number)}\n"
        assert process.wait(30) == 0


@on_linux
def test_the_first_process_ends_as_a_shell_tells_of_a_killed_one(tmp_path: Path) -> None:
    with first(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)") as process:
        assert process.wait(30) == 128 + signal.SIGKILL
