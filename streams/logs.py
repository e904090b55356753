"""How every process of ours logs. It lives here because this is the lowest package they share."""

import logging
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import structlog


class _Lossy:
    """A file that drops what it cannot take: a full disk or a closed terminal must stop no work."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()


def configure_logs(level: str = "info", *, json: bool | None = None) -> None:
    """Log events to standard error: JSON lines, or colours where a person looks.

    ``json`` None decides by whether standard error is a terminal. ``level`` is a name such as
    ``debug`` or ``warning``. An error that nobody expected is logged too when it ends a thread or
    the process: what sort it is and where it was raised, not its words, which may quote a message.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    out: Any = _Lossy(sys.stderr)
    last: list[Any] = [structlog.processors.format_exc_info, renderer] if as_json else [renderer]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )
    sys.excepthook = tell_unexpected
    threading.excepthook = lambda ended: tell_unexpected(
        ended.exc_type, ended.exc_value, ended.exc_traceback
    )


def tell_unexpected(
    sort: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """Log an error that nobody expected, without its words."""
    if issubclass(sort, KeyboardInterrupt | SystemExit):
        return
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(trace)]
    cause = error and (error.__cause__ or error.__context__)
    structlog.get_logger().critical(
        "unexpected_error",
        error=sort.__name__,
        caused_by=type(cause).__name__ if cause else None,
        at=" > ".join(frames),
    )
