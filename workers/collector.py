"""The way of spans to a collector: what sends them, what they say of us, what went wrong.

Imports OpenTelemetry, as ``workers.spans`` does, and so is imported only where traces are wanted.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter

_TOLD_EVERY_S = 60.0
_PROTOCOL = "http/protobuf"


class CannotTrace(Exception):
    """The settings ask for traces in a way that cannot be."""


def exporter_of(environment: Mapping[str, str]) -> SpanExporter:
    """What sends spans to the place that the environment names.

    Raises CannotTrace, and ValueError for a setting that the SDK cannot read.
    """
    wanted = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if wanted == "console":
        return ConsoleSpanExporter(out=sys.stderr)
    if wanted != "otlp":
        raise CannotTrace(f"OTEL_TRACES_EXPORTER is {wanted!r}; use otlp, console or none")
    names = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    name = next((name for name in names if environment.get(name)), None)
    if name is not None and environment[name].strip() != _PROTOCOL:
        raise CannotTrace(f"{name} is {environment[name]!r}; spans are sent by {_PROTOCOL} only")
    return OTLPSpanExporter()


def resource_of(environment: Mapping[str, str], worker: str, holder: str) -> Resource:
    """What spans say of the process: the worker, unless the environment names it otherwise."""
    about = {"service.version": version("penstock"), "service.instance.id": holder}
    attributes = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if not environment.get("OTEL_SERVICE_NAME") and "service.name=" not in attributes:
        about |= {"service.name": f"penstock-{worker}"}
    return Resource.create(about)


class _Faults(logging.Handler):
    """What the SDK complains of becomes an event of our log, one a minute at most."""

    def __init__(self, log: Any, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._monotonic_s = monotonic_s
        self._due_s = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of it, unless another was told of just now."""
        now_s = self._monotonic_s()
        if now_s >= self._due_s:
            self._due_s = now_s + _TOLD_EVERY_S
            self._log.warning("tracing_fault", said=_said(record)[:200])


def _said(record: logging.LogRecord) -> str:
    """Its words; what quotes the environment, as a header that is none, may quote a token."""
    quotes = record.name.startswith("opentelemetry.util")
    return str(record.msg) if quotes else record.getMessage()


def tell_faults(log: Any) -> None:
    """Let what the SDK complains of go to our log."""
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [_Faults(log)], False
