"""The container of a rendered Deployment, started as its manifest says: its probes are answered."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.servers.pipeline import until
from tests.servers.ports import free_port
from tests.servers.processes import ROOT
from tests.servers.stream_server import StreamServer

MANIFEST = ROOT / "deploy" / "kubernetes" / "worker-gate.yaml"
ENTRYPOINT = ROOT / "deploy" / "entrypoint.py"


def container() -> dict[str, Any]:
    deployment = next(iter(YAML(typ="safe").load_all(MANIFEST.read_text())))
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return found


@contextmanager
def started(
    server: StreamServer, directory: Path, port: int
) -> Iterator["subprocess.Popen[bytes]"]:
    """The container's process, with its mounts in a directory."""
    mounts = {each["name"]: each["mountPath"] for each in container()["volumeMounts"]}
    (directory / "state_key").write_text("a key that only tests know\n")
    moved = {
        f"{mounts['topology']}/streams.yaml": str(ROOT / "streams.yaml"),
        f"{mounts['secrets']}/state_key": str(directory / "state_key"),
        "$(POD_IP)": "127.0.0.1",
        str(container()["ports"][0]["containerPort"]): str(port),
    }
    given = {each["name"]: each["value"] for each in container()["env"] if "value" in each}
    del given["PENSTOCK_REDIS_PASSWORD_FILE"]  # the tests' server has none
    worker = subprocess.Popen(
        [sys.executable, ENTRYPOINT, *(moved.get(arg, arg) for arg in container()["args"])],
        cwd=ROOT,
        env={
            **os.environ,
            **{name: moved[value] for name, value in given.items()},
            "PENSTOCK_REDIS_URL": server.url,
            "PENSTOCK_DATA_DIR": str(directory),
        },
    )
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.kill()
        worker.wait(20)


def answers(probe: dict[str, Any], port: int) -> bool:
    try:
        url = f"http://127.0.0.1:{port}{probe['httpGet']['path']}"
        with urllib.request.urlopen(url, timeout=probe["timeoutSeconds"]) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


def test_its_probes_are_answered_and_it_ends_when_it_is_told(
    valkey_server: StreamServer, tmp_path: Path
) -> None:
    port = free_port()
    with started(valkey_server, tmp_path, port) as worker:
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            until(lambda name=name: answers(container()[name], port), what=name)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    assert not (tmp_path / "state.key").exists(), "the key comes from the secret"
