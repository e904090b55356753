"""Whether what a topology's workers watch can be in the messages of their streams."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from glob import escape
from typing import NamedTuple

from schemas.payload_paths import PayloadPaths
from schemas.registry import Schema
from schemas.topology import Topology
from schemas.topology_graph import Path, Problem
from schemas.topology_workers import (
    AnomalyWorkerSettings,
    DetectWorkerSettings,
    DriftWatched,
    DriftWorkerSettings,
    Watched,
)

_SHOWN = 8
_PathsOf = Callable[[str], PayloadPaths]
_Watching = AnomalyWorkerSettings | DriftWorkerSettings | DetectWorkerSettings


class _Named(NamedTuple):
    """A path that the file names: where, as a pattern of ``fnmatch``, and as it is written."""

    at: Path
    pattern: str
    said: str


def unwatchable(
    topology: Topology, schemas: Mapping[str, Schema], workers: Collection[str] | None = None
) -> Iterator[Problem]:
    """The fields, keys and limits that no message can have; ``schemas`` are those of streams.

    A stream without a schema there is taken to have them. ``workers`` are those looked at.
    """
    paths = cache(lambda stream: PayloadPaths(schemas[stream].adapter.core_schema))
    for name, settings in topology.workers.items():
        if workers is not None and name not in workers:
            continue
        if not isinstance(settings, _Watching):
            continue
        at: Path = ("workers", name)
        for stream, watched in settings.watch.items():
            named = _of_stream((*at, "watch", stream), watched)
            yield from _impossible(name, named, (stream,), schemas, paths)
        yield from _impossible(
            name, _of_detectors(at, settings), tuple(settings.watch), schemas, paths
        )


def _impossible(
    worker: str,
    named: Iterable[_Named],
    streams: tuple[str, ...],
    schemas: Mapping[str, Schema],
    paths: _PathsOf,
) -> Iterator[Problem]:
    """Those of ``named`` that no message of any of the streams can have."""
    if not all(stream in schemas for stream in streams):
        return
    known = [paths(stream) for stream in streams]
    for at, pattern, said in named:
        if not any(each.may_have(pattern) for each in known):
            where = ", ".join(f"{stream!r} ({schemas[stream].name})" for stream in streams)
            text = f"worker {worker!r}: no message of {where} has a value at {said!r}"
            yield Problem(at, text + _hint(said, known))


def _hint(said: str, known: Iterable[PayloadPaths]) -> str:
    near = next((near for each in known for near in each.near(said)), None)
    if near:
        return f"; did you mean {near!r}?"
    names = sorted({name for each in known for name in each.names})
    listed = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return f"; there are {listed}" if names else "; it has none"


def _of_stream(at: Path, watched: Watched) -> Iterator[_Named]:
    for index, pattern in enumerate(watched.fields):
        yield _Named((*at, "fields", index), pattern, pattern)
    if watched.key is not None:
        yield _exact((*at, "key"), watched.key)
    if not isinstance(watched, DriftWatched):
        return
    for index, pattern in enumerate(watched.predictions):
        yield _Named((*at, "predictions", index), pattern, pattern)
    if watched.labels:
        for part in ("message", "prediction", "label", "confidence"):
            path = getattr(watched.labels, part)
            if path is not None and part in watched.labels.model_fields_set:
                yield _exact((*at, "labels", part), path)


def _of_detectors(at: Path, settings: _Watching) -> Iterator[_Named]:
    if isinstance(settings, DetectWorkerSettings):
        yield from _of_detectors((*at, "anomaly"), settings.parts[0])
        yield from _of_detectors((*at, "drift"), settings.parts[1])
    elif isinstance(settings, AnomalyWorkerSettings):
        fixed = settings.detectors.limits
        for field in fixed.limits if fixed else ():
            yield _exact((*at, "detectors", "limits", "limits", field), field)
    else:
        for part in ("errors", "codes"):
            for index, pattern in enumerate(getattr(settings.detectors, part)):
                yield _Named((*at, "detectors", part, index), pattern, pattern)


def _exact(at: Path, path: str) -> _Named:
    return _Named(at, escape(path), path)
