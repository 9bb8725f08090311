"""JSON answers, errors, and the answer while the database is unavailable."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from shared.events.wire import write_time
from shared.kit.database.database import TRANSIENT_ERRORS

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5

Endpoint = Callable[[Request], Awaitable[Response]]


class JsonAnswer(BaseModel):
    """Base of the JSON objects that the services answer with.

    A field without a default is always in the answer. A field with a default is left out while it has that default;
    so is a field of a model or dataclass within it.
    `model_validate` also takes any object that has the fields as attributes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


def to_json(content: Any) -> bytes:
    """Write JSON: models and dataclasses as objects, named tuples as lists, times in UTC (RFC 3339)."""
    return orjson.dumps(content, default=_write, option=orjson.OPT_PASSTHROUGH_DATETIME)


def reply(content: Any, status: int = 200) -> Response:
    """Return JSON that is not kept by browsers or proxies; `to_json` says how it is written."""
    return Response(to_json(content), status, media_type="application/json", headers={"cache-control": "no-store"})


def refuse(status: int, why: str) -> Response:
    """Return an error; `why` says what the caller can do about it."""
    answer = reply({"error": why}, status)
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def unavailable_as_503(endpoint: Endpoint) -> Endpoint:
    """Answer 503 with Retry-After while the database is unavailable, read-only or full."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except TRANSIENT_ERRORS as error:
            log.warning("answered 503: %s", type(error).__name__)
            unavailable = refuse(503, "the database is unavailable: try again")
            unavailable.headers["retry-after"] = str(RETRY_SECONDS)
            return unavailable

    return guarded


def _write(value: Any) -> str | list[Any] | dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError
