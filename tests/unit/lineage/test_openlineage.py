"""The OpenLineage events: what they say, and that they are as OpenLineage's schemas want them."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource

from lineage.openlineage import SPEC, Event, events, figures
from lineage.openlineage_facets import VERSIONS
from lineage.store import open_store
from schemas.topology_file import load_topology
from supervisor.commands.lineage_export import address_of
from tests.servers.lineage_records import LAYERS, commit, output

ROOT = Path(__file__).parents[3]
TOPOLOGY = load_topology(ROOT / "streams.yaml")
BASE = "https://openlineage.io/spec/"
PUBLISHED = ROOT / "tests/data/openlineage"


@pytest.fixture(scope="module")
def exported() -> list[Event]:
    made = commit(20, output("L3", "L3_IN/1-0"), output("L3", "L3_IN/2-0"))
    record = made.record.model_copy(update={"worker": "gate"})
    refused = commit(21, output("SHRINK", "L3_IN/3-0", flags=["L3_IN/3-0"]))
    with open_store("sqlite::memory:", LAYERS) as store:
        store.write([type(made)(made.uid, record, made.ids), refused])
        return list(events(TOPOLOGY, "redis.internal:6379", figures(store), 1_763_640_000_000))


def _job_events(exported: list[Event]) -> dict[str, Event]:
    return {e["job"]["name"]: e for e in exported if "job" in e and "run" not in e}


def test_every_stream_is_a_dataset_with_schema_source_and_sort(exported: list[Event]) -> None:
    datasets = {e["dataset"]["name"]: e["dataset"] for e in exported if "dataset" in e}
    assert list(datasets) == list(TOPOLOGY.streams)
    assert {d["namespace"] for d in datasets.values()} == {"redis://redis.internal:6379"}
    for dataset in datasets.values():
        assert set(dataset["facets"]) == {"schema", "dataSource", "datasetType", "documentation"}
        assert dataset["facets"]["schema"]["fields"]


def test_nested_fields_are_in_the_schema(exported: list[Event]) -> None:
    (dataset,) = [e["dataset"] for e in exported if e.get("dataset", {}).get("name") == "L3"]
    fields = {field["name"]: field for field in dataset["facets"]["schema"]["fields"]}
    nested = [field["name"] for field in fields["security"]["fields"]]
    assert nested == ["tenant", "classification", "roe_token"]


def test_every_worker_is_a_streaming_job_between_its_streams(exported: list[Event]) -> None:
    jobs = _job_events(exported)
    assert list(jobs) == list(TOPOLOGY.workers)
    for event in jobs.values():
        assert event["job"]["facets"]["jobType"]["processingType"] == "STREAMING"
    hunt = jobs["hunt"]
    assert [d["name"] for d in (*hunt["inputs"], *hunt["outputs"])] == ["L4", "L8_IN"]


def test_the_gate_says_how_many_it_refused(exported: list[Event]) -> None:
    by_stream = {d["name"]: d["inputFacets"] for d in _job_events(exported)["gate"]["inputs"]}
    (claim,) = by_stream["L3_IN"]["dataQualityAssertions"]["assertions"]
    assert not claim["success"]
    assert claim["description"].startswith("1 of 3 messages")
    (claim,) = by_stream["L4_IN"]["dataQualityAssertions"]["assertions"]
    assert claim["success"]


def test_a_run_counts_what_it_used_and_made(exported: list[Event]) -> None:
    (run,) = [event for event in exported if "run" in event]
    assert (run["eventType"], run["job"]["name"]) == ("RUNNING", "gate")
    assert run["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert run["inputs"][0]["inputFacets"]["dataQualityMetrics"]["rowCount"] == 2


def test_nothing_secret_is_in_an_address() -> None:
    assert address_of("redis://:s3cret@127.0.0.1:7000,h2:1/0") == "127.0.0.1:7000"
    assert address_of("redis://[::1]:7000") == "[::1]:7000"


def test_every_event_and_facet_keeps_openlineages_own_schemas(exported: list[Event]) -> None:
    registry = _published()
    assert set(registry) == {SPEC} | {f"{BASE}facets/{v}/{n}.json" for n, v in VERSIONS.items()}
    for event in exported:
        _check(event, registry)


def test_an_event_or_facet_that_is_otherwise_is_noticed(exported: list[Event]) -> None:
    registry = _published()
    (run,) = [event for event in exported if "run" in event]
    for wrong in ({"eventType": "GOING"}, {"eventTime": 7}, {"job": {"name": "nameless"}}):
        with pytest.raises(ValidationError):
            _check({**run, **wrong}, registry)
    facet = run["outputs"][0]["outputFacets"]["outputStatistics"]
    with pytest.raises(ValidationError):
        _check({**facet, "rowCount": "many"}, registry)


def _published() -> Registry[Any]:
    paths = [PUBLISHED / "OpenLineage.json", *sorted((PUBLISHED / "facets").glob("*.json"))]
    documents = [json.loads(path.read_text("utf-8")) for path in paths]
    return Registry().with_resources(
        [(document["$id"], Resource.from_contents(document)) for document in documents]
    )


def _check(event: dict[str, Any], registry: Registry[Any]) -> None:
    for part in _with_schemas(event):
        url = part.get("schemaURL") or part["_schemaURL"]
        checker = Draft202012Validator(
            {"$ref": url}, registry=registry, format_checker=FormatChecker()
        )
        checker.validate(part)


def _with_schemas(value: Any) -> list[dict[str, Any]]:
    """Every part of an event that names a schema: the event itself, and its facets."""
    if isinstance(value, list):
        return [part for item in value for part in _with_schemas(item)]
    if not isinstance(value, dict):
        return []
    inner = [part for item in value.values() for part in _with_schemas(item)]
    return [value, *inner] if "schemaURL" in value or "_schemaURL" in value else inner
