"""Prometheus and Alertmanager take our files as they are, and the rules say what they should."""

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.servers.monitoring import DEPLOY, ROOT, RULES, loaded, rules, tool

CASES = sorted((Path(__file__).parent / "promtool").glob("*.yml"))
GATE = DEPLOY / "kubernetes" / "worker-gate.yaml"
ALERTS = [rule for rule in rules() if "alert" in rule]
RUNBOOK = "docs/operations.md"
PROMISED = {
    "3": (0.1, 0.999),
    "4": (0.5, 0.995),
    "5": (1.0, 0.99),
    "7": (2.0, 0.995),
    "8": (0.2, 0.999),
    "9": (0.1, 0.9999),
}


def said(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_prometheus_takes_its_configuration_and_every_rule() -> None:
    code, words = said(tool("promtool"), "check", "config", "deploy/prometheus/prometheus.yml")
    assert code == 0, words
    assert f"{len(RULES)} rule files found" in words


def test_the_job_for_kubernetes_is_one_and_asks_for_what_the_pods_have(tmp_path: Path) -> None:
    tree = loaded(DEPLOY / "prometheus" / "kubernetes.yml")
    (job,) = tree["scrape_configs"]
    assert job["job_name"] == "penstock-workers"
    (found,) = job.pop("kubernetes_sd_configs")  # Debian's Prometheus has no such discovery
    (selector,) = found["selectors"]
    (pod,) = [
        each["spec"]["template"]
        for each in YAML(typ="safe").load_all(GATE.read_text())
        if each["kind"] == "Deployment"
    ]
    name, _, value = selector["label"].partition("=")
    assert pod["metadata"]["labels"][name] == value
    (kept,) = [rule for rule in job["relabel_configs"] if rule.get("action") == "keep"]
    assert [port["name"] for port in pod["spec"]["containers"][0]["ports"]] == [kept["regex"]]
    with (tmp_path / "rest.yml").open("w") as file:
        YAML().dump(tree, file)
    code, words = said(tool("promtool"), "check", "config", str(tmp_path / "rest.yml"))
    assert code == 0, words


def test_no_rule_is_suspicious() -> None:
    code, words = said(tool("promtool"), "check", "rules", "--lint-fatal", *map(str, RULES))
    assert code == 0, words


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_the_rules_make_of_series_what_they_should(case: Path) -> None:
    code, words = said(tool("promtool"), "test", "rules", str(case))
    assert code == 0, words


def test_a_case_that_expects_the_wrong_alert_would_be_found(tmp_path: Path) -> None:
    text = (CASES[0].parent / "sla.yml").read_text()
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        text.replace("../../../../", f"{ROOT}/").replace("eval_time: 16m", "eval_time: 14m")
    )
    code, words = said(tool("promtool"), "test", "rules", str(wrong))
    assert code == 1, words


def test_every_alert_has_a_case() -> None:
    cases = "".join(case.read_text() for case in CASES)
    assert [rule["alert"] for rule in ALERTS if rule["alert"] not in cases] == []


def test_alertmanager_takes_its_configuration() -> None:
    code, words = said(tool("amtool"), "check-config", "deploy/alertmanager/alertmanager.yml")
    assert code == 0, words


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [("severity=critical", "on-call"), ("severity=warning", "ops"), ("alertname=Other", "ops")],
)
def test_an_alert_goes_to_whom_it_concerns(labels: str, receiver: str) -> None:
    file = "--config.file=deploy/alertmanager/alertmanager.yml"
    code, words = said(tool("amtool"), "config", "routes", "test", file, labels)
    assert (code, words.split()[0]) == (0, receiver), words


def test_what_is_promised_of_each_layer() -> None:
    kept: dict[str, dict[str, float]] = {}
    for rule in loaded(DEPLOY / "prometheus" / "rules" / "targets.yml")["groups"][0]["rules"]:
        value = float(re.fullmatch(r"vector\(([\d.]+)\)", rule["expr"])[1])  # type: ignore[index]
        kept.setdefault(rule["labels"]["layer"], {})[rule["record"]] = value
    found = {layer: tuple(numbers.values()) for layer, numbers in kept.items()}
    assert found == PROMISED


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_grave_it_is_and_leads_to_its_page(
    rule: dict[str, dict[str, str]],
) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert (page, anchor) == (RUNBOOK, str(rule["alert"]).lower())


def test_the_runbook_has_a_section_for_every_alert_and_for_no_other() -> None:
    text = (ROOT / RUNBOOK).read_text(encoding="utf-8")
    sections = re.split(r"^### (Penstock\w+)$", text, flags=re.MULTILINE)
    assert sorted(sections[1::2]) == sorted({str(rule["alert"]) for rule in ALERTS})
    for name, section in zip(sections[1::2], sections[2::2], strict=True):
        for part in ("**Means.**", "**Look at.**", "**Do.**"):
            assert part in section, (name, part)


def test_a_bound_of_the_histogram_lies_on_each_promise() -> None:
    from workers.metrics import _AGES

    assert {latency for latency, _ in PROMISED.values()} <= set(_AGES)
