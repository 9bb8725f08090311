"""Replies to operators: JSON, the key that they show, and what is said while the database is away."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from shared.events.wire import write_time
from shared.kit.database.database import TRANSIENT_ERRORS
from shared.kit.http.auth import bearer_of, is_key

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5

Endpoint = Callable[[Request], Awaitable[Response]]


class JsonAnswer(BaseModel):
    """Base of the JSON objects that the services answer with.

    A field without a default is always in the answer. A field with a default is left out while it has that default.
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
    """Return an error, with words that tell what to do."""
    answer = reply({"error": why}, status)
    if status == 401:  # noqa: PLR2004 - HTTP's own number
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def for_staff(endpoint: Endpoint, key: str) -> Endpoint:
    """Let only those pass who show the operators' key."""

    async def guarded(request: Request) -> Response:
        if not is_key(bearer_of(request), key):
            return refuse(401, "Show the operators' key: Authorization: Bearer <HANDOFF_STAFF_KEY>.")
        return await endpoint(request)

    return patient(guarded)


def patient(endpoint: Endpoint) -> Endpoint:
    """Answer 503, and when to come again, while the database is away or will not take what must be written."""

    async def trying(request: Request) -> Response:
        try:
            return await endpoint(request)
        except TRANSIENT_ERRORS as error:
            log.warning("answered 503: %s", type(error).__name__)
            away = refuse(503, "nothing can be read or kept at the moment: try again")
            away.headers["retry-after"] = str(RETRY_SECONDS)
            return away

    return trying


def _write(value: Any) -> str | list[Any] | dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError
