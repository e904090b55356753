"""``compose.yaml`` is a valid Compose file, and every service can be trusted to come up."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

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


def test_no_password_stands_in_the_file() -> None:
    for name in SERVICES:
        for key, value in COMPOSE["services"][name].get("environment", {}).items():
            if "PASSWORD" in key or "AUTH" in key or "STATE_KEY" in key:
                assert "${PENSTOCK_" in value, (name, key)


def test_every_port_is_published_on_loopback_only() -> None:
    for name in SERVICES:
        for port in COMPOSE["services"][name].get("ports", []):
            assert str(port).startswith("127.0.0.1:"), (name, port)


def test_what_it_mounts_exists() -> None:
    named = set(COMPOSE["volumes"])
    for name in SERVICES:
        for volume in COMPOSE["services"][name].get("volumes", []):
            source = volume.split(":")[0]
            assert source in named or (ROOT / source).exists(), (name, source)


def test_the_image_holds_every_package() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    for package in packages:
        assert f"COPY {package} {package}\n" in dockerfile
    assert "USER penstock" in dockerfile
