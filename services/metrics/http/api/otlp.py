"""Reads spans from OTLP's protobuf (opentelemetry-proto, trace service v1)."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # it ships no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan

from services.metrics.domain.spans import Span

MOST_ATTRIBUTES: Final = 64
MOST_LINKS: Final = 128
LONGEST_TEXT: Final = 1000
LATEST_NS: Final = 2**63 - 1
"""OTLP's times are unsigned; PostgreSQL's bigint is signed."""

_KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
_STATUSES = ("unset", "ok", "error")


class UnreadableSpansError(Exception):
    """The body is not OTLP, or too large when decompressed."""


def decompress(body: bytes, most: int) -> bytes:
    """Decompress gzip, up to `most` bytes.

    Raises:
        UnreadableSpansError: not gzip, cut off, or larger.
    """
    unzip = zlib.decompressobj(wbits=31)
    try:
        content = unzip.decompress(body, most)
    except zlib.error:
        raise UnreadableSpansError("the body is not gzip") from None
    if not unzip.eof:
        raise UnreadableSpansError("the body is cut off, or too large")
    return content


def read_spans(content: bytes) -> list[Span]:
    """Read spans; skip those without ids of the right length.

    Raises:
        UnreadableSpansError: not an ExportTraceServiceRequest.
    """
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(content)
    except DecodeError:
        raise UnreadableSpansError("the body is not an ExportTraceServiceRequest") from None
    return list(_spans(request))


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        service = str(_attributes(resource.resource.attributes).get("service.name", "unknown"))
        for scope in resource.scope_spans:
            for sent in scope.spans:
                if len(sent.trace_id) == 16 and len(sent.span_id) == 8:  # noqa: PLR2004 - as OTLP says
                    yield _span(sent, service)


def _span(sent: SentSpan, service: str) -> Span:
    return Span(
        trace_id=sent.trace_id.hex(),
        span_id=sent.span_id.hex(),
        parent_id=sent.parent_span_id.hex() or None,
        name=_text(sent.name),
        service=service,
        kind=_KINDS[sent.kind] if sent.kind < len(_KINDS) else "internal",
        started_ns=min(sent.start_time_unix_nano, LATEST_NS),
        ended_ns=min(sent.end_time_unix_nano, LATEST_NS),
        status=_STATUSES[sent.status.code] if sent.status.code < len(_STATUSES) else "unset",
        attributes=_attributes(sent.attributes),
        links=[{"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex()} for link in sent.links[:MOST_LINKS]],
    )


def _attributes(sent: Iterable[KeyValue]) -> dict[str, Any]:
    attributes = {_text(pair.key): _value(pair.value) for pair in sent}
    return dict(list(attributes.items())[:MOST_ATTRIBUTES])


def _value(sent: AnyValue) -> Any:
    """Return text, a number, a truth value or a list of these; None for any other kind of value."""
    kind = sent.WhichOneof("value")
    if kind == "string_value":
        return _text(sent.string_value)
    if kind == "array_value":
        return [_value(each) for each in sent.array_value.values[:MOST_ATTRIBUTES]]
    return getattr(sent, kind) if kind in {"bool_value", "int_value", "double_value"} else None


def _text(text: str) -> str:
    """Return a text that fits: PostgreSQL stores no NUL."""
    return text.replace("\x00", "")[:LONGEST_TEXT]
