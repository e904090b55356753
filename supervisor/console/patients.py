"""The quarantine and the dead letters for the console: look at them, release them, drop them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from schemas.topology import Topology
from streams.connection import Client
from streams.keys import bare
from supervisor.audit import Audit
from supervisor.lookup import rejection_streams
from supervisor.page_routes import Answer
from supervisor.wards import Ward

MOST = 200
"""Messages that are listed at most, the newest."""

_ACTS = 50


class Patients:
    """Answers about the quarantine streams of one topology."""

    def __init__(self, topology: Callable[[], Topology], client: Client, audit: Audit) -> None:
        self._topology = topology
        self._client = client
        self._audit = audit

    def listed(self, asked: Mapping[str, str]) -> Answer:
        """Where from and why, newest first, never the payload; narrowed by quarantine stream."""
        topology = self._topology()
        streams = [s for s in _streams(topology) if asked.get("stream") in (None, "", s)]
        if not streams:
            return Answer.fault(400, f"{asked['stream']!r} is no stream of what is set aside")
        ward = self._ward(streams)
        found = [
            {
                **json.loads(patient.summary_json()),
                "set_aside_in": bare(patient.uid.rpartition("/")[0]),
            }
            for patient in ward.list(MOST)
        ]
        return Answer.of({"messages": found, "size": ward.size()})

    def told(self, asked: Mapping[str, str]) -> Answer:
        """One message whole: the reason, its fields and its payload."""
        patient = self._ward().show(asked.get("uid", ""))
        lines = [[name, value] for name, value in patient.reason_lines()]
        return Answer.of({**json.loads(patient.full_json()), "lines": lines})

    def release(self, asked: Mapping[str, Any]) -> Answer:
        """Bring a message back to its stream, with a mended payload where ``data`` is one."""
        uid, data = asked.get("uid"), asked.get("data")
        if not isinstance(uid, str) or not isinstance(data, str | None):
            return Answer.fault(400, "'uid' has to be a uid, and 'data', if it is there, a text")
        if data is not None and not data.strip():
            return Answer.fault(400, "'data' is empty, so there is no payload to release")
        mended = None if data is None else data.strip().encode()
        return Answer.of({"uid": uid, "released_as": self._ward().release(uid, mended)})

    def drop(self, asked: Mapping[str, Any]) -> Answer:
        """Remove a message for good."""
        uid = asked.get("uid")
        if not isinstance(uid, str):
            return Answer.fault(400, "'uid' has to be a uid")
        self._ward().drop(uid)
        return Answer.of({"uid": uid, "dropped": True})

    def acts(self, _: Mapping[str, str]) -> Answer:
        """What was done through the pages lately, newest first."""
        return Answer.of({"acts": self._audit.newest(_ACTS)})

    def _ward(self, streams: list[str] | None = None) -> Ward:
        topology = self._topology()
        return Ward(self._client, topology, streams or _streams(topology), by="console ")


def _streams(topology: Topology) -> list[str]:
    return [*rejection_streams(topology), topology.dead_letters]
