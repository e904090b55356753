"""Processes of ours that take lines and say JSON lines, so that the command knows no worker."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Thread
from typing import IO, Any

from streams.entry import Entry

Told = Callable[[int, dict[str, Any]], None]
"""Takes the number of a process, and what it said."""


def piped(module: str, heads: Sequence[bytes], lines: Iterable[bytes], told: Told) -> list[int]:
    """Run ``python -m module`` once for each head; return the exit codes.

    Each process gets its head and then all the lines, as fast as the slowest one takes them; when
    one of them ends early, no more are handed out. ``told`` is called from a thread for each
    process. The processes end with the call: they have nothing to lose.
    """
    # -P: a module of the author's is that of his topology, not one that lies where we are called
    command = [sys.executable, "-P", "-m", module]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in heads
    ]
    ears = [Thread(target=_listen, args=(n, p.stdout, told)) for n, p in enumerate(processes)]
    for ear in ears:
        ear.start()
    try:
        _feed([p.stdin for p in processes if p.stdin], heads, lines)
        return [process.wait() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
        for ear in ears:
            ear.join()


def payload_line(entry: Entry) -> bytes:
    """A payload on one line: a line break in JSON stands between tokens only, as a blank may."""
    data = entry.get(b"data") or b"null"
    return data.replace(b"\n", b" ").replace(b"\r", b" ")


def _listen(number: int, said: IO[bytes], told: Told) -> None:
    with said:
        for line in said:
            told(number, json.loads(line))


def _feed(pipes: Sequence[IO[bytes]], heads: Sequence[bytes], lines: Iterable[bytes]) -> None:
    try:
        with suppress(BrokenPipeError):  # the exit code, or what it said, tells why
            for pipe, head in zip(pipes, heads, strict=True):
                pipe.write(head)
            for line in lines:
                for pipe in pipes:
                    pipe.write(line)
    finally:
        for pipe in pipes:
            with suppress(BrokenPipeError):
                pipe.close()
