"""Spans are read from OTLP, and form trees."""

import gzip

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan

from services.metrics.domain.spans import Span, build_trees, walk
from services.metrics.http.api.otlp import UnreadableSpansError, decompress, read_spans
from tests.unit.metrics.case_events import CaseEvents

CASE = CaseEvents(1).case_id


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def request(*spans: SentSpan, service: str = "intake") -> ExportTraceServiceRequest:
    scope = ScopeSpans(spans=spans)
    resource = Resource(attributes=[text("service.name", service)])
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])


def sent(span: int, parent: int = 0, start: int = 1, trace: int = 1) -> SentSpan:
    return SentSpan(
        trace_id=trace.to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=f"span {span}",
        kind=SentSpan.SpanKind.SPAN_KIND_CONSUMER,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 10,
        status=Status(code=Status.StatusCode.STATUS_CODE_ERROR),
        attributes=[text("handoff.case_id", str(CASE)), KeyValue(key="n", value=AnyValue(int_value=7))],
        links=[SentSpan.Link(trace_id=bytes(15) + b"\x02", span_id=bytes(7) + b"\x03")],
    )


def test_a_span_is_read_with_all_that_is_shown() -> None:
    [span] = read_spans(request(sent(5, parent=4)).SerializeToString())
    assert span == Span(
        trace_id=f"{1:032x}",
        span_id=f"{5:016x}",
        parent_id=f"{4:016x}",
        name="span 5",
        service="intake",
        kind="consumer",
        started_ns=1,
        ended_ns=11,
        status="error",
        attributes={"handoff.case_id": str(CASE), "n": 7},
        links=[{"trace_id": f"{2:032x}", "span_id": f"{3:016x}"}],
    )
    assert span.case_id == CASE


def test_a_span_without_proper_ids_is_left_out() -> None:
    broken = sent(5)
    broken.trace_id = b"short"
    assert read_spans(request(broken).SerializeToString()) == []


def test_attributes_are_cut_to_what_can_be_stored() -> None:
    wordy = sent(5)
    wordy.attributes.append(text("words", "x\x00" * 5000))
    listed = [AnyValue(string_value="a"), AnyValue(bool_value=True)]
    wordy.attributes.append(KeyValue(key="list", value=AnyValue(array_value=ArrayValue(values=listed))))
    [span] = read_spans(request(wordy).SerializeToString())
    assert span.attributes["words"] == "x" * 1000
    assert span.attributes["list"] == ["a", True]


def test_what_is_not_otlp_is_refused() -> None:
    with pytest.raises(UnreadableSpansError):
        read_spans(b"\xff\xff\xff not protobuf")


def test_a_body_is_decompressed_up_to_a_limit() -> None:
    packed = gzip.compress(bytes(5000))
    assert len(decompress(packed, 5001)) == 5000
    for body in (packed, packed[:-9], b"plain"):
        with pytest.raises(UnreadableSpansError):
            decompress(body, 4000)


def test_a_tree_grows_by_parents_and_in_order_of_time() -> None:
    spans = read_spans(
        request(sent(3, 1, start=9), sent(2, 1, start=5), sent(1, 0, start=1), sent(4, 2, 6)).SerializeToString()
    )
    [root] = build_trees(spans)
    assert [span.name for span in walk([root])] == ["span 1", "span 2", "span 4", "span 3"]


def test_a_span_whose_parent_was_not_stored_is_a_root() -> None:
    spans = read_spans(request(sent(3, 77, start=9), sent(1, start=1)).SerializeToString())
    assert [tree.span.name for tree in build_trees(spans)] == ["span 1", "span 3"]
