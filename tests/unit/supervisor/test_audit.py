"""The record of what was done through the pages."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from supervisor.audit import Audit
from supervisor.page_routes import Answer, Deed


def deed(action: str = "/actions/release", **asked: Any) -> Deed:
    return Deed(action, asked, "console", "127.0.0.1")


def lines(directory: Path) -> list[Any]:
    return [json.loads(line) for line in (directory / "audit.jsonl").read_text().splitlines()]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit(tmp_path, structlog.get_logger(), now_s=lambda: 12.5)


def test_a_deed_is_written_down_before_it_is_done_and_after(audit: Audit, tmp_path: Path) -> None:
    def act() -> Answer:
        assert [line["state"] for line in lines(tmp_path)] == ["asked"]
        return Answer.of({"released_as": "L3_IN/2-0"})

    with capture_logs() as logs:
        assert audit(deed(uid="SHRINK/1-0"), act).status == 200
    before, after = lines(tmp_path)
    assert after == {**before, "state": "done", "status": 200, "released_as": "L3_IN/2-0"}
    assert before == {
        "at_s": 12.5, "deed": before["deed"], "who": "token", "by": "console", "peer": "127.0.0.1",
        "action": "release", "asked": {"uid": "SHRINK/1-0"}, "state": "asked",
    }  # fmt: skip
    assert [(log["event"], log["action"], log["status"]) for log in logs] == [
        ("action", "release", 200)
    ]
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_mended_payload_is_counted_and_never_told(audit: Audit, tmp_path: Path) -> None:
    with capture_logs() as logs:
        audit(deed(uid="S/1-0", data="sécret"), lambda: Answer.fault(404, "gone"))
    assert lines(tmp_path)[1]["asked"] == {"uid": "S/1-0", "data_bytes": 7}
    assert lines(tmp_path)[1]["error"] == "gone"
    assert "cret" not in (tmp_path / "audit.jsonl").read_text() + repr(logs)


def test_what_cannot_be_written_down_is_not_done_but_for_the_end(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "missing", structlog.get_logger())
    done: list[str] = []

    def act() -> Answer:
        done.append("done")
        return Answer.of({})

    with capture_logs() as logs:
        answer = audit(deed(uid="S/1-0"), act)
    assert (answer.status, done) == (507, [])
    assert b"nothing was done" in answer.body
    assert [log["event"] for log in logs] == ["audit_not_written"]
    assert audit(deed("/actions/stop"), act).status == 200
    assert done == ["done"]


def test_the_newest_deeds_come_first_and_one_cut_short_is_told(
    audit: Audit, tmp_path: Path
) -> None:
    def cut_short() -> Answer:
        raise SystemExit

    assert audit.newest(10) == []
    audit(deed(uid="S/1-0"), lambda: Answer(200, b"no json"))
    with pytest.raises(SystemExit):
        audit(deed("/actions/drop", uid="S/2-0"), cut_short)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"deed": "torn')
    found = audit.newest(10)
    assert [(each["action"], each["state"]) for each in found] == [
        ("drop", "asked"),
        ("release", "done"),
    ]
    assert len(audit.newest(1)) == 1


def test_lines_of_many_threads_stay_whole(audit: Audit, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: audit(deed(uid="x" * n), lambda: Answer.of({})), range(50)))
    assert len(lines(tmp_path)) == 100
    assert os.listdir(tmp_path) == ["audit.jsonl"]
