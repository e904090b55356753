"""Looks at a topology file in a process of its own: ``python -m supervisor.inspection COPY FILE``.

The supervisor has imported the author's modules as they were when it began. Only a new interpreter
sees them as they are now; and what they do at import, or never finish, is not done to it.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from supervisor.child import Spawn
from supervisor.errors import ReloadRefused
from supervisor.exits import Exit
from supervisor.parts import Applied, applied

_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Inspector:
    """Has files looked at, without waiting."""

    spawn: Spawn = subprocess.Popen
    now_s: Callable[[], float] = time.monotonic

    def inspect(
        self, copy: Path, named: Path | None = None, workers: Sequence[str] = ()
    ) -> Generator[None, None, Applied]:
        """What a file says, a step at a time; it may be a copy of the one ``named``.

        The functions and the schemas of ``workers`` are looked at, all if none is named.

        Raises ReloadRefused with every problem found.
        """
        named = named or copy
        try:
            with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
                code = yield from self._run([str(copy), str(named), *workers], said, complained)
                if code == 0:
                    return Applied.model_validate_json(_last_line(said))
                words = _problems(_last_line(said)) if code == Exit.TOPOLOGY else []
                words = words or [
                    _last_line(complained) or f"importing what {named} names ended with {code}"
                ]
        except (OSError, ValueError) as error:
            raise ReloadRefused(f"{named} cannot be looked at: {error}") from error
        raise ReloadRefused(*words)

    def _run(
        self, arguments: Sequence[str], said: IO[bytes], complained: IO[bytes]
    ) -> Generator[None, None, int]:
        command = [sys.executable, "-P", "-m", "supervisor.inspection", *arguments]
        deadline_s = self.now_s() + _WITHIN_S
        process = self.spawn(command, stdin=subprocess.DEVNULL, stdout=said, stderr=complained)
        try:
            while (code := process.poll()) is None:
                if self.now_s() > deadline_s:
                    process.send_signal(signal.SIGKILL)
                yield
            return code
        finally:
            if process.poll() is None:  # nobody asks any more, and its imports may never end
                process.send_signal(signal.SIGKILL)


def _problems(line: str) -> list[str]:
    """The problems that the process told of; none where an author's module ended it so."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return []
    told = isinstance(found, list) and all(isinstance(each, str) for each in found)
    return found if told else []


def _last_line(file: IO[bytes]) -> str:
    """What was written last; an author's module may have printed before."""
    file.seek(0)
    return (file.read().decode(errors="replace").strip().splitlines() or [""])[-1]


def look_at(
    config: Path, *, named: Path | None = None, workers: Collection[str] | None = None
) -> Applied:
    """What a topology file says, with the author's modules as they are now.

    ``config`` may be a copy of the file ``named``; the functions and the schemas of ``workers``
    are looked at, or all.

    Raises TopologyError with every problem found.
    """
    from schemas.topology_file import read_topology
    from supervisor.authors import function_problems

    directory = str((named or config).resolve().parent)
    if directory not in sys.path:
        sys.path.append(directory)
    functions = partial(function_problems, workers=workers)
    found = read_topology(config, named=named)
    check = found.checked if workers is None else partial(found.checked_for, workers)
    return applied(check(also=functions))


def main(arguments: list[str]) -> int:
    """Print what a file says as JSON, or a JSON list of its problems; the exit code tells which."""
    from schemas.topology_file import TopologyError

    try:
        copy, named, *workers = arguments
        found = look_at(Path(copy), named=Path(named), workers=workers or None)
    except TopologyError as error:
        sys.stdout.write(f"\n{json.dumps(error.problems)}\n")
        return Exit.TOPOLOGY
    sys.stdout.write(f"\n{found.as_json()}\n")
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
