"""HTTP routes by which operators list, read, redrive and dismiss the dead letters of a service."""

import base64
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.kit.dead_letters.redrive import (
    DeadLetterQueue,
    RedriveFailedError,
    StoredDeadLetter,
    UnknownDeadLetterError,
)
from shared.kit.http.auth import require_staff_key
from shared.kit.http.replies import Endpoint, refuse, reply

PAGE_SIZE: Final = 100
"""Dead letters in one answer, at most."""

MAX_BODY_BYTES: Final = 2_500_000


class SettleRequest(BaseModel):
    """The body of a request to redrive or dismiss a dead letter: the operator, and the repaired value, if any."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    value: str | None = Field(default=None, max_length=1_000_000)


Settle = Callable[[int, SettleRequest], Awaitable[StoredDeadLetter]]


def dead_letter_routes(queue: DeadLetterQueue, staff_key: str) -> list[Route]:
    """Return the routes `/dead-letters`, `/dead-letters/{number}`, and `redeliver` and `dismiss` below that."""

    async def list_letters(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return refuse(422, "after must be the number of the last dead letter that you have.")
        settled = request.query_params.get("settled") == "true"
        letters = await queue.list_letters(int(after), PAGE_SIZE, settled=settled)
        return reply({"letters": [_summary(letter) for letter in letters], "more": len(letters) == PAGE_SIZE})

    async def show(request: Request) -> Response:
        letter = await queue.find(request.path_params["number"])
        return reply(_summary(letter) | _content(letter))

    endpoints = {
        "/dead-letters": (list_letters, "GET"),
        "/dead-letters/{number:int}": (_or_404(show), "GET"),
        "/dead-letters/{number:int}/redeliver": (_or_404(_settles(partial(_redrive, queue))), "POST"),
        "/dead-letters/{number:int}/dismiss": (_or_404(_settles(partial(_dismiss, queue))), "POST"),
    }
    return [
        Route(path, require_staff_key(endpoint, staff_key), methods=[method])
        for path, (endpoint, method) in endpoints.items()
    ]


async def _redrive(queue: DeadLetterQueue, number: int, body: SettleRequest) -> StoredDeadLetter:
    return await queue.redrive(number, body.by, None if body.value is None else body.value.encode())


async def _dismiss(queue: DeadLetterQueue, number: int, body: SettleRequest) -> StoredDeadLetter:
    return await queue.dismiss(number, body.by)


def _or_404(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except UnknownDeadLetterError:
            return refuse(404, f"There is no dead letter {request.path_params['number']} here.")

    return answer


def _settles(settle: Settle) -> Endpoint:
    async def answer(request: Request) -> Response:
        # Checked before the body is read. A body without a length is chunked, and could be of any size.
        if int(request.headers.get("content-length", MAX_BODY_BYTES + 1)) > MAX_BODY_BYTES:
            return refuse(413, f"The body must have a Content-Length, of {MAX_BODY_BYTES} bytes at most.")
        try:
            body = SettleRequest.model_validate_json(await request.body())
            letter = await settle(request.path_params["number"], body)
        except ValidationError:
            return refuse(
                422, 'The body must be JSON: {"by": your name, "value": the repaired value, if there is one}.'
            )
        except RedriveFailedError as error:
            return refuse(409, str(error))
        return reply(_summary(letter))

    return answer


def _summary(letter: StoredDeadLetter) -> dict[str, Any]:
    """Return a dead letter without its content, which may be personal data."""
    _, _, headers = letter.message()
    by_name = dict(headers)
    return {
        "number": letter.number,
        "type": _text(by_name.get("ce_type")),
        "case_id": _text(by_name.get("ce_subject")),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.position,
        "consumer": letter.consumer,
        "reason": letter.reason,
        "tries": letter.tries,
        "set_aside_at": letter.created_at,
        "settled_at": letter.settled_at,
        "outcome": letter.outcome,
        "settled_by": letter.settled_by,
    }


def _content(letter: StoredDeadLetter) -> dict[str, Any]:
    key, value, headers = letter.message()
    return {
        "key": _text(key),
        "headers": [[name, _text(header)] for name, header in headers],
        "value": _text(value),
        "repaired": _text(letter.repaired),
    }


def _text(raw: bytes | None) -> str | None:
    """Return bytes as text, or as a data URL (RFC 2397) if they are not UTF-8."""
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "data:;base64," + base64.b64encode(raw).decode()
