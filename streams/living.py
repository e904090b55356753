"""Whether a process still lives that is known by its id alone, and is no child of ours.

An id is given again once its process has ended and was asked after, so an id together with the
start of its process names one process, an id alone does not.
"""

import os
from pathlib import Path

_PROC = Path("/proc")


def began_ticks(pid: int) -> int | None:
    """When a living process was started, in clock ticks since the machine was.

    None where there is no such process, where it has ended and only waits for its parent to ask,
    and where the system does not tell.
    """
    try:
        told = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = told.rpartition(b")")[2].split()  # its name comes before, and may hold anything
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def lives(pid: int, began: int | None) -> bool:
    """Whether the process lives that had this id and was started at ``began`` (``began_ticks``).

    Any process of that id counts where ``began`` is None; where the system does not tell, any of
    ours.
    """
    if (_PROC / "self" / "stat").exists():
        found = began_ticks(pid)
        return found is not None and began in (None, found)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
