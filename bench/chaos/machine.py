"""Where a run took place: the machine, the versions, and the commit."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from streams.connection import greet
from tests.servers.stream_server import running

_ROOT = Path(__file__).parents[2]


def machine() -> dict[str, str | int]:
    """Processor, cores and memory; nothing that names the machine."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
    }


def versions(kinds: list[str]) -> dict[str, str]:
    """Of Python, the libraries that speak to the server, and the servers themselves."""
    found = {"python": platform.python_version(), "redis-py": version("redis")}
    for kind in kinds:
        with running(kind) as server, server.client() as client:
            found[kind] = greet(client)
    return found


def commit() -> tuple[str, bool]:
    """The commit that is checked out, and whether the working tree differs from it."""
    return _git("rev-parse", "HEAD"), bool(_git("status", "--porcelain"))


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else "unknown"
