"""Publishing what a replay made otherwise, in the place of what was there before.

Only the first messages that differ are published: the running workers make of them what comes
after, as they do of any message. Nothing that was published is ever taken back; the graph says what
took its place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lineage.uid import bare_stream
from schemas.topology import Topology
from streams.connection import Client
from streams.keys import Lane
from streams.supersede import supersede
from supervisor.replay.compare import Compared, Report, Status
from supervisor.replay.process import Made
from supervisor.wards import author

_DIFFERENT = frozenset({Status.CHANGED, Status.NEW})


@dataclass(frozen=True, slots=True)
class Successor:
    """A message to publish, and those whose place it takes."""

    made: Made
    supersedes: tuple[str, ...]


def successors(report: Report) -> list[Successor]:
    """The messages to publish, in the order of the entries.

    Those are the ones that changed or are new and that no other such message led to. One that is
    new takes the place of what its worker made of the same message and makes no more.
    """
    known = {each.uid: each for each in report.compared if each.made}
    missing = [each for each in report.compared if each.status is Status.MISSING]
    claimed: set[str] = set()
    found: list[Successor] = []
    for each in report.compared:
        if each.made is None or each.status not in _DIFFERENT or _follows(each.made, known, {}):
            continue
        olds = [each.made.original] if each.made.original else _without_heirs(each.made, missing)
        fresh = tuple(uid for uid in olds if uid and uid not in claimed)
        claimed |= set(fresh)
        found.append(Successor(each.made, fresh))
    return found


def _follows(made: Made, known: dict[str, Compared], seen: dict[str, bool]) -> bool:
    """Whether a message was made of one that differs, however far up."""
    for uid in made.parents:
        parent = known.get(uid)
        if parent is None or parent.made is None:
            continue
        if uid not in seen:
            seen[uid] = False  # a circle, which only a forger makes, leads nowhere
            seen[uid] = parent.status in _DIFFERENT or _follows(parent.made, known, seen)
        if seen[uid]:
            return True
    return False


def _without_heirs(made: Made, missing: list[Compared]) -> list[str]:
    return [
        each.uid
        for each in missing
        if each.worker == made.worker and each.node and made.trigger in each.node.parents
    ]


def publish(
    client: Client, topology: Topology, report: Report, now_s: Callable[[], float]
) -> Iterator[tuple[Successor, str]]:
    """Publish what differs; give each message with its uid, once it is there."""
    for successor in successors(report):
        made = successor.made
        who = author(now_s())
        who |= {
            "worker": made.worker,
            "worker_kind": topology.workers[made.worker].kind,
            "run": f"replay/{who['run']}"[:128],
        }
        lane = Lane(bare_stream(made.stream)[1], topology.lanes)
        output = {
            **(made.note or {}),
            "parents": list(made.parents),
            "supersedes": list(successor.supersedes),
        }
        fields = [*made.fields, b"parents", " ".join(made.parents).encode()]
        lineage = lane.stream(topology.lineage)
        yield successor, supersede(client, made.stream, fields, lineage, who, output)
