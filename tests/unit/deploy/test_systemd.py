"""The systemd units: fresh, sound by systemd's own judgement, and fit for the workers."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from schemas.topology_file import load_topology
from supervisor.render.systemd import units
from supervisor.render.where import CannotRender
from tests.servers.pipeline import SMALL, topology_from
from workers.__main__ import _STALLED_AFTER_S, _options

ROOT = Path(__file__).parents[3]
REFERENCE = load_topology(ROOT / "streams.yaml")
FILES = {path.name: path.read_text() for path in (ROOT / "deploy" / "systemd").iterdir()}
PATHS = (
    PurePosixPath("/opt/penstock/venv/bin/python"),
    PurePosixPath("/etc/penstock/streams.yaml"),
    PurePosixPath("/etc/penstock/penstock.env"),
)
SINCE_254 = re.compile(r"Unknown key( name)? 'Restart(Steps|MaxDelaySec)' in section .*, ignoring")
SERVICES = sorted(name for name in FILES if name.endswith("@.service"))


def read(text: str) -> dict[str, list[str]]:
    """The settings of a unit, each with all its values."""
    found = defaultdict(list)
    for line in text.splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


def test_the_files_are_fresh() -> None:
    assert units(REFERENCE, *PATHS) == FILES, "run: penstock render systemd --out deploy/systemd"


def verified(directory: Path, names: list[str]) -> "subprocess.CompletedProcess[str]":
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *[str(directory / name) for name in names]],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines(True) if not SINCE_254.search(line)]
    done.stderr = "".join(said)
    return done


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    made = units(REFERENCE, PurePosixPath(sys.executable), *PATHS[1:])
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    done = verified(tmp_path, list(made))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("sound", "wrong"), [("Type=notify", "Type=notified"), ("NotifyAccess", "NotifyExcess")]
)
def test_a_wrong_unit_would_be_found(tmp_path: Path, sound: str, wrong: str) -> None:
    made = units(REFERENCE, PurePosixPath(sys.executable), *PATHS[1:])
    (tmp_path / SERVICES[0]).write_text(made[SERVICES[0]].replace(sound, wrong))
    assert wrong.partition("=")[2] in verified(tmp_path, [SERVICES[0]]).stderr
    assert "ignoring" in verified(tmp_path, [SERVICES[0]]).stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_starts_its_worker_and_watches_it(name: str) -> None:
    unit = read(FILES[name])
    assert unit["Type"] == ["notify"]
    assert unit["NotifyAccess"] == ["all"], "the process that works is not the one that is started"
    python, module, package, *arguments = unit["ExecStart"][0].split()
    assert (python, module, package) == (str(PATHS[0]), "-m", "workers")
    options = _options(arguments)
    settings = REFERENCE.workers[options.worker]
    assert name == f"penstock-reference-{options.worker}@.service"
    assert options.config == Path(PATHS[1])
    assert 0 < int(unit["WatchdogSec"][0]) <= _STALLED_AFTER_S
    assert int(unit["TimeoutStopSec"][0]) > settings.deadline
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"], "systemd gives up for good otherwise"
    assert "RestartPreventExitStatus" not in unit
    assert int(unit["RestartSec"][0]) < int(unit["RestartMaxDelaySec"][0])
    assert unit["MemoryMax"] == ["576M"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_may_do_no_more_than_it_has_to(name: str) -> None:
    unit = read(FILES[name])
    assert unit["User"] == ["penstock"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert unit["ProtectSystem"] == ["strict"]
    for setting in ("NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectHome"):
        assert unit[setting] == ["yes"], setting
    assert not [value for value in unit["Environment"] if "PASSWORD" in value or "KEY" in value]


def test_the_target_starts_as_many_processes_as_the_topology_says(tmp_path: Path) -> None:
    gate: dict[str, Any] = SMALL["workers"]["gate"]
    tree = {
        **SMALL,
        "workers": {
            "gate": {**gate, "replicas": {"min": 2, "max": 4}},
            "off": {**gate, "replicas": 0},
        },
    }
    made = units(topology_from(tree, tmp_path), *PATHS)
    target = read(made["penstock-pipeline.target"])
    assert target["Wants"] == ["penstock-pipeline-gate@1.service penstock-pipeline-gate@2.service"]
    assert "penstock-pipeline-off@.service" in made
    assert all(
        read(text)["PartOf"] == ["penstock-pipeline.target"]
        for name, text in made.items()
        if name.endswith(".service")
    )


ODD = PurePosixPath('/etc/my dir/100%/"$HOME"\\n.yaml')


def test_an_odd_path_is_one_word_and_no_specifier() -> None:
    made = units(REFERENCE, PATHS[0], ODD, PurePosixPath("/etc/my dir/100%.env"))
    unit = read(made[SERVICES[0]])
    *_, config = unit["ExecStart"][0].partition(" --config ")
    assert config == '"/etc/my dir/100%%/\\"$$HOME\\"\\\\n.yaml"'
    assert unit["EnvironmentFile"] == ["/etc/my dir/100%%.env"]


def test_systemd_finds_no_fault_with_an_odd_path(tmp_path: Path) -> None:
    made = units(REFERENCE, PurePosixPath(sys.executable), ODD, PurePosixPath("/etc/my dir/1%.e"))
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    done = verified(tmp_path, list(made))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_path_of_two_lines_is_refused() -> None:
    with pytest.raises(CannotRender, match="has a character in it"):
        units(REFERENCE, *PATHS[:2], PurePosixPath("/etc/a\nb"))
