"""Checks the pipeline author's own functions, as the workers would when they start."""

from collections.abc import Iterator

from schemas.author_function import AuthorFunctionError, load_function
from schemas.topology import Topology, TransformSettings
from schemas.topology_graph import Problem


def function_problems(topology: Topology) -> Iterator[Problem]:
    """What is wrong with the functions that transforms call; imports their modules."""
    for name, settings in topology.workers.items():
        if isinstance(settings, TransformSettings):
            try:
                load_function(settings.call, memory=settings.memory)
            except AuthorFunctionError as error:
                yield Problem(("workers", name, "call"), f"worker {name!r}: {error}")
