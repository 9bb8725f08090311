"""Traces: spans, their export, and W3C traceparents, by which a trace runs through outbox, Kafka and services.

Spans go to a collector, or else to the metrics service. No failure of it affects the service.
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

from shared.kit.observability.metrics_export import EXPORT_TIMEOUT_SECONDS, resource_of

MAX_QUEUED_SPANS: Final = 16_384
"""The processor drops spans that do not fit into its queue without a word; OpenTelemetry's default is 2,048."""

CASE_ID: Final = "handoff.case_id"

_tracer = trace.get_tracer("handoff")


class RateLimitedSampler(Sampler):
    """Samples new traces up to a rate, by a token bucket of one second; the others get ids and are not recorded."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._tokens = per_second
        self._filled = time.monotonic()

    def should_sample(  # noqa: PLR0913, PLR0917 - OpenTelemetry's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Sample the trace if the bucket has a token."""
        del parent_context, trace_id, name, kind, links, trace_state
        now = time.monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return SamplingResult(Decision.DROP)
        self._tokens -= 1
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        """Return the name of the sampler."""
        return f"RateLimited({self._rate}/s)"


class CountingExporter(SpanExporter):
    """Passes spans on to another exporter, and counts those that it could not export: `dropped`."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.dropped = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export spans, and count them if that fails."""
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.dropped += len(spans)
        return result

    def shutdown(self) -> None:
        """Shut the other exporter down."""
        self._exporter.shutdown()


@dataclass(frozen=True, slots=True)
class TraceExporter:
    """Collects and exports the spans of one process; without a destination it does nothing."""

    provider: TracerProvider | None
    exporter: CountingExporter | None

    def dropped(self) -> int:
        """Return how many spans were lost since the start."""
        return self.exporter.dropped if self.exporter else 0

    def shutdown(self) -> None:
        """Export the queued spans; takes a second or two at most."""
        if self.provider is not None:
            self.provider.shutdown()


def start_traces(service: str, exporter: CountingExporter | None, per_second: float) -> TraceExporter:
    """Start to record and export spans, of so many new traces per second at most; without an exporter, of none."""
    if exporter is None:
        return TraceExporter(None, None)
    provider = TracerProvider(resource=resource_of(service), sampler=ParentBased(RateLimitedSampler(per_second)))
    processor = BatchSpanProcessor(
        exporter,
        max_queue_size=MAX_QUEUED_SPANS,
        schedule_delay_millis=1000,
        export_timeout_millis=EXPORT_TIMEOUT_SECONDS * 1000,
    )
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return TraceExporter(provider, exporter)


def export_to_collector() -> CountingExporter:
    """Return an exporter to OTEL_EXPORTER_OTLP_ENDPOINT, which OpenTelemetry reads itself."""
    # With OpenTelemetry's default timeout, a shutdown takes 20 to 30 s when the collector is unavailable.
    return CountingExporter(OTLPSpanExporter(timeout=EXPORT_TIMEOUT_SECONDS))


def export_to_metrics_service(base_url: str, key: str) -> CountingExporter:
    """Return an exporter to the metrics service, which keeps spans in PostgreSQL; `key` is the operators' key."""
    return CountingExporter(
        OTLPSpanExporter(
            endpoint=f"{base_url.rstrip('/')}/v1/traces",
            headers={"authorization": f"Bearer {key}"},
            timeout=EXPORT_TIMEOUT_SECONDS,
        )
    )


def new_traceparent() -> str:
    """Return a traceparent that is not sampled: what it causes still shares one trace id."""
    return f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-00"


def is_sampled(traceparent: str | None) -> bool:
    """Return True if the trace is recorded: the lowest bit of the flags (W3C Trace Context, section 3.2.2.5.1)."""
    return traceparent is not None and traceparent[-1:] in set("13579bdf")


def context_of(traceparent: str | None) -> SpanContext | None:
    """Return the span context of a W3C traceparent; None if it is not a valid one."""
    if traceparent is None:
        return None
    try:
        _, trace_id, span_id, flags = traceparent.split("-")
        context = SpanContext(
            int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
        )
    except ValueError:
        return None
    return context if context.is_valid else None


def traceparent_of(span: Span) -> str | None:
    """Return a span's W3C traceparent; None for a span without ids."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def start_span(
    name: str,
    parent: str | None,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[Link] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Span:
    """Start a span as a child of a traceparent, or of a new trace without one. The caller ends it."""
    parent_context = context_of(parent)
    # An empty Context, not None: with None, OpenTelemetry takes the current span of this task as the parent.
    context = trace.set_span_in_context(NonRecordingSpan(parent_context)) if parent_context else Context()
    return _tracer.start_span(name, context=context, kind=kind, links=links, attributes=attributes)


@contextmanager
def span(
    name: str, parent: str | None, kind: SpanKind = SpanKind.INTERNAL, **attributes: AttributeValue
) -> Iterator[Span]:
    """Run a block as a span; an error marks it by its type, never by its text, which may quote personal data."""
    started = start_span(name, parent, kind, attributes=attributes)
    try:
        yield started
    except BaseException as error:
        started.set_status(trace.StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        started.end()
