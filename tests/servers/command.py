"""``penstock`` in the test's own process: a server for it, calls of it, and what it prints."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from streams.connection import Client, send
from supervisor.cli import app
from tests.servers.stream_server import StreamServer

Penstock = Callable[..., Result]
"""Takes the arguments of a call, and as ``stdin`` what is typed."""


@contextmanager
def emptied(
    server: StreamServer, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A client of a server without a key, which ``penstock`` uses for the rest of the test."""
    monkeypatch.setenv("PENSTOCK_REDIS_URL", server.url)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(data_dir))
    with server.client() as client:
        send(client, "FLUSHALL")
        yield client


def command(directory: Path) -> Penstock:
    """``penstock`` with the topology file of a directory."""

    def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
        config = ["--config", str(directory / "streams.yaml")]
        return CliRunner().invoke(app, [*config, *arguments], input=stdin)

    return run


def lines(result: Result, code: int = 0) -> list[dict[str, Any]]:
    """The objects that a call printed, one a line."""
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def one(result: Result) -> dict[str, Any]:
    """The one object that a call printed, over as many lines as it liked."""
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def in_words(result: Result) -> str:
    """What a call said of a mistake, without the frame around it."""
    return " ".join(result.stderr.replace("│", " ").split())


def add(client: Client, stream: str, *fields: str | bytes) -> str:
    """Add an entry as any client would; its uid."""
    entry_id: bytes = send(client, "XADD", stream, "*", *fields)
    return f"{stream}/{entry_id.decode()}"


def drift_event(**changes: Any) -> str:
    """A drift event as its worker emits it, but for the changes."""
    sample = {"size": 3, "mean": 1.0, "quantiles": [1.0]}
    event = {
        "kind": "drift",
        "stream": "OK",
        "field": "flow",
        "detector": "adwin",
        "statistic": "cut",
        "value": 2.0,
        "threshold": 1.0,
        "effect": 1.0,
        "message": "OK/18-0",
        "at_ms": 18,
        "baseline": sample,
        "current": sample,
        "severity": "medium",
        "explanation": "the mean went up",
    }
    return json.dumps(event | changes)
