"""Traces: to a collector where there is one, else to the metrics service. Never a cause of failure."""

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

from shared.kit.observability.metrics_export import resource_of
from shared.kit.service.settings import ServiceSettings

EXPORT_TIMEOUT_SECONDS = 1.0
QUEUE_SPANS = 16_384
CASE_ID: Final = "handoff.case_id"

_tracer = trace.get_tracer("handoff")


class RateLimitedSampler(Sampler):
    """Keep new traces up to a rate (a token bucket of one second); the rest keep their ids and are not recorded."""

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
        """Take a token if there is one."""
        del parent_context, trace_id, name, kind, links, trace_state
        now = time.monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return SamplingResult(Decision.DROP)
        self._tokens -= 1
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        """Name the sampler."""
        return f"RateLimited({self._rate}/s)"


class CountingExporter(SpanExporter):
    """Pass spans on, and count those that were lost: `dropped` is shown on the health page."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.dropped = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and count a failure."""
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.dropped += len(spans)
        return result

    def shutdown(self) -> None:
        """Close the exporter."""
        self._exporter.shutdown()


@dataclass(frozen=True, slots=True)
class TraceExporter:
    """What one service has running to be seen by."""

    provider: TracerProvider | None
    exporter: CountingExporter | None

    def dropped(self) -> int:
        """Count the spans that were lost since the start."""
        return self.exporter.dropped if self.exporter else 0

    def shutdown(self) -> None:
        """Send what is queued, for a second or two at most."""
        if self.provider is not None:
            self.provider.shutdown()


def start_traces(service: str, settings: ServiceSettings) -> TraceExporter:
    """Start tracing for this process; without a collector and without a metrics service nothing is recorded."""
    exporter = _exporter(settings)
    if exporter is None:
        return TraceExporter(None, None)
    provider = TracerProvider(
        resource=resource_of(service), sampler=ParentBased(RateLimitedSampler(settings.trace_rate))
    )
    processor = BatchSpanProcessor(
        exporter,
        max_queue_size=QUEUE_SPANS,
        schedule_delay_millis=1000,
        export_timeout_millis=EXPORT_TIMEOUT_SECONDS * 1000,
    )
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return TraceExporter(provider, exporter)


def _exporter(settings: ServiceSettings) -> CountingExporter | None:
    if settings.otlp_endpoint:
        return CountingExporter(OTLPSpanExporter(timeout=EXPORT_TIMEOUT_SECONDS))
    if settings.spans_url:
        return CountingExporter(
            OTLPSpanExporter(
                endpoint=f"{settings.spans_url.rstrip('/')}/v1/traces",
                headers={"authorization": f"Bearer {settings.staff_key.get_secret_value()}"},
                timeout=EXPORT_TIMEOUT_SECONDS,
            )
        )
    return None


def new_traceparent() -> str:
    """Return a traceparent for work that nobody traces, so that its messages still share one trace id."""
    return f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-00"


def is_sampled(traceparent: str | None) -> bool:
    """Tell whether the trace is recorded: the lowest bit of the flags (W3C Trace Context, section 3.2.2.5.1)."""
    return traceparent is not None and traceparent[-1:] in set("13579bdf")


def context_of(traceparent: str | None) -> SpanContext | None:
    """Read a W3C traceparent; None when it is not one."""
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
    """Write a span's W3C traceparent; None for a span that is nowhere."""
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
    """Start a span below a traceparent (a new trace without one); whoever starts it ends it."""
    above = context_of(parent)
    context = trace.set_span_in_context(NonRecordingSpan(above)) if above else Context()
    return _tracer.start_span(name, context=context, kind=kind, links=links, attributes=attributes)


@contextmanager
def span(
    name: str, parent: str | None, kind: SpanKind = SpanKind.INTERNAL, **attributes: AttributeValue
) -> Iterator[Span]:
    """Run a block as a span below a traceparent; an error marks the span by its type, never by its text."""
    started = start_span(name, parent, kind, attributes=attributes)
    try:
        yield started
    except BaseException as error:
        started.set_status(trace.StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        started.end()
