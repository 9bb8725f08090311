"""Serves a service's dead letters to operators: to list and read, to have worked on again, to dismiss."""

import base64
from collections.abc import Awaitable, Callable
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
"""Letters in one answer, at most."""

MAX_BODY_BYTES: Final = 2_500_000


class Asked(BaseModel):
    """Who asks for something to be done with a letter, and the value that it is to be given, if that is repaired."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    value: str | None = Field(default=None, max_length=1_000_000)


Doing = Callable[[int, Asked], Awaitable[StoredDeadLetter]]


def dead_letter_routes(redelivery: DeadLetterQueue, staff_key: str) -> list[Route]:
    """Serve `/dead-letters`, and what can be done with one of them."""

    async def list_letters(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return refuse(422, "after is the number of the last letter that you have.")
        settled = request.query_params.get("settled") == "true"
        letters = await redelivery.list_letters(int(after), PAGE_SIZE, settled=settled)
        return reply({"letters": [_summary(letter) for letter in letters], "more": len(letters) == PAGE_SIZE})

    async def show(request: Request) -> Response:
        letter = await redelivery.find(request.path_params["number"])
        return reply(_summary(letter) | _content(letter))

    async def redeliver(number: int, asked: Asked) -> StoredDeadLetter:
        return await redelivery.redrive(number, asked.by, None if asked.value is None else asked.value.encode())

    async def dismiss(number: int, asked: Asked) -> StoredDeadLetter:
        return await redelivery.dismiss(number, asked.by)

    guarded = {
        "/dead-letters": (list_letters, "GET"),
        "/dead-letters/{number:int}": (_known(show), "GET"),
        "/dead-letters/{number:int}/redeliver": (_known(_does(redeliver)), "POST"),
        "/dead-letters/{number:int}/dismiss": (_known(_does(dismiss)), "POST"),
    }
    return [
        Route(path, require_staff_key(endpoint, staff_key), methods=[way]) for path, (endpoint, way) in guarded.items()
    ]


def _known(endpoint: Endpoint) -> Endpoint:
    async def asked(request: Request) -> Response:
        try:
            return await endpoint(request)
        except UnknownDeadLetterError:
            return refuse(404, f"There is no dead letter {request.path_params['number']} here.")

    return asked


def _does(doing: Doing) -> Endpoint:
    async def done(request: Request) -> Response:
        if int(request.headers.get("content-length", MAX_BODY_BYTES + 1)) > MAX_BODY_BYTES:
            return refuse(413, f"The body has {MAX_BODY_BYTES} bytes at most, and says how many.")
        try:
            asked = Asked.model_validate_json(await request.body())
            letter = await doing(request.path_params["number"], asked)
        except ValidationError:
            return refuse(422, 'The body is JSON: {"by": your name, "value": the repaired value, if there is one}.')
        except RedriveFailedError as error:
            return refuse(409, str(error))
        return reply(_summary(letter))

    return done


def _summary(letter: StoredDeadLetter) -> dict[str, Any]:
    """Tell about a letter, without what its sender wrote."""
    _, _, headers = letter.message()
    said = dict(headers)
    return {
        "number": letter.number,
        "type": _text(said.get("ce_type")),
        "case_id": _text(said.get("ce_subject")),
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
        "headers": [[name, _text(said)] for name, said in headers],
        "value": _text(value),
        "repaired": _text(letter.repaired),
    }


def _text(raw: bytes | None) -> str | None:
    """Write bytes as text, or as a data URL (RFC 2397) where they are not UTF-8."""
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "data:;base64," + base64.b64encode(raw).decode()
