"""The summary is good to look at, short, and hides nothing."""

import io
import json
from dataclasses import replace

import pytest

from lineage.trace import Step, Trace
from supervisor.demo.course import Course
from supervisor.demo.report import Report, to_json
from supervisor.demo.summary import ceiling_note, show, unbalanced
from supervisor.demo.verdict import Account, Accuracy, Change, DriftVerdict, Flag
from supervisor.tables import console

COURSE = Course(
    source="L3_IN",
    gate="gate",
    valid="L3",
    rejected="SHRINK",
    anomalies=("ANOMALY_EVENTS",),
    drifts=("DRIFT_EVENTS",),
    share=0.01,
    decisions="L9",
)


def step(uid: str, worker: str | None, parents: tuple[str, ...] = ()) -> Step:
    stream = uid.partition("/")[0]
    schema = f"schemas:{stream}Schema" if worker else None
    return Step(
        uid=uid,
        stream=stream,
        lane=0,
        layer=3,
        ts=1,
        hops=0,
        worker=worker,
        worker_kind=worker,
        worker_version="0.1.0" if worker else None,
        host=None,
        run=None,
        activity=None,
        at_ms=None,
        schema_name=schema,
        schema_version="1.0" if worker else None,
        tenant="demo",
        classification="UNCLASSIFIED",
        source=None if worker else "demo",
        producer_id=None,
        parents=parents,
    )


TRACE = Trace(
    "L9/9-0",
    "up",
    (
        step("L3_IN/1-0", None),
        step("L3_IN/2-0", None),
        step("L3/3-0", "gate", ("L3_IN/1-0",)),
        step("L9/9-0", "decide", ("L3/3-0",)),
    ),
)


def change(number: int, sensor: str = "waterflow") -> Change:
    return Change("L3", sensor, "measurements.flow_l_s", "adwin", "high", 1.9, sensor, number)


def report(**changes: object) -> Report:
    whole = Report(
        run="20261120-231500-ab12",
        course=COURSE,
        account=Account(published=50_377, valid=50_365, rejected=12),
        sent={"shuttle": 49_097, "waterflow": 1_268},
        broken=12,
        reasons={f"rule_number_{i}": 1 for i in range(12)},
        flags=(Flag("shuttle", 1, "low"), Flag("shuttle", 2, "critical")),
        accuracy=Accuracy(flagged=381, hits=361, anomalous=3_511, readings=49_097, share=0.01),
        drift=DriftVerdict(760, change(831), tuple(change(n) for n in (699, 900, 1, 2, 3, 4))),
        trace=TRACE,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def shown(whole: Report, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = io.StringIO()
    show(whole, 12.3, console(out), running=False)
    return out.getvalue().splitlines()


def test_the_fullest_summary_fits_45_lines_of_100_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(report(), monkeypatch)
    assert len(lines) <= 45
    assert max(len(line) for line in lines) <= 100


def test_it_tells_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(shown(report(), monkeypatch))
    for part in (
        "in 50,377 = valid 50,365 + rejected 12",
        "rule_number_11",
        "2 events: 1 low, 0 medium, 0 high, 1 critical",
        "precision 94.8 %, recall 10.3 %",
        "14.0 % at most",
        "found 71 values later: waterflow measurements.flow_l_s at its value 831, by adwin",
        "also: waterflow measurements.flow_l_s at its value 699, by adwin, high (+1.9 sd), before",
        "… and 2 more",
        "L3_IN/1-0 and 1 more",
        "published by demo",
        "schemas:L9Schema@1.0",
        "penstock lineage trace L9/9-0",
        "penstock up --detach",
    ):
        assert part in text


def test_the_trail_names_every_worker_and_schema_version_from_the_decision_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [line.strip() for line in shown(report(), monkeypatch)]
    start = lines.index("One decision, back to its readings") + 1
    assert [" ".join(line.split()) for line in lines[start : start + 3]] == [
        "L9/9-0 decide 0.1.0 schemas:L9Schema@1.0",
        "L3/3-0 gate 0.1.0 schemas:L3Schema@1.0",
        "L3_IN/1-0 and 1 more published by demo schemas:L3Schema@1.0",
    ]


def test_what_was_not_found_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Accuracy(flagged=0, hits=0, anomalous=0, readings=0)
    missed = report(
        flags=(), accuracy=nothing, drift=DriftVerdict(760, None), trace=None, reasons={}
    )
    text = "\n".join(shown(missed, monkeypatch))
    for part in ("precision -, recall -", "not found", "led to no decision", "trace L3"):
        assert part in text
    assert ceiling_note(nothing) == ""


def test_an_account_that_does_not_balance_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(published=12, valid=9, rejected=2, duplicates=1, dead=2, others=3)
    text = "\n".join(shown(report(account=account), monkeypatch))
    assert "NOT BALANCED" in text
    assert "3 entries of other producers" in text
    assert "1 entries were dropped as duplicates" in text
    assert "2 entries became dead letters" in text
    assert "penstock status" in unbalanced(Account(published=1, valid=0, rejected=0))[0]


def test_json_has_exactly_its_keys_and_the_way_from_source_to_decision() -> None:
    told = json.loads(to_json(report()))
    assert list(told) == [
        "in", "valid", "rejected", "reasons", "anomaly_events", "precision", "recall",
        "drift_events", "trace",
    ]  # fmt: skip
    assert (told["in"], told["anomaly_events"], told["drift_events"]) == (50_377, 2, 7)
    assert told["trace"][0]["uid"] == "L3_IN/1-0"
    assert told["trace"][-1]["worker"] == "decide"
    assert told["trace"][-1]["schema_version"] == "1.0"
    assert json.loads(to_json(report(trace=None)))["trace"] == []
