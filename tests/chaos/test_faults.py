"""A short cut of the chaos suite, and that the suite fails when the promise is broken."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.chaos.faults import FAULTS, make
from bench.chaos.freezes import freeze_any
from bench.chaos.kills import kill_any
from bench.chaos.sizes import SHORT
from tests.servers.processes import ROOT

SEED = 7
SHORT_CUT = [
    ("kills", "valkey"),
    ("chain", "redis"),
    ("freezes", "valkey"),
    ("restarts", "redis"),
    ("poison", "valkey"),
    ("bounded", "valkey"),
    ("cluster", "valkey"),
]


@pytest.mark.parametrize(("name", "server"), SHORT_CUT)
def test_every_promise_is_kept(name: str, server: str) -> None:
    row = make(name, server, SHORT, SEED)
    assert row.holds, row.model_dump_json(indent=2)


def test_every_fault_is_in_the_short_cut() -> None:
    assert {name for name, _ in SHORT_CUT} == FAULTS.keys()


def broken(directory: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A copy of our code for the streams in which some lines do not keep their promise."""
    shutil.copytree(ROOT / "streams", directory / "streams")
    path = directory / "streams" / name
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return directory


def test_the_suite_notices_commits_without_fence_and_acknowledgement(tmp_path: Path) -> None:
    fence = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then"
    acknowledged = "local emit = ours or redis.call('XACK', stream, group, id) == 1"
    regardless = "redis.call('XACK', stream, group, id) local emit = true"
    code = broken(tmp_path, "commit.lua", (fence, "if false then"), (acknowledged, regardless))
    sizes = replace(SHORT, freezes=6, rate_per_s=900.0)
    row = freeze_any("valkey", sizes, random.Random(SEED), code)
    assert row.duplicated > 0
    assert not row.holds


def test_the_suite_notices_reads_that_acknowledge(tmp_path: Path) -> None:
    read = '"XREADGROUP", "GROUP", self._group, self._consumer,'
    code = broken(tmp_path, "reader.py", (read, f'{read} "NOACK",'))
    row = kill_any("redis", replace(SHORT, kills=8), random.Random(SEED), code)
    assert row.lost > 0
    assert not row.holds
