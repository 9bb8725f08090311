"""The place for spans: OTLP over HTTP, protobuf, gzip or plain."""

import asyncio

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.domain.spans import Span
from services.metrics.http.api.otlp import UnreadableSpansError, read_spans, unpack
from services.metrics.store.spans import keep_spans
from shared.kit.database.database import TRANSIENT_ERRORS, Database
from shared.kit.http.auth import require_staff_key
from shared.kit.http.replies import refuse

PROTOBUF = "application/x-protobuf"
MOST_BYTES = 4 * 1024 * 1024
MOST_BYTES_UNPACKED = 16 * 1024 * 1024
AT_ONCE = 2
"""Requests that are worked on at once: spans must not take the database from the cases."""

AWAITED = 32
"""Requests that may wait for that; the others are told to come again."""


def span_routes(database: Database, staff_key: str) -> list[Route]:
    """Serve `POST /v1/traces` to those who have the operators' key."""
    turns = asyncio.Semaphore(AT_ONCE)
    waiting: set[Request] = set()

    async def receive(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != PROTOBUF:
            return refuse(415, f"Send OTLP as {PROTOBUF}.")
        if len(waiting) >= AWAITED:
            return _later()
        waiting.add(request)
        try:
            body = await read_body(request)
            async with turns:
                return await keep(body, gzipped=request.headers.get("content-encoding", "") == "gzip")
        except UnreadableSpansError as error:
            return refuse(400, f"{error}.")
        except TRANSIENT_ERRORS:
            return _later()
        finally:
            waiting.discard(request)

    async def keep(body: bytes, *, gzipped: bool) -> Response:
        spans = await asyncio.to_thread(_read, body, gzipped)
        async with database.transaction() as tx:
            await keep_spans(tx, spans)
        return Response(ExportTraceServiceResponse().SerializeToString(), media_type=PROTOBUF)

    return [Route("/v1/traces", require_staff_key(receive, staff_key), methods=["POST"])]


async def read_body(request: Request) -> bytes:
    """Read the body, up to the limit.

    Raises:
        UnreadableSpansError: it is larger.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise UnreadableSpansError(f"the body is larger than {MOST_BYTES} bytes")
    return bytes(body)


def _read(body: bytes, gzipped: bool) -> list[Span]:  # noqa: FBT001 - called by position, in a thread
    return read_spans(unpack(body, MOST_BYTES_UNPACKED) if gzipped else body)


def _later() -> Response:
    answer = refuse(503, "Spans cannot be kept now.")
    answer.headers["retry-after"] = "5"
    return answer
