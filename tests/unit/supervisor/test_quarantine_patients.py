"""What may be told of a quarantined message, and who releases it."""

import getpass
import json

import pytest

from schemas.settlements import DeadLetter, Rejection, Violation
from streams.entry import Entry, carried
from streams.quarantine import quarantined
from supervisor.wards import Patient, author

SECRET = b'{"roe_token": "s3cret"}'


def patient(reason: bytes) -> Patient:
    fields = [b"data", reason, *carried([b"data", SECRET, b"id", b"m-1"])]
    return Patient(quarantined(Entry("SHRINK", "17-0", fields)))


def rejected() -> Patient:
    violation = Violation(path="security.tenant", rule="missing", message="Field required")
    reason = Rejection(
        message="L3_IN{1}/16-0",
        stream="L3_IN{1}",
        schema_name="schemas:L3EventSchema",
        worker="gate",
        violations=(violation,),
    )
    return patient(reason.model_dump_json().encode())


def dead() -> Patient:
    reason = DeadLetter(
        message="L3/16-0",
        stream="L3",
        worker="assess",
        attempts=5,
        error="ValueError: s3cret is no number",
    )
    return patient(reason.model_dump_json().encode())


def test_a_rejection_tells_its_rule_and_place() -> None:
    found = rejected()
    assert (found.stream, found.rule, found.path) == ("L3_IN", "missing", "security.tenant")
    assert (found.attempts, found.error) == (0, "")


def test_a_dead_letter_tells_its_worker_and_attempts() -> None:
    found = dead()
    assert (found.rule, found.error, found.attempts) == ("assess", "ValueError", 5)


@pytest.mark.parametrize("found", [rejected(), dead()], ids=["rejected", "dead"])
def test_a_list_never_holds_the_payload(found: Patient) -> None:
    assert "s3cret" not in found.summary_json()


def test_show_tells_the_reason_in_words_and_holds_the_payload() -> None:
    told = dict(rejected().reason_lines())
    assert told["reason"] == "security.tenant: missing (Field required)"
    assert json.loads(rejected().full_json())["data"] == SECRET.decode()
    assert dict(dead().reason_lines())["error"] == "ValueError: s3cret is no number"


@pytest.mark.parametrize(
    "reason", [b"no JSON", b"[]", b'{"violations": 7}', b'{"violations": [7]}']
)
def test_an_entry_that_gives_no_reason_can_still_be_told(reason: bytes) -> None:
    found = patient(reason)
    assert (found.stream, found.rule, found.path, found.attempts) == ("?", "?", "", 0)
    assert list(found.reason_lines()) == [("uid", "SHRINK/17-0")]


def test_the_record_names_user_process_and_version() -> None:
    record = author(12.5)
    assert (record["worker"], record["worker_kind"], record["at_ms"]) == (
        "release",
        "release",
        12500,
    )
    assert "@" in record["run"]
    assert record["worker_version"]


def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr("supervisor.wards.getuser", nameless)
    assert author(0.0)["run"].startswith("uid-")
