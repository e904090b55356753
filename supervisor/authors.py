"""Checks the pipeline author's own functions, as the workers would when they start."""

from collections.abc import Collection, Iterator

from schemas.author_function import AuthorFunctionError, AuthorImportError, load_function
from schemas.topology import Topology
from schemas.topology_graph import Problem
from schemas.topology_workers import TransformSettings


def function_problems(
    topology: Topology, workers: Collection[str] | None = None
) -> Iterator[Problem]:
    """What is wrong with the functions that transforms call; imports their modules.

    ``workers`` are those that are looked at, all if None.
    """
    for name, settings in topology.workers.items():
        if isinstance(settings, TransformSettings) and (workers is None or name in workers):
            try:
                load_function(settings.call, memory=settings.memory)
            except AuthorFunctionError as error:
                module = settings.call.partition(":")[0]
                broken = module if isinstance(error, AuthorImportError) else ""
                yield Problem(("workers", name, "call"), f"worker {name!r}: {error}", broken)
