"""``compose.yaml`` is a valid Compose file, and every service can be trusted to come up."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from streams.connection import connect, send, wait_for
from tests.servers.ports import free_port
from tests.servers.stream_server import binary_of

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
SERVICES = sorted(COMPOSE["services"])


def validate(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_it_follows_the_compose_specification() -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = validate(command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_compose_file_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.json"
    wrong.write_text(json.dumps({"services": {"redis": {"imagee": "redis"}}}))
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong)]
    assert validate(command).returncode == 1


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_health_check_limits_and_a_pinned_image(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["healthcheck"]["test"]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["restart"] == "unless-stopped"
    if "build" not in service:
        version = service["image"].rpartition(":")[2]
        assert version.lstrip("v")[0].isdigit(), f"{name} is not pinned"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root_or_may_become_it(name: str) -> None:
    service = COMPOSE["services"][name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_is_a_file_that_only_who_needs_it_gets(name: str) -> None:
    service = COMPOSE["services"][name]
    for key, value in service.get("environment", {}).items():
        if any(word in key for word in ("PASSWORD", "AUTH", "STATE_KEY")):
            assert key.endswith("_FILE"), key
            assert value.removeprefix("/run/secrets/") in service["secrets"], value
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])


def test_one_command_makes_every_secret_and_keeps_those_there_are(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    environment = {
        **os.environ,
        "PENSTOCK_SECRETS": str(secrets),
        "PENSTOCK_SECRETS_ONLY": "1",
        "PENSTOCK_TOPOLOGY_DIR": str(tmp_path / "topology"),
    }
    found = []
    for _ in range(2):
        subprocess.run([ROOT / "deploy" / "up"], env=environment, check=True)
        found.append({path.name: path.read_text().strip() for path in secrets.iterdir()})
    assert found[0] == found[1]
    assert set(found[0]) == set(COMPOSE["secrets"])
    assert len(set(found[0].values())) == len(found[0])
    assert all(re.fullmatch(r"(neo4j/)?[0-9a-f]{48}", text) for text in found[0].values())
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_one_command_copies_the_topology_once_and_leaves_the_one_there_is(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PENSTOCK_SECRETS": str(tmp_path / "secrets"),
        "PENSTOCK_SECRETS_ONLY": "1",
        "PENSTOCK_TOPOLOGY_DIR": str(tmp_path / "topology"),
    }
    file = tmp_path / "topology" / "streams.yaml"
    subprocess.run([ROOT / "deploy" / "up"], env=environment, check=True)
    assert file.read_text() == (ROOT / "streams.yaml").read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    file.write_text("mine")
    subprocess.run([ROOT / "deploy" / "up"], env=environment, check=True)
    assert file.read_text() == "mine"


def test_redis_starts_as_it_is_told_and_ends_by_a_signal(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "redis_password").write_text("0123abcd\n")
    script = COMPOSE["services"]["redis"]["command"][-1].replace("$$", "$")
    script = script.replace("/run/secrets", str(tmp_path))
    script = script.replace("redis-server -", f"{binary_of('redis')} - --port {port}")
    server = subprocess.Popen(["sh", "-c", script], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        with connect(f"redis://:0123abcd@127.0.0.1:{port}/0") as client:
            wait_for(client, 20.0)
            assert send(client, "CONFIG", "GET", "maxmemory-policy")
    finally:
        server.terminate()
        code = server.wait(20)
    assert code == 0  # the signal reached the server, and not a shell before it


def test_every_port_is_published_on_loopback_only() -> None:
    for name in SERVICES:
        for port in COMPOSE["services"][name].get("ports", []):
            assert str(port).startswith("127.0.0.1:"), (name, port)


def test_what_it_mounts_exists() -> None:
    named = set(COMPOSE["volumes"])
    for name in SERVICES:
        for volume in COMPOSE["services"][name].get("volumes", []):
            source, _ = mounted(volume)
            assert source in named or (ROOT / source).exists(), (name, source)


def test_what_it_mounts_of_ours_is_a_directory_so_that_a_file_may_be_replaced() -> None:
    for name in SERVICES:
        for volume in COMPOSE["services"][name].get("volumes", []):
            source, _ = mounted(volume)
            assert source in COMPOSE["volumes"] or (ROOT / source).is_dir(), (name, source)


def test_the_supervisor_reads_the_topology_where_it_is_mounted() -> None:
    service = COMPOSE["services"]["penstock"]
    targets = [mounted(volume)[1] for volume in service["volumes"]]
    assert str(Path(service["environment"]["PENSTOCK_CONFIG"]).parent) in targets


def mounted(volume: str | dict[str, Any]) -> tuple[str, str]:
    """What is mounted, by default, and where."""
    if isinstance(volume, str):
        source, target = volume.split(":")[:2]
        return source, target
    return re.sub(r"\$\{\w+:-(.*)\}", r"\1", volume["source"]), volume["target"]
