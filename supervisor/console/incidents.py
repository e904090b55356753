"""Anomaly and drift incidents for the console: the newest first, and one told in full."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from threading import Lock
from typing import Any

from schemas.findings import AnomalyEvent, Severity
from schemas.topology import Topology
from streams.connection import Client
from supervisor.console.recent import KINDS, Recent, is_open
from supervisor.events import Event, Wanted
from supervisor.explain.account import Account, account_of, facts
from supervisor.explain.lookup import event_of
from supervisor.explain.pictures import pictures_of
from supervisor.page_routes import Answer
from supervisor.plot import Trace
from supervisor.plot.svg import render

MOST = 200
"""Incidents that are told of at most."""

_SPARK_BEFORE, _SPARK_BEHIND = 60, 20
_KEPT = 128
_FRESH_S = 5.0  # and then an incident that was open is looked up again

SVG = "image/svg+xml"


class Incidents:
    """Answers about the event streams of one topology; remembers what it looked up last.

    ``now_s`` is the time of day, ``monotonic_s`` tells how old that is.
    """

    def __init__(
        self,
        topology: Callable[[], Topology],
        client: Client,
        recent: Recent,
        *,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topology = topology
        self._client = client
        self._recent = recent
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._accounts: OrderedDict[str, tuple[Account, float]] = OrderedDict()
        self._one_at_a_time = Lock()

    def listed(self, asked: Mapping[str, str]) -> Answer:
        """The newest incidents, newest first, narrowed by kind, severity, stream and ``open``."""
        now_s = self._now_s()
        kinds = [kind for kind in KINDS if asked.get("kind", kind) == kind]
        severity = asked.get("severity") or Severity.LOW.value
        if severity not in [each.value for each in Severity] or not kinds:
            return Answer.fault(400, "'severity' or 'kind' is none that events have")
        wanted = Wanted(frozenset(kinds), severity)
        found = [event for event in self._recent.incidents() if wanted.takes(event)]
        if stream := asked.get("stream"):
            found = [event for event in found if event.finding.stream == stream]
        if asked.get("open"):
            found = [event for event in found if is_open(event, now_s)]
        newest = found[::-1][:MOST]
        told = [{**_row(event), "open": is_open(event, now_s)} for event in newest]
        return Answer.of({"events": told, "more": len(found) > MOST})

    def told(self, asked: Mapping[str, str]) -> Answer:
        """One event with the part of each field, and the values around its message."""
        account = self._account(asked.get("uid", ""))
        event = account.event
        return Answer.of(
            {
                **_row(event),
                "open": is_open(event, self._now_s()),
                "event": facts(event.finding),
                "retained": account.retained,
                "began": None if account.began is None else account.began.uid,
                "parts": [asdict(part) for part in account.parts],
                "spark": _spark(account),
                "commands": account.commands,
            }
        )

    def picture(self, asked: Mapping[str, str]) -> Answer:
        """The pictures of one event, as ``penstock explain --svg`` draws them."""
        account = self._account(asked.get("uid", ""))
        title = f"{account.event.kind.capitalize()} in {account.event.where}"
        return Answer(200, render(title, pictures_of(account)).encode(), SVG)

    def _account(self, uid: str) -> Account:
        """One after the other: each may read thousands of entries."""
        with self._one_at_a_time:
            passed_s = self._monotonic_s()
            if uid not in self._accounts or passed_s >= self._accounts[uid][1]:
                topology = self._topology()
                event = event_of(self._client, topology, uid)
                uid = event.uid
                going_on = is_open(event, self._now_s())
                account = account_of(self._client, topology, event)
                self._accounts[uid] = account, passed_s + _FRESH_S if going_on else math.inf
                while len(self._accounts) > _KEPT:
                    self._accounts.popitem(last=False)
            return self._accounts[uid][0]


def _row(event: Event) -> dict[str, Any]:
    """What a line of the list tells; the numbers are the event's own."""
    finding = event.finding
    guilty = finding.guilty if isinstance(finding, AnomalyEvent) else ()
    return {
        "uid": event.uid,
        "kind": event.kind,
        "severity": event.worst,
        "state": event.state,
        "at_ms": event.at_ms,
        "stream": finding.stream,
        "key": finding.key,
        "fields": event.fields,
        "guilty": [part.model_dump(mode="json") for part in guilty],
        "detector": finding.detector,
        "explanation": event.explanation,
        "message": event.message,
    }


def _spark(account: Account) -> dict[str, Any] | None:
    """A few of the values around the message, and between which they are usual."""
    traces = [picture for picture in pictures_of(account) if isinstance(picture, Trace)]
    if not traces or traces[0].mark is None:
        return None
    trace, mark = traces[0], traces[0].mark
    first, last = max(0, mark - _SPARK_BEFORE), mark + _SPARK_BEHIND + 1
    began = None if trace.began is None or trace.began < first else trace.began - first
    band = trace.band
    return {
        "values": trace.values[first:last],
        "mark": mark - first,
        "began": began,
        "low": band.low if band else None,
        "high": band.high if band else None,
        "title": trace.title,
    }
