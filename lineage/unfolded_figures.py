"""How many messages of batches runs made and used, for the export: those without a node."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from lineage.members import Rows
from lineage.uid import MAX_TS_MS, bare_stream, place_of
from lineage.unfold import Unfolding

ByRun = dict[tuple[str, str], Mapping[str, int]]
"""Numbers by stream, of each worker and process."""


def in_batches(inspect: Rows, since: int) -> tuple[ByRun, ByRun, Mapping[str, int]]:
    """What runs made and used since a time in ms, and what there is of each stream."""
    unfolding = Unfolding(inspect)
    made: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    used: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    there: Counter[str] = Counter()
    ids = inspect("batches_worked", since=since, until=MAX_TS_MS)
    stored = unfolding.members.batches(row["id"] for row in ids)
    every = {found.uid: found for batch in stored for found in batch.found()}
    parents: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for found in unfolding.members.without_node(every).values():
        batch, by = found.stored.batch, found.stored.made_by
        made[by["worker"], by["run"]][batch.stream] += 1
        there[batch.stream] += place_of(found.uid).ts >= since
        parents[by["worker"], by["run"], batch.activity] |= set(found.member.parents)
    for (worker, run, _), uids in parents.items():
        used[worker, run].update(bare_stream(uid.rpartition("/")[0])[0] for uid in uids)
    there.update(row["stream"] for row in unfolding.mentioned(since, MAX_TS_MS).values())
    return dict(made), dict(used), there


def together(some: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """The sums of two.

    >>> together({"L3": 1}, {"L3": 2, "L4": 1})
    {'L3': 3, 'L4': 1}
    """
    return {name: some.get(name, 0) + more.get(name, 0) for name in sorted({*some, *more})}
