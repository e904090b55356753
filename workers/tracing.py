"""Whether a worker traces, and how it begins to; without tracing, OpenTelemetry is not imported.

Off unless the environment names a place for the spans, by the variables that every OpenTelemetry
SDK has. What goes wrong with it goes wrong here or in a thread of its own, and the worker works on.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from workers.handler import Handler

_PLACES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)


class Tracing(Protocol):
    """The traces of one worker process."""

    def around(self, handler: Handler, lane: int) -> Handler:
        """The handler of a lane, with a span around each of its batches."""
        ...

    def close(self) -> None:
        """Send what has not been sent; a collector that is away costs a few seconds at most."""
        ...


class NoTracing:
    """A worker that does not trace: its handlers are the bare ones."""

    def around(self, handler: Handler, lane: int) -> Handler:
        """The handler itself."""
        return handler

    def close(self) -> None:
        """There is nothing to send."""


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces.

    >>> wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}), wanted({})
    (True, False)
    >>> wanted({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"})
    False
    >>> wanted({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"})
    False
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(environment.get(name, "").strip() for name in _PLACES)


def import_ahead(environment: Mapping[str, str]) -> None:
    """Import what tracing needs, where it is wanted, so that no process that is forked has to."""
    if wanted(environment):
        import_module("workers.spans")


def begin_tracing(environment: Mapping[str, str], worker: str, holder: str, log: Any) -> Tracing:
    """Trace where it is wanted and can be done; log why it cannot, and go on without."""
    if not wanted(environment):
        return NoTracing()
    from workers.collector import CannotTrace
    from workers.spans import Spans

    try:
        return Spans.begin(environment, worker, holder, log)
    except CannotTrace as error:
        log.warning("tracing_off", reason=str(error))
        return NoTracing()
