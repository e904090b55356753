"""Runs the handlers of two topologies side by side, each in a process of its own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from schemas.topology_file import TopologyError
from streams.entry import Entry
from supervisor.errors import SupervisorError
from supervisor.piped import piped
from supervisor.replay.process import given_line, request_line


class NoRehearsal(SupervisorError):
    """The rehearsal broke off, or there is nothing to rehearse."""


class Finding(NamedTuple):
    """A rejection, a dead letter or an event: who said ``what`` of which stream, about what.

    ``about`` is the path and the rule of a rejection, the kind, field and severity of an event, the
    sort of error of a dead letter. ``uid`` is the message that came in from outside.
    """

    worker: str
    what: str
    stream: str
    about: tuple[str, ...]
    uid: str


@dataclass(slots=True)
class Played:
    """What one topology made of the messages.

    ``tally``: by worker, stream and outcome (``to X`` counts what is emitted to a stream).
    ``whole``: the process said its last word; an author's function may have ended it before.
    """

    findings: list[Finding] = field(default_factory=list)
    tally: dict[tuple[str, str, str], int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    whole: bool = False

    def take(self, said: dict[str, Any]) -> None:
        """Take in what the process said."""
        if "said" in said:
            about = tuple(str(part) for part in said["said"].pop("about"))
            self.findings.append(Finding(about=about, **said["said"]))
        self.whole |= "tally" in said
        for row in said.get("tally", ()):
            self.tally[row["worker"], row["stream"], row["what"]] = row["n"]
        self.problems += said.get("problems", ())


def play(
    configs: tuple[Path, Path],
    secret: bytes,
    messages: Iterable[Entry],
    since_ms: int,
    told: Callable[[int], None],
) -> tuple[Played, Played, int]:
    """Let both topologies handle the messages; return what they made, and how many there were.

    Those before ``since_ms`` do not count. ``told`` hears how many the slower one has done.

    Raises TopologyError where one cannot be used, and NoRehearsal where a process broke off.
    """
    played, done, counted = (Played(), Played()), [0, 0], 0

    def hear(number: int, said: dict[str, Any]) -> None:
        played[number].take(said)
        done[number] = said.get("done", done[number])
        told(min(done))

    def lines() -> Iterator[bytes]:
        nonlocal counted
        for entry in messages:
            counted += entry.at_ms >= since_ms
            yield given_line(entry, context=entry.at_ms < since_ms)

    heads = [request_line(config.resolve(), secret) for config in configs]
    codes = piped("workers.rehearse", heads, lines(), hear)
    problems = [problem for each in played for problem in each.problems]
    if problems:
        raise TopologyError(problems)
    if any(codes) or not all(each.whole for each in played):
        raise NoRehearsal("the rehearsal broke off; what it said stands above")
    return (*played, counted)
