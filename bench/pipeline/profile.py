"""Where the time of one worker's loop goes: by phase, and by function."""

import cProfile
import io
import pstats
import re
from pathlib import Path

from bench.pipeline.findings import Profile
from bench.pipeline.ours import CONTENDERS
from bench.pipeline.sizes import Sizes
from bench.pipeline.turns import Split
from schemas.topology import Topology
from streams.connection import Client
from tests.servers.stream_server import StreamServer, running

WORKERS = ("gate", "anomaly", "drift", "detect", "transform", "lineage")
"""Those whose profile is kept with a result."""

_TOP = 15
_RUNS = 5
_KEPT = 5  # functions kept with a result


def profile(worker: str, topology: Topology, sizes: Sizes) -> str:
    """The phases of the fastest of some runs, and the functions with most time of their own.

    Functions are from a further run under ``cProfile``, which makes calls of Python dearer than
    they are: it tells what to look at, not how much there is to gain.
    """
    with running("valkey") as server, server.client() as client:
        split, profiler = _run(worker, client, topology, sizes)
    return f"{phases(worker, split, sizes.messages)}\n\n{_functions(profiler)}"


def profiles(server: StreamServer, topology: Topology, sizes: Sizes) -> dict[str, Profile]:
    """The same of each of :data:`WORKERS`, in a few figures."""
    found = {}
    with server.client() as client:
        for worker in WORKERS:
            split, profiler = _run(worker, client, topology, sizes)
            per_message = 1e6 / sizes.messages
            found[worker] = Profile(
                read_us=round(split.read_s * per_message, 2),
                handle_us=round(split.handle_s * per_message, 2),
                commit_us=round(split.commit_s * per_message, 2),
                functions=_dearest(pstats.Stats(profiler)),
            )
    return found


def _run(
    worker: str, client: Client, topology: Topology, sizes: Sizes
) -> tuple[Split, cProfile.Profile]:
    contender, profiler = CONTENDERS[worker], cProfile.Profile()
    runs = [contender.run(client, topology, sizes.messages) for _ in range(_RUNS)]
    contender.run(client, topology, sizes.messages, profiler)
    return min(runs, key=_total_s), profiler


def _dearest(stats: pstats.Stats) -> list[tuple[str, float]]:
    own: dict[str, float] = {}
    for (path, _, function), (_, _, own_s, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        name = named(path, function)
        own[name] = own.get(name, 0.0) + own_s
    total, ranked = sum(own.values()), sorted(own.items(), key=lambda each: -each[1])
    return [(name, round(own_s / total, 3)) for name, own_s in ranked[:_KEPT]]


def named(path: str, function: str) -> str:
    """A function's short name, by the file that it stands in.

    >>> named("/x/reader.py", "<listcomp>"), named("~", "<built-in method a._a.from_json>")
    ('reader.py listcomp', 'from_json')
    >>> named("~", "<method 'sendall' of '_socket.socket' objects>")
    'socket.sendall'
    """
    if path != "~":
        return f"{Path(path).name} {function.strip('<>')}"
    words: list[str] = re.findall(r"[\w.]+", function)
    if "of" in words:
        return f"{words[words.index('of') + 1].rpartition('.')[2]}.{words[1]}"
    return words[-1].rpartition(".")[2]


def _total_s(split: Split) -> float:
    return split.total_s


def phases(worker: str, split: Split, messages: int) -> str:
    """A line a phase: seconds, share, and microseconds a message.

    >>> print(phases("gate", Split(0.25, 0.5, 0.25), 20_000))
    gate, 20,000 messages: 20,000 messages/s
      read     0.250 s   25 %   12.5 µs a message
      handle   0.500 s   50 %   25.0 µs a message
      commit   0.250 s   25 %   12.5 µs a message
    """
    named = {"read": split.read_s, "handle": split.handle_s, "commit": split.commit_s}
    lines = [
        f"  {name:<8}{took_s:>6.3f} s  {took_s / split.total_s:>4.0%}".replace("%", " %")
        + f"  {took_s * 1e6 / messages:>5.1f} µs a message"
        for name, took_s in named.items()
    ]
    rate = messages / split.total_s
    return "\n".join([f"{worker}, {messages:,} messages: {rate:,.0f} messages/s", *lines])


def _functions(profiler: cProfile.Profile) -> str:
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(_TOP)
    return text.getvalue().strip()
