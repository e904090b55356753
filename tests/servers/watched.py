"""A pipeline under its supervisor, as tests see it: its pages, what it did, what came out."""

import json
from pathlib import Path
from typing import Any

from bench.chaos.payloads import numbered, numbers
from schemas.topology import Topology
from streams.connection import Client
from streams.publish import Outgoing, Publisher
from supervisor.http_client import ask
from supervisor.whereabouts import Whereabouts, read
from tests.servers.pipeline import SMALL, all_entries, data_of, until
from tests.servers.supervised import House

EVENTS: dict[str, Any] = {
    "supervisor": "DONE",
    "delivery": {**SMALL["delivery"], "lease": "1s"},
}
DONE = {"schema": "schemas:SupervisorEvent", "sink": True, "retention": {"entries": 1000}}

AUTHORED = """\
import time
from pathlib import Path

HERE = Path(__file__).parent


def counting(message, memory):
    global eaten
    while (HERE / "blocked").exists():
        time.sleep(0.01)
    if (HERE / "hungry").exists():
        eaten = b"x" * 150_000_000
    memory["count"] = memory.get("count", 0) + 1
    counted = {**message.event.measurements, "count": memory["count"]}
    return message.event.model_copy(update={"measurements": counted})


def through(message):
    return message.event
"""


def here_of(house: House) -> Whereabouts:
    return until(lambda: read(house.data))


def status(house: House) -> Any:
    here = here_of(house)
    return json.loads(ask("GET", here.host, here.port, "/status", timeout_s=5.0)[1])


def ready(house: House) -> bool:
    here = here_of(house)
    return ask("GET", here.host, here.port, "/readyz", timeout_s=5.0)[0] == 200


def processes(house: House) -> dict[str, Any]:
    """Each worker's first process."""
    return {row["worker"]: row["processes"][0] for row in status(house)["workers"]}


def forked_by(keeper: int) -> list[int]:
    """The process that a keeper has forked, once it has."""
    return [int(pid) for pid in Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()]


def works_for(keeper: int) -> int:
    """The process that a keeper has forked."""
    return int(until(lambda: forked_by(keeper))[0])


def actions(house: House, client: Client) -> list[dict[str, Any]]:
    """What the supervisor did so far."""
    entries = all_entries(client, Topology.model_validate(house.tree), "DONE")
    return [json.loads(entry.get(b"data") or b"") for entry in entries]


def did(house: House, client: Client, worker: str | None, *wanted: str) -> Any:
    """What it did of ``wanted`` to a worker, once there is some."""

    def found() -> list[dict[str, Any]]:
        told = actions(house, client)
        return [e for e in told if e["action"] in wanted and e["worker"] == worker]

    return until(found, what=f"{wanted} of {worker}")


def publish(client: Client, first: int, count: int) -> None:
    batch = [Outgoing(numbered(n), id=str(n)) for n in range(first, first + count)]
    Publisher(client).publish_batch("IN", batch)


def values(house: House, client: Client, stream: str) -> list[int]:
    return numbers(data_of(all_entries(client, Topology.model_validate(house.tree), stream)))
