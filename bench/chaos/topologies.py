"""The pipelines that the faults are made in."""

from typing import Any

from tests.servers.pipeline import READING

AUTHORED = "bench.chaos.authored"
KEPT = {"age": "9999d"}
QUICK = {
    "half_space_trees": {"n_trees": 5, "height": 4, "window": 50},
    "quantile": {"window": 500, "warm_up": 100, "stride": 50},
}


def _tree(lease: str, streams: dict[str, Any], workers: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": 1,
        "dead_letters": "DEAD_LETTER",
        "lineage": "LINEAGE",
        "delivery": {"lease": lease, "block": "50ms", "trim_every": "200ms"},
        "streams": {
            **streams,
            "DEAD_LETTER": {"schema": "schemas:DeadLetter", "sink": True},
            "LINEAGE": {"schema": "schemas:LineageRecord", "sink": True},
        },
        "workers": {name: {"max_batch": 100} | worker for name, worker in workers.items()},
    }


def _source() -> dict[str, Any]:
    return {"schema": READING, "source": True}


def _kept(schema: str = READING) -> dict[str, Any]:
    return {"schema": schema, "sink": True, "retention": dict(KEPT)}


def _gate() -> dict[str, Any]:
    return {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD"}


def _pass(function: str) -> dict[str, Any]:
    return {
        "kind": "transform",
        "call": f"{AUTHORED}:{function}",
        "reads": ["OK"],
        "writes": ["OUT"],
    }


def _stateful(stream: str) -> dict[str, Any]:
    return {
        "anomaly": {
            "kind": "anomaly",
            "checkpoint_every": "200ms",
            "watch": {stream: {"fields": ["measurements.[xy]"]}},
            "writes": "EVENTS",
            "detectors": QUICK,
        },
        "drift": {
            "kind": "drift",
            "checkpoint_every": "200ms",
            "watch": {stream: {"fields": ["measurements.[xy]"]}},
            "writes": "DRIFTS",
        },
        "summing": {
            "kind": "transform",
            "call": f"{AUTHORED}:summing",
            "checkpoint_every": "200ms",
            "reads": [stream],
            "writes": ["SUMS"],
            "memory": True,
        },
    }


_EVENTS = {
    "EVENTS": _kept("schemas:AnomalyEvent"),
    "DRIFTS": _kept("schemas:DriftEvent"),
    "SUMS": _kept(),
}


def parallel(lease: str, *, function: str = "through", lineage: bool = True) -> dict[str, Any]:
    """IN → gate → OK → transform → OUT; beside it FED, whose entry ids are the same in every run,
    with a worker of each kind that has state; and lineage.
    """
    streams = {
        "FED": _source(),
        "IN": _source(),
        "OK": _kept(),
        "BAD": _kept("schemas:Rejection"),
        "OUT": _kept(),
        **_EVENTS,
    }
    workers = {"gate": _gate(), "pass": _pass(function), **_stateful("FED")}
    return _tree(lease, streams, workers | ({"lineage": {"kind": "lineage"}} if lineage else {}))


def chain() -> dict[str, Any]:
    """IN → one gate → OK → every kind of worker that has state, and a transform without.

    The lease is long: only a supervisor that breaks the lease of the dead makes it go on at once.
    """
    streams = {
        "IN": _source(),
        "OK": _kept(),
        "BAD": _kept("schemas:Rejection"),
        "OUT": _kept(),
        **_EVENTS,
    }
    return _tree("5s", streams, {"gate": _gate(), "pass": _pass("through"), **_stateful("OK")})


def poisoned() -> dict[str, Any]:
    """IN → a transform that some entries poison → OUT."""
    worker = {
        "kind": "transform",
        "call": f"{AUTHORED}:poisonous",
        "reads": ["IN"],
        "writes": ["OUT"],
        "deadline": "500ms",
        "max_attempts": 3,
    }
    streams = {"IN": {**_source(), "retention": dict(KEPT)}, "OUT": _kept()}
    return _tree("2s", streams, {"pass": worker})


def bounded() -> dict[str, Any]:
    """IN → gate → OK → a transform that makes nothing of it.

    What was settled is not kept; of lineage, which nobody reads here, the last records are.
    """
    streams = {
        "IN": _source(),
        "OK": {"schema": READING, "sink": True},
        "BAD": _kept("schemas:Rejection"),
        "NONE": {"schema": READING, "sink": True},
    }
    tree = _tree(
        "5s",
        streams,
        {
            "gate": {**_gate(), "max_batch": 500},
            "swallow": {**_pass("swallow"), "writes": ["NONE"], "max_batch": 500},
        },
    )
    tree["streams"]["LINEAGE"] |= {"retention": {"entries": 20}}
    return tree
