"""Lists and figures on a screen of 80 columns: nothing is cut, and every uid is whole."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from streams.entry import Entry, carried
from streams.quarantine import quarantined
from supervisor.commands import baseline, budget, quarantine
from supervisor.spending import Raised, Spent, Uncovered
from supervisor.tables import console
from supervisor.trial.show import show
from supervisor.wards import Patient

ID = "1732100000000-"
LETTER = {"kind": "dead_letter", "stream": "ORDERS", "worker": "sleeps", "attempts": 5}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def patient(set_aside_in: str, n: int, **reason: Any) -> Patient:
    fields = [b"data", json.dumps(reason).encode(), *carried([b"data", b"{}"])]
    return Patient(quarantined(Entry(set_aside_in, f"{ID}{n}", fields)))


def rejected(n: int) -> Patient:
    said = [{"path": "measurements.flow_l_s", "rule": "float_type", "message": "no number"}]
    where = {"kind": "rejection", "stream": "PUMPS_IN", "worker": "gate"}
    return patient("REJECTED_READINGS", n, **where, violations=said)


def dead(n: int, set_aside_in: str = "DEAD_LETTERS") -> Patient:
    return patient(set_aside_in, n, **LETTER, error="ValueError: it quotes data")


def listed(
    name: str, patients: list[Patient], capsys: pytest.CaptureFixture[str], *, as_json: bool = False
) -> list[str]:
    """What ``penstock NAME list`` prints of them, line by line."""
    ward: Any = SimpleNamespace(
        streams=("X",), size=lambda: len(patients), list=lambda count: patients[:count]
    )
    quarantine._list(ward, 100, quarantine.FAMILIES[name].why, as_json)
    return capsys.readouterr().out.splitlines()


def test_the_list_of_dead_letters_names_worker_error_and_attempts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    head, row = listed("dead", [dead(0, "DEAD")], capsys)
    assert head.split() == ["uid", "time", "stream", "worker", "error", "attempts"]
    assert row.split()[-3:] == ["sleeps", "ValueError", "5"]
    [told] = map(json.loads, listed("dead", [dead(0)], capsys, as_json=True))
    assert set(told) == {"uid", "at_ms", "stream", "worker", "error", "attempts"}
    assert (told["worker"], told["error"], told["attempts"]) == ("sleeps", "ValueError", 5)


def test_the_list_of_rejections_names_rule_and_place_and_no_attempts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = patient("BAD", 0, stream="IN", violations=[{"path": "", "rule": "json_invalid"}])
    assert listed("quarantine", [whole], capsys)[0].split() == ["uid", "time", "stream", "reason"]
    [told] = map(json.loads, listed("quarantine", [rejected(0)], capsys, as_json=True))
    assert set(told) == {"uid", "at_ms", "stream", "rule", "path"}


@pytest.mark.parametrize(("name", "one"), [("quarantine", rejected), ("dead", dead)])
def test_a_uid_is_never_broken_and_what_has_no_room_stands_beneath(
    name: str, one: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    patients = [one(n) for n in (0, 12345)]
    told = listed(name, patients, capsys)
    assert max(map(len, told)) <= 80
    words = " ".join(told).split()
    assert all(each.uid in words for each in patients)
    assert all(words.count(word) >= 2 for word in (patients[0].stream, patients[0].rule))
    assert "…" not in "".join(told)


def test_a_mended_payload_is_json_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mended.json"
    file.write_text('{"a": 2}\n')
    assert quarantine._mended(["DEAD/1-0"], False, '{"a": 1}') == b'{"a": 1}'
    assert quarantine._mended(["DEAD/1-0"], False, " [1] ") == b"[1]"
    assert quarantine._mended(["DEAD/1-0"], False, str(file)) == b'{"a": 2}'
    assert quarantine._mended(["DEAD/1-0"], False, None) is None
    with pytest.raises(typer.BadParameter, match="just one UID"):
        quarantine._mended([], True, "{}")


def test_the_budget_is_folded_and_its_tables_fit(capsys: pytest.CaptureFixture[str]) -> None:
    raised = Raised("drift", "PUMP_READINGS", "measurements.flow_l_s", "sr_e_detector", 12, 0, True)
    uncovered = Uncovered("watch", "all", "it flags 1.00% of the messages by design; " * 3)
    found = Spent(86_400.0, None, (raised,), (), (uncovered,), 7)
    budget._show(found)
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert "  budget: {false_alarms: 1, per: 30d}\n" in told
    assert {"PUMP_READINGS", "measurements.flow_l_s", "sr_e_detector", "12"} <= set(told.split())


def test_the_quantiles_of_a_baseline_are_folded_between_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    field: Any = SimpleNamespace(
        frozen=False, size=6_000, set_in=3, learnt=True, first=f"PUMP_READINGS/{ID}0",
        last=f"PUMP_READINGS/{ID}12345",
    )  # fmt: skip
    steps = ("0", "0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99", "1")
    quantiles = dict.fromkeys(steps, 1234.56)
    shape = {"quantiles": quantiles, "rank_error": 0.01, "edges": [0.0, 1.0], "shares": [1.0]}
    baseline._show_field("measurements.flow_l_s", field, shape)
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert told.count("1234.56") == len(steps)
    assert not any(line.endswith(("%:", " 25", " 50")) for line in told.splitlines())
    assert {field.first, field.last} <= set(told.split())


def trial(per_day: float) -> dict[str, Any]:
    found = [
        {"size": size, "share": 1.0, "delay": 142.0, "at_once": 1.0}
        for size in (0.5, 1.0, 2.0, 4.0, 8.0)
    ]
    row = {
        "name": "robust_mahalanobis share 0.001", "family": "anomaly", "per_day": per_day,
        "per_10k": 10_000.0, "cpu_us": 539.4, "n_shifts": 20, "by_chance": {"share": 1.0},
        "found": found, "n_messages": 9,
    }  # fmt: skip
    traffic = {"messages": 9, "keys": 1, "span_s": 9e4, "fields": ["x"]}
    return {"traffic": traffic, "rows": [row, row], "horizon": 300, "advice": []}


@pytest.mark.parametrize("per_day", [17.2, 17_281.0, 999_999.4, 1_053_307_092.3])
def test_every_figure_of_a_trial_stands_whole_and_its_medians_with_it(
    per_day: float, capsys: pytest.CaptureFixture[str]
) -> None:
    show("L3", trial(per_day), console(whole=True))
    told = capsys.readouterr().out.splitlines()
    assert max(len(line.rstrip()) for line in told) <= 80
    [head] = [line for line in told if line.startswith("detector")]
    assert head.split("  ")[-1] == "outlier"
    assert {"/day", "µs"} <= set(head.split())
    assert [word for word in head.split() if word in ("0", "1", "2", "4")] == ["0", "1", "2"]
    rows = [line for line in told if "robust_mahalanobis" in line]
    assert all(line.count("100% 142") == 2 and "539" in line for line in rows)
    assert "No room for /10,000, 0.5 sd, 4 sd, 8 sd" in " ".join(told)
    assert "…" not in "".join(told)


def test_a_pipe_gets_every_figure_of_a_trial(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS")
    show("L3", trial(1.0), console(whole=True))
    told = capsys.readouterr().out
    assert all(f"{size} sd" in told for size in ("0.5", "1", "2", "4", "8"))
    assert "No room" not in told
