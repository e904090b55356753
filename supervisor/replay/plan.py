"""What a replay begins from, what it is to make again, and what it has to leave.

It begins as near as it can: from messages that are not tainted themselves and are still retained,
else from what those were made from, and so on up to the sources.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from lineage.uid import bare_stream, entry_order
from schemas.topology import Topology
from schemas.topology_graph import exclusive, reads
from schemas.topology_workers import LineageWorkerSettings
from streams.entry import Entry
from supervisor.replay.graph import Ancestry, Node
from supervisor.replay.retained import Retained


class _Fate(Enum):
    AGAIN = "made again"
    GIVEN = "taken as it is"
    GONE = "no longer retained"


@dataclass(frozen=True, slots=True)
class Given:
    """A message that a replay begins from; ``workers`` handle it, None: all that read it."""

    entry: Entry
    workers: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to begin from, what is expected to be made again, and what can't be, tainted as it is.

    ``stateful`` are the workers with a state that take part, with the first and the last message
    of each stream key that they handle: they need to see what lies before.
    """

    given: tuple[Given, ...]
    expected: tuple[Node, ...]
    lost: tuple[str, ...]
    stateful: dict[str, tuple[str, str]]
    approximate: tuple[str, ...]


def plan(topology: Topology, tainted: Collection[str], known: Ancestry, retained: Retained) -> Plan:
    """Plan the replay of what is tainted."""
    return _Planner(topology, frozenset(tainted), known, retained).plan()


class _Planner:
    def __init__(
        self, topology: Topology, tainted: frozenset[str], known: Ancestry, retained: Retained
    ) -> None:
        self._topology = topology
        self._tainted = tainted
        self._known = known
        self._retained = retained
        self._fates: dict[str, _Fate] = {}

    def plan(self) -> Plan:
        fates = {uid: self._fate(uid) for uid in sorted(self._tainted, key=entry_order)}
        needed = self._needed([uid for uid, fate in fates.items() if fate is not _Fate.GONE])
        again = [uid for uid in needed if self._fates[uid] is _Fate.AGAIN]
        given = [self._given(uid, again) for uid in needed if self._fates[uid] is _Fate.GIVEN]
        stateful = dict(self._stateful(given, again))
        workers = {worker for worker, _ in stateful}
        return Plan(
            given=tuple(given),
            expected=tuple(self._known.nodes[uid] for uid in again),
            lost=tuple(uid for uid, fate in fates.items() if fate is _Fate.GONE),
            stateful=_widest(stateful),
            approximate=tuple(name for name in self._topology.workers if name in workers),
        )

    def _fate(self, uid: str) -> _Fate:
        if uid not in self._fates:
            self._fates[uid] = _Fate.GONE  # should the graph be a circle, which only a forger makes
            self._fates[uid] = self._decide(uid)
        return self._fates[uid]

    def _decide(self, uid: str) -> _Fate:
        makes_it = self._maker(uid) is not None
        if not (makes_it and uid in self._tainted) and self._retained.entry(uid) is not None:
            return _Fate.GIVEN
        node = self._known.nodes.get(uid)
        if not makes_it or node is None or not node.parents:
            return _Fate.GONE
        fates = [self._fate(parent) for parent in node.parents]
        return _Fate.GONE if _Fate.GONE in fates else _Fate.AGAIN

    def _maker(self, uid: str) -> str | None:
        """The worker that makes such a message; None where none of the topology does."""
        node = self._known.nodes.get(uid)
        settings = self._topology.workers.get(node.worker or "") if node else None
        if node is None or settings is None or isinstance(settings, LineageWorkerSettings):
            return None
        return node.worker

    def _needed(self, uids: Sequence[str]) -> list[str]:
        """What is not lost, and all that it is made again from, in the order of the entries."""
        found: set[str] = set()
        waiting = list(uids)
        while waiting:
            uid = waiting.pop()
            if uid not in found:
                found.add(uid)
                if self._fates[uid] is _Fate.AGAIN:
                    waiting += self._known.nodes[uid].parents
        return sorted(found, key=entry_order)

    def _given(self, uid: str, again: Collection[str]) -> Given:
        entry = self._retained.entry(uid)
        assert entry is not None
        if uid in self._tainted:
            return Given(entry, None)
        wanted = set(again)
        makers = {c.worker for c in self._known.children[uid] if c.uid in wanted}
        return Given(entry, tuple(sorted(worker for worker in makers if worker)))

    def _stateful(
        self, given: Sequence[Given], again: Sequence[str]
    ) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        for worker, settings in self._topology.workers.items():
            if isinstance(settings, LineageWorkerSettings) or not exclusive(settings):
                continue
            inputs = reads(self._topology, worker)
            mine = [g.entry.uid for g in given if g.workers is None or worker in g.workers]
            keys: dict[str, list[str]] = {}
            for uid in (*mine, *again):
                key = uid.rpartition("/")[0]
                if bare_stream(key)[0] in inputs:
                    keys.setdefault(key, []).append(uid)
            for key, uids in keys.items():
                yield (worker, key), (min(uids, key=entry_order), max(uids, key=entry_order))


def _widest(ends: dict[tuple[str, str], tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The first and the last message of each stream key, over all workers."""
    found: dict[str, tuple[str, str]] = {}
    for (_, key), (first, last) in ends.items():
        known_first, known_last = found.get(key, (first, last))
        found[key] = (
            min(first, known_first, key=entry_order),
            max(last, known_last, key=entry_order),
        )
    return found
