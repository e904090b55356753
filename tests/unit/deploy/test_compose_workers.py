"""The Compose file with a service a worker: fresh, valid, and fit to be laid over compose.yaml."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from schemas.topology_file import load_topology
from supervisor.render.compose import services
from supervisor.render.where import Where
from workers.__main__ import _options

ROOT = Path(__file__).parents[3]
FILE = ROOT / "deploy" / "compose" / "workers.yaml"
REFERENCE = load_topology(ROOT / "streams.yaml")
WHERE = Where(f"penstock:{version('penstock')}", "redis://redis:6379/0", "bolt://neo4j:7687")
BELOW: dict[str, Any] = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
SCRAPING: dict[str, Any] = YAML(typ="safe").load(
    (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
)
TREE: dict[str, Any] = YAML(typ="safe").load(FILE.read_text())


def test_the_file_is_fresh() -> None:
    made = services(REFERENCE, WHERE)
    assert made == {FILE.name: FILE.read_text()}, (
        "run: penstock render compose --out deploy/compose"
    )


def test_it_follows_the_compose_specification() -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_worker_has_a_service_and_the_one_for_all_is_put_aside() -> None:
    workers = {f"worker-{worker}" for worker in REFERENCE.workers}
    assert set(TREE["services"]) == workers | {"penstock"}
    assert "penstock" in BELOW["services"], "what is put aside has to be there"
    assert TREE["services"]["penstock"]["profiles"]


@pytest.mark.parametrize("worker", list(REFERENCE.workers))
def test_a_service_has_what_it_needs_of_the_file_below(worker: str) -> None:
    service = TREE["services"][f"worker-{worker}"]
    assert set(service["secrets"]) <= set(BELOW["secrets"])
    assert set(service["depends_on"]) <= set(BELOW["services"])
    files = [value for name, value in service["environment"].items() if name.endswith("_FILE")]
    assert {path.removeprefix("/run/secrets/") for path in files} == set(service["secrets"])
    first, *arguments = service["command"]
    options = _options(arguments)
    assert (first, options.worker) == ("worker", worker)
    assert f":{options.port}/readyz" in service["healthcheck"]["test"][-1]
    assert [each["target"] for each in service["volumes"]] == [str(options.config.parent)]
    assert service["volumes"][0] in BELOW["services"]["penstock"]["volumes"]
    assert service["init"] is BELOW["services"]["penstock"]["init"] is True


def test_prometheus_finds_the_processes_of_every_worker_by_one_name() -> None:
    (job,) = [job for job in SCRAPING["scrape_configs"] if job["job_name"] == "penstock-workers"]
    (looked_up,) = job["dns_sd_configs"]
    for worker in REFERENCE.workers:
        service = TREE["services"][f"worker-{worker}"]
        assert service["networks"]["default"]["aliases"] == looked_up["names"]
        assert str(looked_up["port"]) == service["command"][-1]


@pytest.mark.parametrize("worker", list(REFERENCE.workers))
def test_a_service_may_do_no_more_than_it_has_to(worker: str) -> None:
    service = TREE["services"][f"worker-{worker}"]
    assert int(service["user"]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert int(service["stop_grace_period"].removesuffix("s")) > REFERENCE.workers[worker].deadline
