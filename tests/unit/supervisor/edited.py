"""Topologies as somebody edits them."""

from typing import Any

from schemas.topology import Topology


def with_worker(found: Topology, worker: str, **settings: Any) -> Topology:
    tree = found.model_dump(mode="json", by_alias=True)
    tree["workers"][worker] = {**tree["workers"].get(worker, {}), **settings}
    return Topology.model_validate(tree)


SECOND = {"kind": "transform", "call": "authors:more", "reads": ["OK"], "writes": ["OUT"]}
