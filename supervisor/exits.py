"""Exit codes of the ``penstock`` command, and the one place that turns errors into a sentence."""

from enum import IntEnum


class Exit(IntEnum):
    """What a script can tell from the exit code; documented in ``docs/cli.md``."""

    OK = 0
    FAILED = 1
    USAGE = 2
    TOPOLOGY = 3
    PORT_TAKEN = 4
    SERVER = 5
    DISK_FULL = 6
    NOT_RUNNING = 7
    LINEAGE = 8
    BOUND = 9
    CHANGES = 10
