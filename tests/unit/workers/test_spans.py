"""Spans around batches: what they say, what they link to, and what outputs carry on."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from schemas.topology import Topology
from streams.entry import Entry, Output, Settled
from streams.keys import Lane
from streams.trace_context import parse
from tests.servers.pipeline import SMALL, reading, topology_from
from workers.collector import CannotTrace, exporter_of, resource_of, tell_faults
from workers.handler import Handler, StatefulHandler, TryLater
from workers.kinds import build_handler
from workers.spans import Spans
from workers.tracing import NoTracing, begin_tracing

TRACE, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Spans:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(provider, "gate", structlog.get_logger())


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


def traceparent(trace: str = TRACE, flags: str = "01") -> bytes:
    return f"00-{trace}-{'c' * 16}-{flags}".encode()


def entry(number: int, *more: bytes, data: bytes | None = None) -> Entry:
    return Entry("IN", f"{number}-0", [b"data", reading() if data is None else data, *more])


def handled(spans: Spans, topology: Topology, batch: Sequence[Entry]) -> list[Settled]:
    return spans.around(build_handler(topology, "gate", Lane()), 0).handle(batch)


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_batch_is_a_span_that_links_to_its_messages(
    spans: Spans, exporter: InMemorySpanExporter, topology: Topology
) -> None:
    batch = [
        entry(1, b"traceparent", traceparent()),
        entry(2, b"traceparent", traceparent(OTHER)),
        entry(3, data=b"no JSON"),
    ]
    handled(spans, topology, batch)
    span = only(exporter)
    assert span.name == "penstock.handle gate"
    assert span.kind is SpanKind.CONSUMER
    about = attributes_of(span)
    assert about["messaging.system"] == "redis"
    assert about["messaging.destination.name"] == "IN"
    assert about["messaging.batch.message_count"] == 3
    counted = {name: about[f"penstock.{name}"] for name in ("accepted", "rejected", "dead")}
    assert counted == {"accepted": 2, "rejected": 1, "dead": 0}
    linked = {f"{link.context.trace_id:032x}": dict(link.attributes or {}) for link in span.links}
    assert {trace: said["messaging.message.id"] for trace, said in linked.items()} == {
        TRACE: "IN/1-0",
        OTHER: "IN/2-0",
    }
    assert span.parent is None


def test_an_output_stays_in_the_trace_of_its_input_with_the_batch_as_parent(
    spans: Spans, exporter: InMemorySpanExporter, topology: Topology
) -> None:
    batch = [entry(1, b"traceparent", traceparent(flags="00"), b"x", b"y"), entry(2)]
    first, second = handled(spans, topology, batch)
    span = only(exporter).get_span_context()
    assert span is not None
    fields = first.outputs[0].fields
    assert fields[2:] == [
        b"traceparent",
        f"00-{TRACE}-{span.span_id:016x}-00".encode(),
        b"x",
        b"y",
    ]
    assert batch[0].fields[3] == traceparent(flags="00"), "the entry itself is as it was read"
    begun = parse(second.outputs[0].fields[3])
    assert begun is not None
    assert begun.trace_id.decode() == f"{span.trace_id:032x}", "one without begins in the batch's"
    assert batch[1].fields == [b"data", reading()]


def test_messages_of_one_trace_are_handled_within_it(
    spans: Spans, exporter: InMemorySpanExporter, topology: Topology
) -> None:
    handled(spans, topology, [entry(n, b"traceparent", traceparent()) for n in (1, 2)])
    parent = only(exporter).parent
    assert parent is not None
    assert f"{parent.trace_id:032x}" == TRACE


def test_a_trace_that_was_not_sampled_leaves_no_span_and_is_carried_on_as_it_is(
    spans: Spans, exporter: InMemorySpanExporter, topology: Topology
) -> None:
    (settled,) = handled(spans, topology, [entry(1, b"traceparent", traceparent(flags="00"))])
    assert exporter.get_finished_spans() == ()
    assert settled.outputs[0].fields[3] == traceparent(flags="00")


def test_links_are_bounded(
    spans: Spans, exporter: InMemorySpanExporter, topology: Topology
) -> None:
    traces = [f"{n + 1:032x}" for n in range(200)]
    batch = [entry(n, b"traceparent", traceparent(trace)) for n, trace in enumerate(traces)]
    handled(spans, topology, batch)
    assert len(only(exporter).links) == 128


def test_an_output_is_never_made_larger_than_a_gate_allows(
    spans: Spans, topology: Topology
) -> None:
    many = [part for n in range(63) for part in (b"f%d" % n, b"v")]
    (full,) = handled(spans, topology, [entry(1, *many)])
    assert len(full.outputs[0].fields) == 2 * 64
    (nearly,) = handled(spans, topology, [entry(2, *many[:-4])])
    assert b"traceparent" in nearly.outputs[0].fields


class Fails:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("a secret word"), StatusCode.ERROR), (TryLater("away"), StatusCode.UNSET)],
)
def test_a_span_says_the_sort_of_an_error_and_not_its_words(
    spans: Spans, exporter: InMemorySpanExporter, error: Exception, status: StatusCode
) -> None:
    with pytest.raises(type(error)):
        spans.around(Fails(error), 0).handle([entry(1)])
    span = only(exporter)
    assert span.status.status_code is status
    assert attributes_of(span)["error.type"] == type(error).__name__
    assert str(error) not in span.to_json()


class Remembers:
    fingerprint = "settings"

    def __init__(self) -> None:
        self.seen = 0

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        self.seen += len(batch)
        return [Settled(each, outputs=(Output("OUT", [b"data", b"1"]),)) for each in batch]

    def reset(self) -> None:
        self.seen = 0

    def state(self) -> bytes:
        return b"%d" % self.seen

    def restore(self, state: bytes) -> None:
        self.seen = int(state)


def test_a_handler_with_state_keeps_it_behind_its_spans(spans: Spans) -> None:
    inner = Remembers()
    traced = spans.around(inner, 0)
    assert isinstance(traced, StatefulHandler)
    assert traced.fingerprint == inner.fingerprint
    traced.restore(b"5")
    traced.handle([entry(1)])
    assert (inner.seen, traced.state()) == (6, b"6")
    traced.reset()
    assert inner.seen == 0
    assert not isinstance(spans.around(Fails(ValueError()), 0), StatefulHandler)


def test_without_a_place_for_spans_the_handler_is_the_bare_one(topology: Topology) -> None:
    handler: Handler = build_handler(topology, "gate", Lane())
    tracing = begin_tracing({}, "gate", "holder", structlog.get_logger())
    assert isinstance(tracing, NoTracing)
    assert tracing.around(handler, 0) is handler


@pytest.mark.parametrize(
    "setting",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_settings_that_cannot_be_used_turn_tracing_off_and_say_so(
    setting: dict[str, str],
) -> None:
    with capture_logs() as logs:
        tracing = begin_tracing(setting, "gate", "holder", structlog.get_logger())
    assert isinstance(tracing, NoTracing)
    (line,) = logs
    assert line["event"] == "tracing_off"
    assert next(reversed(setting.values())) in line["reason"]


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ({}, "penstock-gate"),
        ({"OTEL_SERVICE_NAME": "mine"}, "mine"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=ours,a=b"}, "ours"),
    ],
)
def test_spans_say_whose_they_are(
    setting: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in setting.items():
        monkeypatch.setenv(variable, value)
    about = resource_of(setting, "gate", "here-7").attributes
    assert (about["service.name"], about["service.instance.id"]) == (name, "here-7")


def test_the_protocol_for_traces_goes_over_the_one_for_all() -> None:
    general = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    exporter_of({**general, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}).shutdown()
    with pytest.raises(CannotTrace, match="grpc"):
        exporter_of(general)


def test_a_fault_is_told_once_a_minute() -> None:
    logger = logging.getLogger("opentelemetry.sdk.somewhere")
    with capture_logs() as logs:
        tell_faults(structlog.get_logger())
        logger.warning("the %s is away", "collector")
        logger.error("again")
        logger.info("sent")
    assert [(line["event"], line["said"]) for line in logs] == [
        ("tracing_fault", "the collector is away")
    ]


def test_what_the_environment_says_is_not_told() -> None:
    with capture_logs() as logs:
        tell_faults(structlog.get_logger())
        logging.getLogger("opentelemetry.util.re").warning("Header format invalid: %s", "a token")
    assert [line["said"] for line in logs] == ["Header format invalid: %s"]


def test_a_collector_that_hangs_holds_up_no_end() -> None:
    class Hangs(TracerProvider):
        def shutdown(self) -> None:
            forever.wait()

    forever = threading.Event()
    with capture_logs() as logs:
        Spans(Hangs(), "gate", structlog.get_logger(), flush_s=0.01).close()
    forever.set()
    assert [line["event"] for line in logs] == ["spans_lost"]
