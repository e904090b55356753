"""Lineage for the console: every named question as JSON, a message's trace, and its drawing.

The questions and their parameters are those of ``lineage/questions``, so one that is added there
can be asked here at once; ``VERBS`` has the words that ``penstock lineage`` uses for some.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

import typer

from lineage.answers import DEFAULT_LIMIT, ask
from lineage.answers import Answer as Found
from lineage.incidents import DEFAULT_WITHIN_S, incidents
from lineage.picture import MOST_NODES, picture_of
from lineage.picture_svg import STYLE, render_svg
from lineage.queries import REQUIRED, Queries
from lineage.render import describe, printable
from lineage.store import LineageStore
from lineage.trace import Trace, fetch, require
from schemas.topology import Topology
from streams.connection import Client
from supervisor.commands.lineage_spread import spread
from supervisor.lineage_options import checked_uid, newest_uid, opened
from supervisor.moments import span_ms
from supervisor.page_routes import Answer, Get

VERBS: Final[Mapping[str, str]] = {
    "cause": "root_cause",
    "shared": "shared_root_cause",
    "audit": "audit_trail",
    "consumers": "who_consumed",
    "versions": "findings_by_version",
    "violations": "violations_by_producer",
    "access": "access_report",
    "crossings": "policy_crossings",
    "gaps": "lineage_gaps",
}
"""The verb of ``penstock lineage`` that asks a question, where it is another word."""

_SPREADS = ("impact", "taint")
_UIDS = ("uid", "finding")
_MOST_ROWS = 100_000
_MOST_TRACED = 2_000


class Provenance:
    """Answers from the configured store, which each request opens for its own thread."""

    def __init__(
        self,
        topology: Callable[[], Topology],
        client: Client,
        *,
        store: Callable[[], LineageStore] = opened,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._topology = topology
        self._client = client
        self._opened = store
        self._now_s = now_s
        self._questions = Queries.load("questions/*.sql")

    def pages(self) -> dict[str, Get]:
        """Every page by its path below ``/api/lineage``."""
        asked: dict[str, Get] = {name: self._asking(name) for name in self._questions.names}
        asked |= {verb: self._asking(name) for verb, name in VERBS.items()}
        asked |= {"trace": self.trace, "graph": self.drawing, "incidents": self.incidents}
        return {
            "/api/lineage": self.questions,
            **{f"/api/lineage/{name}": get for name, get in asked.items()},
        }

    def questions(self, _: Mapping[str, str]) -> Answer:
        """What can be asked: each question, what it tells, and what it takes."""
        verbs = {name: verb for verb, name in VERBS.items()}
        told = []
        for name in self._questions.names:
            query = self._questions[name]
            needs = [each for each, value in query.parameters.items() if value is REQUIRED]
            takes = {"needs": [n for n in needs if n != "inputs"], "takes": list(query.parameters)}
            told.append({"name": name, "verb": verbs.get(name), "about": query.about, **takes})
        return Answer.of({"questions": told})

    def trace(self, asked: Mapping[str, str]) -> Answer:
        """A message's history; each step with its words."""
        found = self._traced(asked)
        steps = [{**asdict(s), "words": printable(describe(s))} for s in found.steps]
        told = {"uid": found.uid, "direction": found.direction, "truncated": found.truncated}
        return Answer.of({**told, "steps": steps})

    def drawing(self, asked: Mapping[str, str]) -> Answer:
        """A message's history drawn as ``penstock lineage graph`` does, its style left out."""
        picture = picture_of(self._traced(asked), _number(asked, "nodes", MOST_NODES, 500))
        bare = render_svg(picture).replace(f"<style>{STYLE}</style>", "")
        return Answer(200, bare.encode(), "image/svg+xml")

    def incidents(self, asked: Mapping[str, str]) -> Answer:
        """Findings that share a cause and a time."""
        within_s = float(_number(asked, "within_s", int(DEFAULT_WITHIN_S), 10**9))
        limit = _number(asked, "limit", DEFAULT_LIMIT, 10_000)
        with self._opened() as store:
            return _said(incidents(store, **self._span(asked), within_s=within_s, limit=limit))

    def style(self, _: Mapping[str, str]) -> Answer:
        """The style of the drawings, which may not stand in the page itself."""
        return Answer(200, STYLE.encode(), "text/css")

    def _traced(self, asked: Mapping[str, str]) -> Trace:
        uid = self._uid(asked.get("uid", ""))
        with self._opened() as store:
            return fetch(store, uid, "down" if asked.get("down") else "up", _MOST_TRACED)

    def _asking(self, name: str) -> Get:
        def page(asked: Mapping[str, str]) -> Answer:
            if name in _SPREADS:
                return _said(self._spread(name, asked))
            with self._opened() as store:
                return _said(self._ask(store, name, asked))

        return page

    def _ask(self, store: LineageStore, name: str, asked: Mapping[str, str]) -> Found:
        query = self._questions[name]
        given = self._values(store, query.parameters, asked)
        limit = given.pop("limit", None)
        query.bind({**given, **({} if limit is None else {"limit": limit})})
        if "limit" not in query.parameters:
            return Found(name, tuple(store.query(name, **given)))
        found = ask(store, name, limit or min(query.parameters["limit"], _MOST_ROWS), **given)
        if not found.rows:
            for each in _UIDS:
                if each in given:
                    require(store, given[each])
        return found

    def _values(
        self, store: LineageStore, parameters: Mapping[str, Any], asked: Mapping[str, str]
    ) -> dict[str, Any]:
        """What was asked, as the question takes it; nobody has to name the sources."""
        known = {name: value for name, value in asked.items() if value != ""}
        given: dict[str, Any] = {k: v for k, v in known.items() if k not in ("since", "until")}
        if "limit" in given:
            given["limit"] = _number(asked, "limit", DEFAULT_LIMIT, _MOST_ROWS)
        if "since" in parameters:
            given |= self._span(known)
        for name in _UIDS:
            if name in given:
                given[name] = self._uid(given[name])
        for name in ("findings", "uids"):
            if name in given:
                given[name] = [checked_uid(uid.strip()) for uid in given[name].split(",")]
        if "findings" in parameters and "findings" not in given:
            rows = store.query("findings", limit=DEFAULT_LIMIT, **self._span(known))
            given["findings"] = [row["uid"] for row in rows]
        if "inputs" in parameters:
            streams = self._topology().streams
            given["inputs"] = [name for name, settings in streams.items() if settings.source]
        return given

    def _spread(self, name: str, asked: Mapping[str, str]) -> Found:
        def word(each: str) -> str | None:
            return asked.get(each) or None

        named = {each: word(each) for each in ("uid", "worker", "schema", "producer")}
        if named["uid"]:
            named["uid"] = self._uid(named["uid"])
        limit = _number(asked, "limit", DEFAULT_LIMIT, _MOST_ROWS)
        return spread(name, named, word("version"), word("since"), word("until"), limit)

    def _uid(self, asked: str) -> str:
        """The uid, or that of the newest message of the stream that is named."""
        if not asked:
            raise typer.BadParameter("name a message by its uid, or a stream for its newest one")
        return checked_uid(asked) if "/" in asked else self._newest(asked)

    def _newest(self, stream: str) -> str:
        return newest_uid(self._client, self._topology(), stream)

    def _span(self, asked: Mapping[str, str]) -> dict[str, int]:
        return span_ms(asked.get("since"), asked.get("until"), self._now_s())


def _said(found: Found) -> Answer:
    return Answer(200, found.to_json().encode() + b"\n")


def _number(asked: Mapping[str, str], name: str, otherwise: int, most: int) -> int:
    """The whole number that was asked for.

    Raises typer.BadParameter for anything that is none, or none from 1 to ``most``.
    """
    word = asked.get(name) or str(otherwise)
    if not re.fullmatch("[0-9]{1,18}", word) or not 1 <= int(word) <= most:
        raise typer.BadParameter(f"{name!r} has to be a number from 1 to {most}")
    return int(word)
