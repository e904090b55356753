"""Messages of the past, while something still has them.

A gate carries a message on as it came, whether it lets it pass or rejects it. So one that its own
stream no longer has, as a source's is trimmed early, can be taken from what a gate made of it.
"""

from collections.abc import Callable, Iterator, Sequence

from lineage.uid import bare_stream
from schemas.topology import Topology
from schemas.topology_workers import GateSettings
from streams.entry import Entry, original
from supervisor.replay.graph import Ancestry


class Retained:
    """Finds messages of a graph. ``find`` gives the retained entry of a uid, or None."""

    def __init__(
        self, topology: Topology, known: Ancestry, find: Callable[[str], Entry | None]
    ) -> None:
        self._topology = topology
        self._known = known
        self._find = find
        self._entries: dict[str, Entry | None] = {}

    def entry(self, uid: str) -> Entry | None:
        """The message of a uid, or None where nothing has it any more."""
        if uid not in self._entries:
            self._entries[uid] = self._find(uid) or next(self._carried(uid), None)
        return self._entries[uid]

    def _carried(self, uid: str) -> Iterator[Entry]:
        """A message as a gate carried it on, whether it let it pass or not."""
        for child in self._known.children.get(uid, ()):
            settings = self._topology.workers.get(child.worker or "")
            made = self._find(child.uid) if isinstance(settings, GateSettings) else None
            if made is not None and isinstance(settings, GateSettings):
                found = carried(settings, uid, made)
                if found is not None:
                    yield found


def carried(gate: GateSettings, uid: str, made: Entry) -> Entry | None:
    """The message ``uid`` as it came, from what a gate made of it; None where it is not that."""
    key, _, entry_id = uid.rpartition("/")
    target = bare_stream(made.stream)[0]
    if target == gate.rejects_to:
        return Entry(key, entry_id, original(made.fields))
    if target == gate.routes.get(bare_stream(key)[0]):
        return Entry(key, entry_id, _without_parents(made.fields))
    return None


def _without_parents(fields: Sequence[bytes]) -> list[bytes]:
    pairs = ((fields[i], fields[i + 1]) for i in range(0, len(fields), 2))
    return [part for name, value in pairs if name != b"parents" for part in (name, value)]
