"""Where the time of one worker's loop goes: by phase, and by function."""

import cProfile
import io
import pstats

from bench.pipeline.ours import CONTENDERS
from bench.pipeline.sizes import Sizes
from bench.pipeline.turns import Split
from schemas.topology import Topology
from tests.servers.stream_server import running

_TOP = 15
_RUNS = 5


def profile(worker: str, topology: Topology, sizes: Sizes) -> str:
    """The phases of the fastest of some runs, and the functions with most time of their own.

    Functions are from a further run under ``cProfile``, which makes calls of Python dearer than
    they are: it tells what to look at, not how much there is to gain.
    """
    contender = CONTENDERS[worker]
    with running("valkey") as server, server.client() as client:
        runs = [contender.run(client, topology, sizes.messages) for _ in range(_RUNS)]
        profiler = cProfile.Profile()
        contender.run(client, topology, sizes.messages, profiler)
    return f"{phases(worker, min(runs, key=_total_s), sizes.messages)}\n\n{_functions(profiler)}"


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
