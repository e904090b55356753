"""How much may change before a rehearsal fails: what a build asks for."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import typer

from supervisor.rehearsal.compare import Report

KINDS: Final = (
    "more-rejected",
    "fewer-rejected",
    "more-dead",
    "events-added",
    "events-gone",
    "any",
)
"""What ``--fail-on`` takes."""

_BOUND = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")


@dataclass(frozen=True, slots=True)
class Bound:
    """At most ``most`` of a kind of change: a number, or a ``share`` in [0, 1]."""

    kind: str
    most: float
    share: bool = False

    @property
    def words(self) -> str:
        """The bound as it was written."""
        return f"{100 * self.most:g} %" if self.share else f"{self.most:g}"


@dataclass(frozen=True, slots=True)
class Passed:
    """A bound that the rehearsal passed: how many changes there are, of how many."""

    bound: Bound
    found: int
    of: int

    @property
    def sentence(self) -> str:
        """What is said of it."""
        of = f" of {self.of:,}" if self.bound.share else ""
        return f"{self.bound.kind}: {self.found:,}{of}, and at most {self.bound.words} are allowed"


def bounds(fail_on: Iterable[str], most: Mapping[str, str | None]) -> list[Bound]:
    """The bounds of ``--fail-on`` (none at all) and of ``--most-…`` (so many, or such a share).

    Raises typer.BadParameter for a kind that does not exist or a bound that is none.
    """
    found = [_bound(kind, text) for kind, text in most.items() if text is not None]
    for kind in (part.strip() for text in fail_on for part in text.split(",")):
        if kind not in KINDS:
            raise typer.BadParameter(f"there is no {kind!r} to fail on; there are {_listed()}")
        found.append(Bound(kind, 0))
    return found


def _listed() -> str:
    return ", ".join(KINDS)


def _bound(kind: str, text: str) -> Bound:
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"--most-{kind} {text!r} is neither a number nor a share: 0.1%")
    number = float(match[1])
    return Bound(kind, number / 100, share=True) if match[2] else Bound(kind, number)


def passed(report: Report, asked: Iterable[Bound]) -> Iterator[Passed]:
    """The bounds that a report passes.

    A share is one of the messages; of events gone it is one of the events there were.
    """
    for bound in asked:
        found = _found(report, bound.kind)
        of = report.total("event")[0] if bound.kind == "events-gone" else report.messages
        if found > bound.most * (of if bound.share else 1):
            yield Passed(bound, found, of)


def _found(report: Report, kind: str) -> int:
    match kind:
        case "more-rejected":
            return report.more["rejected"]
        case "fewer-rejected":
            return report.fewer["rejected"]
        case "more-dead":
            return report.more["dead"]
        case "events-added":
            return report.more["event"]
        case "events-gone":
            return report.fewer["event"]
    return int(not report.same)
