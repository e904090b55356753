"""A span around each batch that a worker handles, linked to its messages. Imports OpenTelemetry.

Only ``workers.tracing`` imports this module, and only where traces are wanted.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from schemas.limits import MOST_FIELDS
from streams.entry import Entry, Output, Settled
from streams.keys import bare
from streams.trace_context import FIELD, TraceParent, parse, with_traceparent
from workers.collector import CannotTrace, exporter_of, resource_of, tell_faults
from workers.handler import Handler, Revisable, StatefulHandler, TryLater

_MOST_LINKS = 128
_FLUSH_S = 5.0


class Spans:
    """The traces of one worker process, by an SDK's ``provider``.

    ``flush_s`` bounds the wait for the collector when the process ends.
    """

    def __init__(
        self, provider: TracerProvider, worker: str, log: Any, *, flush_s: float = _FLUSH_S
    ) -> None:
        self._provider = provider
        self._worker = worker
        self._log = log
        self._flush_s = flush_s

    @classmethod
    def begin(cls, environment: Mapping[str, str], worker: str, holder: str, log: Any) -> "Spans":
        """Spans to the place that the environment names, sent by a thread from a bounded queue.

        The provider becomes the process's, so that what an author's function traces goes there.

        Raises CannotTrace.
        """
        tell_faults(log)
        try:
            provider = TracerProvider(resource=resource_of(environment, worker, holder))
            provider.add_span_processor(BatchSpanProcessor(exporter_of(environment)))
        except ValueError as error:
            raise CannotTrace(f"the OTEL_* settings cannot be used: {error}") from error
        trace.set_tracer_provider(provider)
        return cls(provider, worker, log)

    def around(self, handler: Handler, lane: int) -> Handler:
        """The handler with a span around each batch."""
        made = TracedWithState if isinstance(handler, StatefulHandler) else Traced
        tracer = self._provider.get_tracer("penstock", version("penstock"))
        return made(handler, tracer, self._worker, lane)

    def close(self) -> None:
        """Send what waits, for ``flush_s`` at most."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(self._flush_s)
        if ending.is_alive():
            self._log.warning("spans_lost", waited_s=self._flush_s)


class Traced:
    """A handler within spans; what it decides is unchanged but for the outputs' ``traceparent``."""

    def __init__(self, inner: Any, tracer: Tracer, worker: str, lane: int) -> None:
        self._inner = inner
        self._tracer = tracer
        self._name = f"penstock.handle {worker}"
        self._about: dict[str, Any] = {
            "messaging.system": "redis",
            "messaging.operation.type": "process",
            "messaging.operation.name": "handle",
            "messaging.consumer.group.name": worker,
            "penstock.lane": lane,
        }

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Handle the batch in a span; its outputs name the span as their parent."""
        parents = [_parent_of(entry) for entry in batch]
        span = self._tracer.start_span(
            self._name,
            context=_common(parents),
            kind=SpanKind.CONSUMER,
            attributes=self._about | _of_batch(batch),
            links=_links(batch, parents),
        )
        with trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            try:
                settled: list[Settled] = self._inner.handle(batch)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                if not isinstance(error, TryLater):
                    span.set_status(Status(StatusCode.ERROR))  # its words may quote a message
                raise
            span.set_attributes(_of_outcomes(settled))
        context = span.get_span_context()
        return _carrying(settled, parents, context) if context.trace_flags.sampled else settled


class TracedWithState(Traced):
    """The same for a handler with state, whose state is that of the handler within."""

    @property
    def fingerprint(self) -> str:
        """The settings of the handler within."""
        found: str = self._inner.fingerprint
        return found

    def reset(self) -> None:
        """Forget everything."""
        self._inner.reset()

    def state(self) -> bytes:
        """The whole state, packed."""
        packed: bytes = self._inner.state()
        return packed

    def revise(self) -> None:
        """As of the handler, where it is told of things beside its streams."""
        if isinstance(self._inner, Revisable):
            self._inner.revise()

    def restore(self, state: bytes) -> None:
        """Take over a packed state."""
        self._inner.restore(state)


def _parent_of(entry: Entry) -> TraceParent | None:
    if len(entry.fields) == 2:  # nothing but the payload, as most messages are
        return None
    value = entry.get(FIELD)
    return parse(value) if value else None


def _span_context(parent: TraceParent) -> SpanContext:
    flags = TraceFlags(int(parent.flags, 16))
    return SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), True, flags)


def _common(parents: Sequence[TraceParent | None]) -> Context:
    """The messages' own trace, where they all belong to one; else a trace of the batch's own."""
    first, traces = next(iter(parents), None), {parent and parent.trace_id for parent in parents}
    if first is None or len(traces) > 1:
        return Context()
    return trace.set_span_in_context(trace.NonRecordingSpan(_span_context(first)), Context())


def _links(batch: Sequence[Entry], parents: Sequence[TraceParent | None]) -> list[Link]:
    traced = [(e, p) for e, p in zip(batch, parents, strict=True) if p is not None]
    return [
        Link(_span_context(parent), {"messaging.message.id": entry.uid})
        for entry, parent in traced[:_MOST_LINKS]
    ]


def _of_batch(batch: Sequence[Entry]) -> dict[str, Any]:
    streams = {entry.stream for entry in batch}
    about: dict[str, Any] = {"messaging.batch.message_count": len(batch)}
    if len(streams) == 1:
        about["messaging.destination.name"] = bare(streams.pop())
    return about


def _of_outcomes(settled: Sequence[Settled]) -> dict[str, int]:
    outcomes = Counter(each.outcome for each in settled)
    return {
        "penstock.accepted": outcomes["accepted"],
        "penstock.rejected": outcomes["rejected"],
        "penstock.dead": outcomes["dead"],
        "penstock.outputs": sum(len(each.outputs) for each in settled),
    }


def _carrying(
    settled: list[Settled], parents: Sequence[TraceParent | None], span: SpanContext
) -> list[Settled]:
    """Let each output name the batch's span as its parent, in the trace of its input."""
    own = TraceParent(b"%032x" % span.trace_id, b"%016x" % span.span_id, b"%02x" % span.trace_flags)
    for each, parent in zip(settled, parents, strict=True):
        if each.outputs:
            carried = parent._replace(span_id=own.span_id) if parent else own
            value = carried.packed()
            each.outputs = [_with(output, value) for output in each.outputs]
    return settled


def _with(output: Output, value: bytes) -> Output:
    full = len(output.fields) >= 2 * (MOST_FIELDS - 1)  # with the parents it would be beyond limits
    if full and FIELD not in output.fields[::2]:
        return output
    return replace(output, fields=with_traceparent(output.fields, value))
