"""`/v1/traces`: receives spans as OTLP over HTTP, in protobuf, plain or gzip."""

import asyncio
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.domain.spans import Span
from services.metrics.http.api.otlp import UnreadableSpansError, decompress, read_spans
from services.metrics.use_cases.spans import store_spans
from shared.kit.database.database import TRANSIENT_ERRORS, Database
from shared.kit.http.auth import require_staff_key
from shared.kit.http.replies import refuse

PROTOBUF: Final = "application/x-protobuf"
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_BYTES_DECOMPRESSED: Final = 16 * 1024 * 1024

CONCURRENT_REQUESTS: Final = 2
"""Requests that are processed at the same time: spans must not take the database's connections from the events."""

MOST_REQUESTS: Final = 32
"""Requests that are processed or wait; further ones get 503 with Retry-After."""

RETRY_SECONDS: Final = 5


def span_routes(database: Database, staff_key: str) -> list[Route]:
    """Return the route `POST /v1/traces`, for callers with the staff key."""
    slots = asyncio.Semaphore(CONCURRENT_REQUESTS)
    accepted: set[Request] = set()

    async def receive(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != PROTOBUF:
            return refuse(415, f"Send OTLP as {PROTOBUF}.")
        if len(accepted) >= MOST_REQUESTS:
            return _unavailable()
        accepted.add(request)
        try:
            body = await read_body(request)
            async with slots:
                return await store(body, gzipped=request.headers.get("content-encoding", "") == "gzip")
        except UnreadableSpansError as error:
            return refuse(400, f"{error}.")
        except TRANSIENT_ERRORS:
            return _unavailable()
        finally:
            accepted.discard(request)

    async def store(body: bytes, *, gzipped: bool) -> Response:
        # Protobuf of some megabytes takes long enough to parse that consumers would miss their heartbeats.
        spans = await asyncio.to_thread(_read, body, gzipped)
        await store_spans(database, spans)
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
    return read_spans(decompress(body, MOST_BYTES_DECOMPRESSED) if gzipped else body)


def _unavailable() -> Response:
    answer = refuse(503, "Spans cannot be stored now: try again.")
    answer.headers["retry-after"] = str(RETRY_SECONDS)
    return answer
