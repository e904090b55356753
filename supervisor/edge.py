"""The one edge where errors become a sentence and an exit code; no traceback reaches a user."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import typer

from supervisor.exits import Exit

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells count it."""


@contextmanager
def edge() -> Iterator[None]:
    """Say an expected error in one sentence and leave with its exit code.

    An error that is none of ours is a fault of the program, and keeps its traceback.

    Raises typer.Exit.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise typer.Exit(INTERRUPTED) from error
    except BrokenPipeError:
        raise  # whoever read our output went away; typer ends quietly
    except Exception as error:
        code = exit_for(error)
        if code is None:
            raise
        with suppress(OSError):  # who cannot be told, as on a full disk, still gets the code
            for sentence in sentences(error):
                print(f"penstock: {sentence}", file=sys.stderr)  # noqa: T201 - the edge speaks here
        raise typer.Exit(code) from error


def exit_for(error: Exception) -> Exit | None:
    """The exit code of an error, or None where it is a fault of the program."""
    # Imported here: only a command that failed pays for it.
    from pydantic import ValidationError

    from lineage.errors import LineageError
    from schemas.registry import SchemaError
    from schemas.topology_file import TopologyError
    from streams import errors as streams
    from supervisor.errors import NotRunning, ReloadRefused, SupervisorError, UsageMistake

    known: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Exit], ...] = (
        ((TopologyError, ReloadRefused), Exit.TOPOLOGY),
        (streams.PortTaken, Exit.PORT_TAKEN),
        (streams.DiskFull, Exit.DISK_FULL),
        (streams.EmbeddedServerError, Exit.SERVER),
        ((streams.ServerAway, streams.ServerRefused, streams.NoServer), Exit.SERVER),
        (NotRunning, Exit.NOT_RUNNING),
        (UsageMistake, Exit.USAGE),
        (LineageError, Exit.LINEAGE),
        ((streams.StreamsError, SupervisorError, SchemaError), Exit.FAILED),
    )
    for kinds, code in known:
        if isinstance(error, kinds):
            return code
    if isinstance(error, ValidationError):
        return Exit.USAGE if error.title.endswith("Settings") else None
    if isinstance(error, UnicodeEncodeError) and _no_text(error):
        return Exit.USAGE
    if isinstance(error, OSError) and error.errno is not None:
        return Exit.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else Exit.FAILED
    return None


def sentences(error: Exception) -> list[str]:
    """What an error says, one sentence a fault, each on one line."""
    from pydantic import ValidationError

    problems = getattr(error, "problems", None)
    if problems:
        return [_line(str(problem)) for problem in problems]
    if isinstance(error, ValidationError):
        return [
            f"PENSTOCK_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
    if isinstance(error, UnicodeEncodeError):
        return [f"{error.object!r} holds bytes that are no UTF-8, so it names nothing"]
    if isinstance(error, OSError) and error.strerror:
        where = f"{str(error.filename)!r}: " if error.filename else ""
        return [_line(f"{where}{error.strerror}")]
    return [_line(str(error)) or type(error).__name__]


def _no_text(error: UnicodeEncodeError) -> bool:
    """Whether it is about bytes of the command line that are no text, as Python marks them."""
    return "\udc80" <= error.object[error.start] <= "\udcff"


def _line(text: str) -> str:
    return " ".join(text.split())
