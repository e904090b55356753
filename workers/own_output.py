"""Standard output of a process that answers in lines, kept apart from all else that writes."""

import os
import sys
from typing import BinaryIO


def own_output() -> BinaryIO:
    """Standard output, from now on for the caller alone; to be closed.

    What an author's function prints, what a library of C or a child writes to descriptor 1, goes
    to standard error.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(kept, "wb")
