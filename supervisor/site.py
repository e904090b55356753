"""What the supervisor's pages say, and what its actions do."""

import time
from collections.abc import Mapping
from concurrent.futures import TimeoutError as TooLate
from dataclasses import asdict
from typing import Any

import structlog
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from streams.errors import StreamsError
from streams.observe import stream_states
from streams.pipeline_metrics import (
    boundary_families,
    budget_families,
    server_families,
    stream_families,
)
from streams.presence import present
from supervisor.announced import of_ours
from supervisor.audit import Audit
from supervisor.changes import Change
from supervisor.console.pages import STATIC, STYLE_OF_DRAWINGS, Console
from supervisor.errors import (
    ActionFailed,
    CannotScale,
    ReloadRefused,
    RestartRefused,
    SupervisorError,
    UnknownWorker,
)
from supervisor.exposition import merged, rendered
from supervisor.metrics import action_families, process_families
from supervisor.overview import Overview, ServerView, SupervisorView
from supervisor.page_routes import Answer, Get, Routes
from supervisor.requests import Request
from supervisor.scrape import Scraped, scrape
from supervisor.supervisor import Supervisor
from supervisor.survey import Supervised, survey
from supervisor.whereabouts import Whereabouts

_STALLED_S = 60.0
_MOST_PROCESSES = 256
_RELOAD_S = 840.0


class Site:
    """The pages of one supervisor. They run in threads, so they read only what it has seen."""

    def __init__(self, supervisor: Supervisor, here: Whereabouts) -> None:
        self._supervisor = supervisor
        self._here = here
        self._client = supervisor.server.client()
        self._audit = Audit(supervisor.settings.data_dir, structlog.get_logger())
        self._console = Console(
            lambda: supervisor.topology, self._client, self._overview, self._audit
        )

    def routes(self) -> Routes:
        """Every page and action."""
        probes: dict[str, Get] = {
            "/metrics": self._metrics,
            "/livez": self._livez,
            "/readyz": self._readyz,
        }
        return Routes(
            gets={**probes, "/status": self._status, **self._console.gets()},
            posts={
                "/actions/restart": self._restart,
                "/actions/scale": self._scale,
                "/actions/reload": self._reload,
                "/actions/stop": self._stop,
                **self._console.posts(),
            },
            token=self._here.token,
            lives=self._console.lives(),
            open=frozenset({*probes, STYLE_OF_DRAWINGS}),
            static=STATIC,
            watch=self._audit,
        )

    def close(self) -> None:
        """Close the connection to the server."""
        self._client.close()

    def _livez(self, _: Mapping[str, str]) -> Answer:
        idle_s = time.monotonic() - self._supervisor.seen.at_s
        if idle_s > _STALLED_S:
            return Answer.fault(503, f"the supervisor has not come round for {idle_s:.0f} s")
        return Answer.of({"status": "ok"})

    def _readyz(self, _: Mapping[str, str]) -> Answer:
        seen = self._supervisor.seen
        if seen.ready:
            return Answer.of({"status": "ok"})
        if seen.draining:
            return Answer.fault(503, "the supervisor is ending")
        late = [
            f"{child.place.label} ({child.state})" for child in seen.children if not child.ready
        ]
        return Answer.fault(503, f"not ready yet: {', '.join(late) or 'no worker was started'}")

    def _status(self, _: Mapping[str, str]) -> Answer:
        return Answer(200, self._overview().model_dump_json().encode() + b"\n")

    def _overview(self) -> Overview:
        server, here, seen = self._supervisor.server, self._here, self._supervisor.seen
        view = SupervisorView(
            pid=here.pid,
            address=here.address,
            config=here.config,
            started_at_s=here.started_at_s,
            ready=seen.ready,
        )
        return survey(
            self._client,
            self._supervisor.topology,
            ServerView(kind=server.kind, url=server.safe_url, version=server.version),
            time.time(),
            Supervised(view, seen.children, seen.wanted or {}),
        )

    def _metrics(self, _: Mapping[str, str]) -> Answer:
        seen = self._supervisor.seen
        try:
            streams = stream_states(self._client, self._supervisor.topology)
        except StreamsError:
            streams = None  # told as penstock_server_up 0
        scraped = self._scraped()
        families = [
            *merged((s.labels, s.page) for s in scraped if s.page is not None),
            *process_families(
                seen.children,
                seen.restarts or {},
                [s.place.label for s in scraped if s.page is None],
                self._supervisor.topology.lanes,
            ),
            *action_families(seen.actions or {}, seen.wanted or {}),
            *server_families(streams is not None),
            *stream_families(streams or ()),
            *boundary_families(self._supervisor.topology),
            *budget_families(self._supervisor.topology),
        ]
        return Answer(200, rendered(families), CONTENT_TYPE_LATEST)

    def _scraped(self) -> list[Scraped]:
        """The pages of our processes; one that has no line in the presence list has none."""
        children = [child for child in self._supervisor.seen.children if child.pid is not None]
        try:
            processes = of_ours(present(self._client, time.time()), children)
        except StreamsError:
            processes = {}
        known = [(c.place, processes[c.pid].presence) for c in children if c.pid in processes]
        unknown = [Scraped(c.place, None) for c in children if c.pid not in processes]
        return [*scrape(known), *unknown]

    def _restart(self, asked: Mapping[str, Any]) -> Answer:
        names = asked.get("workers", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return Answer.fault(400, "'workers' has to be a list of names")
        count = max(1, len(self._supervisor.seen.children))
        return self._done(Request(lambda fleet: fleet.restart(names)), 60.0 * count)

    def _scale(self, asked: Mapping[str, Any]) -> Answer:
        worker, processes = asked.get("worker"), asked.get("processes")
        if isinstance(worker, str) and type(processes) is int and 0 <= processes <= _MOST_PROCESSES:
            return self._done(Request(lambda fleet: fleet.scale(worker, processes)), 120.0)
        return Answer.fault(
            400, f"'worker' has to be a name and 'processes' a number from 0 to {_MOST_PROCESSES}"
        )

    def _reload(self, _: Mapping[str, Any]) -> Answer:
        found: list[Change] = []
        asked = Request(lambda fleet: self._supervisor.reload(fleet, found.extend))
        done = self._done(asked, _RELOAD_S)
        if done.status != 200:
            return done
        return Answer.of({"status": "done", "changes": [asdict(change) for change in found]})

    def _stop(self, _: Mapping[str, Any]) -> Answer:
        self._supervisor.end("penstock down")
        return Answer.of({"status": "ending"}, 202)

    def _done(self, request: Request, within_s: float) -> Answer:
        try:
            self._supervisor.ask(request, within_s)
        except TooLate:
            return Answer.fault(504, f"it was not done within {within_s:.0f} s; see /status")
        except ReloadRefused as error:
            return Answer.of({"error": str(error), "problems": error.problems}, 409)
        except SupervisorError as error:
            return Answer.fault(_STATUS.get(type(error), 500), str(error))
        return Answer.of({"status": "done"})


_STATUS = {
    UnknownWorker: 404,
    CannotScale: 409,
    RestartRefused: 409,
    ActionFailed: 504,
}
