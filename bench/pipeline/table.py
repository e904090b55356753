"""A result as rows of text, for the terminal and for the page alike."""

from collections.abc import Iterable, Sequence

from bench.pipeline.result import Result

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A title, the heads of the columns, and the rows."""

NAMES = {
    "bare": "bare loop: read and commit, nothing looked at",
    "bare_long": "the same in batches as long as a detector's",
    "bare_ahead": "the bare loop by ours, which reads ahead",
    "gate": "gate",
    "gate_scraped": "the same, its metrics asked for every second",
    "gate_silent": "the same without any metrics",
    "anomaly": "anomaly",
    "drift": "drift",
    "detect": "anomaly and drift in one loop",
    "detect_20_sensors": "the same, readings of 20 sensors",
    "transform": "transform with memory (`assess`)",
    "lineage": "lineage, into the embedded store",
    "faststream": "FastStream as a gate, one call a message",
    "faststream_batch": "FastStream as a gate, in batches",
    "handwritten": "redis-py by hand as a gate",
}


def tables(result: Result) -> list[Table]:
    """All tables of a result; those of parts that did not run are left out."""
    parts = (_ratios, _loops, _latencies, _memory, _flat, _profiles)
    found = [part(result) for part in parts]
    return [table for table in found if table[2]]


def _ratios(result: Result) -> Table:
    rows = [(name, figure(name, value)) for name, value in result.ratios.items()]
    return "Ratios", ("ratio", "value"), rows


def figure(name: str, value: float) -> str:
    """A figure with the unit that its name ends in.

    >>> figure("gate_rss_bytes", 60_000_000), figure("p50_s", 0.0031), figure("hst_vs_river", 18.22)
    ('60.0 MB', '3.1 ms', '18.22')
    """
    if name.endswith("_bytes"):
        return f"{value / 1e6:.1f} MB"
    if name.endswith("_s"):
        return f"{value * 1e3:.1f} ms"
    return f"{value:.2f}" if value else "0.0"


def _loops(result: Result) -> Table:
    rows = [
        (
            said,
            f"{result.medians[name]:,.0f}",
            f"{min(result.rounds[name]):,.0f} – {max(result.rounds[name]):,.0f}",
            f"{result.vs_bare[name]:.2f}",
        )
        for name, said in NAMES.items()
        if name in result.medians
    ]
    return "Loops", ("loop", "messages/s", "least – most", "of bare"), rows


def _latencies(result: Result) -> Table:
    found = result.whole.latencies.items() if result.whole else ()
    rows = [
        (
            f"{rate:,}",
            f"{latency.events:,}",
            *(
                figure("_s", value)
                for value in (latency.p50_s, latency.p99_s, latency.p999_s, latency.max_s)
            ),
        )
        for rate, latency in found
    ]
    heads = ("messages/s", "events", "p50", "p99", "p99.9", "longest")
    return "From publishing to the event", heads, rows


def _memory(result: Result) -> Table:
    found = result.whole.memory.items() if result.whole else ()
    rows = [
        (name, figure("_bytes", m.peak_rss_bytes), figure("_bytes", m.pss_bytes))
        for name, m in found
    ]
    return "Memory of the worker processes", ("worker", "peak resident", "own share"), rows


def _flat(result: Result) -> Table:
    rows = [(f"{n:,} entries in the stream", f"{c:.1f} µs") for n, c in result.flat_length.items()]
    lanes = [(f"{n} lane{'s' * (n > 1)}", f"{c:.1f} µs") for n, c in result.flat_lanes.items()]
    return "What a message costs the gate", ("with", "cost"), [*rows, *lanes]


def _profiles(result: Result) -> Table:
    rows = [
        (
            name,
            *(f"{took:.1f} µs" for took in (each.read_us, each.handle_us, each.commit_us)),
            "; ".join(
                f"{function} {share:.0%}".replace("%", " %") for function, share in each.functions
            ),
        )
        for name, each in result.profiles.items()
    ]
    heads = ("worker", "read", "handle", "commit", "functions with most time of their own")
    return "Where the time of a message goes, in turn", heads, rows


def plain(result: Result) -> str:
    """The tables as text."""
    parts = []
    for title, heads, rows in tables(result):
        lines = [heads, *rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
        parts.append("\n".join([title, *(_line(line, widths) for line in lines)]))
    if result.throughput:
        parts.append(f"The whole topology: {result.throughput:,.0f} messages/s")
    return "\n\n".join(parts)


def _line(line: Iterable[str], widths: Sequence[int]) -> str:
    texts = (
        t.ljust(w) if i == 0 else t.rjust(w)
        for i, (t, w) in enumerate(zip(line, widths, strict=True))
    )
    return "  " + "  ".join(texts).rstrip()
