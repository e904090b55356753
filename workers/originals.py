"""Which message a worker made before stands behind each of those that it makes again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from lineage.uid import entry_order
from streams.entry import Output, Settled


class Original(BaseModel):
    """A message that a worker made once, and that is expected again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uid: str
    worker: str
    parents: tuple[str, ...]


def matched(
    made: Sequence[tuple[Settled, Output]], originals: Iterable[Original]
) -> list[Original | None]:
    """For each output the original that it stands for, each original once.

    That is the next on its stream with the same parents; of what is left over then, the next that
    shares a parent, since the windows of two versions of a function may differ.
    """
    ordered = sorted(originals, key=lambda original: entry_order(original.uid))
    taken: set[str] = set()
    found: list[Original | None] = [None] * len(made)
    for keys in (_whole, _each):
        index: dict[tuple[str, object], list[Original]] = defaultdict(list)
        for original in ordered:
            stream = original.uid.rpartition("/")[0]
            for key in keys(original.parents):
                index[stream, key].append(original)
        for at, (settled, output) in enumerate(made):
            if found[at] is None:
                keyed = (index[output.stream, key] for key in keys(parents_of(settled, output)))
                fits = (each for group in keyed for each in group if each.uid not in taken)
                found[at] = next(fits, None)
                taken |= {each.uid for each in (found[at],) if each}
    return found


def _whole(parents: Iterable[str]) -> list[object]:
    return [frozenset(parents)]


def _each(parents: Iterable[str]) -> list[object]:
    return list(parents)


def parents_of(settled: Settled, output: Output) -> list[str]:
    """The uids that an output was made from."""
    return [settled.entry.uid] if output.parents is None else list(output.parents)
