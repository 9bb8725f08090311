"""Forms, multipart forms and JSON give the same fields, within limits."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.validation import Fields, Refusal
from services.intake.http.api.bodies import MAX_BODY_BYTES, read_body, read_fields, read_form, read_json

SAID = {"service_code": "no-heat", "lat": "40.7", "description": "cold & dark ñ\nsecond line"}
READ = {name: [value] for name, value in SAID.items()}


def fields_of(content_type: str, body: bytes) -> Fields | Refusal:
    return asyncio.run(read_fields({b"content-type": content_type.encode()}, body))


def status_of(read: Fields | bytes | Refusal) -> int:
    assert isinstance(read, Refusal), read
    return read.status


def test_a_form_is_read_in_each_way_of_sending_it() -> None:
    request = httpx.Request("POST", "http://x", data=SAID, files={})
    parts = httpx.Request("POST", "http://x", files=[(name, (None, value)) for name, value in SAID.items()])
    parts.read()

    assert fields_of("application/x-www-form-urlencoded; charset=utf-8", request.read()) == READ
    assert fields_of("application/json", orjson.dumps(SAID)) == READ
    assert fields_of(parts.headers["content-type"], parts.content) == READ


def test_json_may_hold_numbers_lists_and_an_object_of_attributes() -> None:
    said = {"lat": 40.70000001, "long": -1e-7, "needs": ["a", "b"], "attributes": {"scope": "flat", "rooms": ["x"]}}

    assert read_json(orjson.dumps(said)) == {
        "lat": ["40.70000001"],
        "long": ["-0.0000001"],
        "need": ["a", "b"],
        "attribute[scope]": ["flat"],
        "attribute[rooms]": ["x"],
    }


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"x"', b"\xff", b"{" * 100_000, b'{"a": {"b": 1}}', b'{"a": [[1]]}']
)
def test_json_that_is_no_flat_object_is_refused(body: bytes) -> None:
    assert status_of(read_json(body)) == HTTPStatus.BAD_REQUEST


def test_a_form_that_is_not_utf_8_or_has_too_many_fields_is_refused() -> None:
    assert status_of(read_form(b"a=%ff")) == HTTPStatus.BAD_REQUEST
    assert status_of(read_form(b"\xff=a")) == HTTPStatus.BAD_REQUEST
    assert status_of(read_form(b"&".join([b"a=1"] * 1000))) == HTTPStatus.BAD_REQUEST


def test_a_file_is_refused_and_so_is_another_type() -> None:
    request = httpx.Request("POST", "http://x", files={"photo": b"GIF89a"})
    request.read()

    assert status_of(fields_of(request.headers["content-type"], request.content)) == HTTPStatus.BAD_REQUEST
    assert status_of(fields_of("multipart/form-data", b"x")) == HTTPStatus.BAD_REQUEST
    assert status_of(fields_of("text/xml", b"<a>")) == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def body_of(chunks: Sequence[bytes], **headers: str) -> bytes | Refusal:
    left = list(chunks)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return asyncio.run(read_body({name.encode(): value.encode() for name, value in headers.items()}, receive))


def test_a_body_that_is_too_large_is_refused_by_its_length_or_by_what_arrives() -> None:
    assert (
        status_of(body_of([b"x"], **{"content-length": str(MAX_BODY_BYTES + 1)})) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    )
    assert status_of(body_of([b"x" * MAX_BODY_BYTES, b"x"])) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert body_of([b"x" * MAX_BODY_BYTES]) == b"x" * MAX_BODY_BYTES


def test_a_body_that_is_cut_off_is_never_taken_for_a_whole_one() -> None:
    start: dict[str, object] = {"type": "http.request", "body": b"a=1&b=", "more_body": True}
    messages: list[dict[str, object]] = [start, {"type": "http.disconnect"}]

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    assert status_of(asyncio.run(read_body({}, receive))) == HTTPStatus.BAD_REQUEST


@given(st.lists(st.tuples(st.text(min_size=1, max_size=9), st.text(max_size=9)), max_size=9))
def test_a_form_is_read_as_it_was_written(pairs: list[tuple[str, str]]) -> None:
    read = read_form(urlencode(pairs).encode())

    assert not isinstance(read, Refusal)
    assert sorted((name, value) for name, values in read.items() for value in values) == sorted(pairs)
