"""How the pipeline's standing looks on a terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from supervisor.grid import Column, Grid
from supervisor.overview import Overview, StreamView, WorkerView
from supervisor.tables import console, table

STATE_STYLE = {"running": "green", "misconfigured": "red", "backing_off": "red", "stopped": "dim"}
"""The style of each state of a worker; yellow for the others."""

_COLUMNS = (
    Column("worker"),
    Column("kind", 7),
    Column("state"),
    Column("pid", 8),
    Column("ready", right=True),
    Column("restarts", 1, right=True),
    Column("memory", 3, right=True),
    Column("lag", right=True),
    Column("pending", 4, right=True),
    Column("accepted", 6, right=True),
    Column("rejected", 5, right=True),
    Column("dead", 2, right=True),
)
TO_COPY = "to copy"
"""What the line is called that is never cut nor folded, since somebody copies it."""

_RIGHT: Mapping[str, Any] = {"justify": "right"}


def show(overview: Overview, data_dir: Path, *, streams: bool = True) -> None:
    """Print server, supervisor, workers, and streams where they are wanted."""
    out = console(whole=True)
    for name, words in _heads(overview, data_dir):
        whole = name == TO_COPY
        out.print(Text(f"{name:<11}", style="bold"), words, sep="", soft_wrap=whole)
    if overview.workers:
        out.print()
        _show_workers(out, overview)
    for worker in overview.workers:
        for process in worker.processes:
            if process.reason:
                out.print(Text(f"{process.process}: {process.reason}", style="red"))
    if streams and overview.streams:
        out.print()
        out.print(_streams(overview))


def _heads(overview: Overview, data_dir: Path) -> Iterator[tuple[str, str]]:
    server = overview.server
    words = f"{server.version}, {server.kind}, {server.url}" if server.version else server.url
    yield "server", words if server.reachable else f"{server.url}: {server.error}"
    port = urlsplit(server.url).port if server.kind == "embedded" else None
    if port:
        yield TO_COPY, redis_cli(port, data_dir)
    if overview.supervisor is None:
        yield "supervisor", "none runs on this data directory; this is what the server knows"
    else:
        by = overview.supervisor
        yield (
            "supervisor",
            f"process {by.pid}, {'ready' if by.ready else 'not ready'}, {by.address}",
        )


def _show_workers(out: Console, overview: Overview) -> None:
    grid = Grid(_COLUMNS, [_worker_row(worker) for worker in overview.workers], out.width)
    for line in grid.lines():
        out.print(line, soft_wrap=True)
    if grid.left_out:
        said = f"No room for {', '.join(grid.left_out)}; a wider screen or --json has them."
        out.print(Text(said, style="dim"))


def _worker_row(worker: WorkerView) -> list[str | Text]:
    pids = [str(process.pid) for process in worker.processes if process.pid]
    wanted = len(worker.processes) if worker.wanted is None else _processes(worker)
    return [
        worker.worker,
        worker.kind,
        Text(worker.state.replace("_", " "), style=STATE_STYLE.get(worker.state, "yellow")),
        ", ".join(pids[:3]) + (" …" if len(pids) > 3 else "") or "-",
        f"{worker.ready}/{wanted}",
        str(worker.restarts),
        megabytes(worker.rss_bytes),
        number(worker.lag),
        number(worker.pending),
        number(worker.accepted),
        number(worker.rejected),
        number(worker.dead),
    ]


def _processes(worker: WorkerView) -> int:
    return max(len(worker.processes), worker.wanted or 0)


def _streams(overview: Overview) -> Any:
    made = table(
        [
            ("stream", {"no_wrap": True}),
            *((name, {**_RIGHT, "no_wrap": True}) for name in ("entries", "ever")),
            ("groups", {"overflow": "fold"}),
        ]
    )
    for stream in overview.streams:
        made.add_row(stream.name, number(stream.length), number(stream.added), _groups(stream))
    return made


def _groups(stream: StreamView) -> str:
    told = []
    for group in stream.groups:
        behind = [] if group.lag == 0 else [f"{number(group.lag)} to read"]
        behind += [f"{number(group.pending)} pending"] if group.pending else []
        told.append(f"{group.worker}: {', '.join(behind)}" if behind else group.worker)
    return "; ".join(told) or "-"


def number(value: int | None) -> str:
    """A number with its thousands apart, ``?`` for one that is not known.

    >>> number(12345), number(None)
    ('12,345', '?')
    """
    return "?" if value is None else f"{value:,}"


def megabytes(value: int) -> str:
    """Bytes as megabytes.

    >>> megabytes(52_428_800), megabytes(0)
    ('50 MB', '-')
    """
    return f"{value / 1024 / 1024:.0f} MB" if value else "-"


def redis_cli(port: int, data_dir: Path) -> str:
    """A command line that opens the embedded server; the password stays in its file."""
    file = quote(str(data_dir / "valkey" / "server.json"))
    read = f'sed \'s/.*"password":"\\([^"]*\\)".*/\\1/\' {file}'
    return f'REDISCLI_AUTH="$({read})" redis-cli -p {port}'
