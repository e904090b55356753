"""The command line that starts a worker process."""

import os
import sys
from pathlib import Path

from supervisor.child import Place


def command_of(copy: Path, named: Path, place: Place) -> list[str]:
    """What starts the worker process of a place; its pages are for us, so on loopback.

    ``copy`` is the topology file that was applied, ``named`` the one that it is a copy of.
    """
    return [
        sys.executable, "-P", "-m", "workers", place.worker,
        "--config", str(copy), "--named", str(named),
        "--lanes", "all", "--parent", str(os.getpid()),
        "--host", "127.0.0.1", "--port", "0",
    ]  # fmt: skip
