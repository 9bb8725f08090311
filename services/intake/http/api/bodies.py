"""Reads request bodies: forms, multipart forms and JSON; a body that is too large or incomplete is refused."""

from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

import orjson
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive, Scope

from services.intake.domain.validation import Fields, Refusal, refusal

RawHeaders = Mapping[bytes, bytes]

MAX_BODY_BYTES = 1_048_576
MAX_FIELDS = 500

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
MULTIPART = b"multipart/form-data"

TOO_LARGE = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES} bytes")
INCOMPLETE = refusal(HTTPStatus.BAD_REQUEST, "the body is incomplete")
NOT_A_FORM = refusal(HTTPStatus.BAD_REQUEST, "the body is not a form in UTF-8, or has too many fields")
NOT_JSON = refusal(HTTPStatus.BAD_REQUEST, "the body is not a JSON object in UTF-8")
NOT_FLAT = refusal(HTTPStatus.BAD_REQUEST, "a value must be a text, a number, a boolean or a list of these")
NOT_MULTIPART = refusal(
    HTTPStatus.BAD_REQUEST, "the body is not multipart/form-data, or has too many or too large parts"
)
NO_FILES = refusal(HTTPStatus.BAD_REQUEST, "files are not accepted: give the address of the file as media_url")
WRONG_TYPE = refusal(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "the body must be application/x-www-form-urlencoded, multipart/form-data or application/json",
)


def headers_of(scope: Scope) -> RawHeaders:
    """Return the headers of a request by their names, which are in lower case (ASGI specification)."""
    return dict(scope["headers"])


async def read_body(headers: RawHeaders, receive: Receive, largest: int = MAX_BODY_BYTES) -> bytes | Refusal:
    """Read the whole body; refuse one with more than `largest` bytes, or one whose client disconnects."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > largest:
        return TOO_LARGE
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return INCOMPLETE
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > largest:
            return TOO_LARGE
        if not message.get("more_body", False):
            return b"".join(chunks)


async def read_fields(headers: RawHeaders, body: bytes) -> Fields | Refusal:
    """Read the fields of a body by its content type; without one it is read as a form."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind in {FORM, b""}:
        return read_form(body)
    if kind == JSON:
        return read_json(body)
    if kind == MULTIPART:
        return await _read_multipart(Headers(raw=list(headers.items())), body)
    return WRONG_TYPE


def read_form(body: bytes) -> Fields | Refusal:
    """Read `application/x-www-form-urlencoded`."""
    fields: dict[str, list[str]] = {}
    if body.count(b"&") >= MAX_FIELDS:
        return NOT_A_FORM
    try:
        for pair in body.decode().split("&"):
            name, _, value = pair.partition("=")
            if name:
                fields.setdefault(_decoded_name(name), []).append(_decoded(value))
    except ValueError:
        return NOT_A_FORM
    return fields


def _decoded(text: str) -> str:
    """Decode a name or value of a form; most contain nothing to decode, and this runs for each of them."""
    if "+" in text:
        text = text.replace("+", " ")
    return unquote_to_bytes(text).decode() if "%" in text else text


_decoded_name = lru_cache(maxsize=1024)(_decoded)


def read_json(body: bytes) -> Fields | Refusal:
    """Read a JSON object as the fields of a form.

    `attribute` (or `attributes`), `consent` and `record` may be objects: their members become `attribute[CODE]`.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return NOT_JSON
    if not isinstance(content, dict):
        return NOT_JSON
    fields: dict[str, list[str]] = {}
    for name, value in _flat(content):
        texts = [_text(each) for each in value] if isinstance(value, list) else [_text(value)]
        known = [text for text in texts if text is not None]
        if len(known) != len(texts):
            return NOT_FLAT
        fields.setdefault(name, []).extend(known)
    return fields if len(fields) <= MAX_FIELDS else NOT_JSON


def _flat(content: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in content.items():
        if name in {"attribute", "attributes"} and isinstance(value, dict):
            yield from ((f"attribute[{code}]", answer) for code, answer in value.items())
        elif name in {"consent", "record"} and isinstance(value, dict):
            yield from ((f"{name}[{part}]", inner) for part, inner in value.items())
        else:
            yield "need" if name == "needs" else name, value


def _text(value: object) -> str | None:
    """Write a value as a form does; None for an object or a list, which no field of a form can hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return format(Decimal(repr(value)), "f") if isinstance(value, int | float) else None


async def _read_multipart(headers: Headers, body: bytes) -> Fields | Refusal:
    async def stream() -> AsyncIterator[bytes]:
        yield body

    parser = MultiPartParser(headers, stream(), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_BODY_BYTES)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except (MultiPartException, LookupError, ValueError):
        return NOT_MULTIPART
    fields: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
    has_files = len(form.multi_items()) != sum(map(len, fields.values()))
    await form.close()
    return NO_FILES if has_files else fields
