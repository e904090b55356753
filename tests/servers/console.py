"""A pipeline with some traffic for the console to show, and the way to ask its supervisor."""

import json
import random
from typing import Any

from streams.publish import Outgoing, Publisher
from supervisor.http_client import ask
from supervisor.whereabouts import Whereabouts, read
from tests.servers.pipeline import reading, until
from tests.servers.supervised import PASSING, House

EVIL = "<img src=x onerror=window.hacked=1>"
REFUSED = json.dumps({"kind": "sensor_reading", "note": EVIL})
WATCH = {"OK": {"key": "sensor_id", "fields": ["measurements.*"]}}
TREE: dict[str, Any] = {
    **PASSING,
    "name": "tried",
    "streams": {
        **PASSING["streams"],
        "LINEAGE": {"schema": "schemas:LineageRecord"},
        "ODD": {"schema": "schemas:AnomalyEvent", "sink": True},
        "MOVED": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": {
        **PASSING["workers"],
        "odd": {
            "kind": "anomaly",
            "watch": WATCH,
            "writes": "ODD",
            "detectors": {"half_space_trees": None, "robust_z": True, "history": {"limit": 8}},
        },
        "moved": {"kind": "drift", "watch": WATCH, "writes": "MOVED"},
        "graph": {"kind": "lineage"},
    },
}
COUNT, SPIKE, SHIFT = 1_300, 700, 900


def publish(house: House) -> None:
    """A sensor with an evil name, one spike in ``x``, a shift of ``y``; and two bad messages."""
    rng = random.Random(3)
    readings = [
        reading(EVIL, x=40.0 if n == SPIKE else rng.gauss(0, 1), y=rng.gauss(3 * (n >= SHIFT), 1))
        for n in range(COUNT)
    ]
    with house.client() as client:
        publisher = Publisher(client)
        publisher.publish_batch("IN", [Outgoing(data, source=EVIL) for data in readings])
        for data in (REFUSED, "no json"):
            publisher.publish("IN", Outgoing(data))
        until(lambda: client.xlen("OUT") == COUNT and client.xlen("BAD") == 2)
        until(lambda: client.xlen("ODD") and client.xlen("MOVED"))
    here = whereabouts(house)
    until(lambda: api(here, "/api/lineage/trace?uid=OUT")[0] == 200, what="the lineage")


def whereabouts(house: House) -> Whereabouts:
    found = read(house.data)
    assert found is not None
    return found


def api(here: Whereabouts, path: str, method: str = "GET", **asked: Any) -> tuple[int, Any]:
    body = json.dumps(asked).encode() if method == "POST" else None
    status, said = ask(method, here.host, here.port, path, timeout_s=10.0, body=body)
    return status, json.loads(said)


def pid_of(here: Whereabouts, worker: str) -> int:
    workers = api(here, "/status")[1]["workers"]
    return next(int(w["processes"][0]["pid"]) for w in workers if w["worker"] == worker)
