"""The time from `POST` to a durable 201: intake, against bare ASGI with one INSERT."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import uuid4

from bench.figures import Figure, in_turns, percentile
from bench.load import answers, request
from bench.processes import API_KEY, script, service
from bench.servers import Servers, admin, create_topics
from deploy.local.servers import databases

REQUESTS = 1_500
CONNECTIONS = 16

_FIELDS = {
    "service_code": "heat-hot-water",
    "attribute[scope]": "apartment",
    "attribute[missing][]": "heat",
    "lat": "40.8296",
    "long": "-73.9137",
    "address_string": "118 Alder Street, Apt 4",
    "first_name": "Rosa",
    "last_name": "Quill",
    "email": "rosa.quill@example.org",
    "phone": "2125550137",
    "description": "No heat since Tuesday, and the boiler makes a noise.",
}


def form(**fields: str) -> bytes:
    """Return the body of a report; `fields` replace some of its fields."""
    return urlencode(_FIELDS | fields).encode()


async def durable_answers(own: Servers) -> list[Figure]:
    """Compare rate and p99 of both."""
    await create_topics(own.kafka)
    waits: dict[str, list[float]] = {"ours": [], "theirs": []}
    with databases.own_database(own.postgres, own.template) as database:
        with admin(own, database.name) as connection:
            connection.execute(
                "CREATE TABLE intake.bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)"
            )
        with service("intake", own, database) as port, script("bench.bare_asgi", database.admin_url) as bare_port:

            async def ours() -> float:
                return await _rate(port, "/open311/v2/requests.json", waits["ours"])

            async def theirs() -> float:
                return await _rate(bare_port, "/", waits["theirs"])

            rates = await in_turns(ours, theirs)
    p99 = [percentile(waits[side][REQUESTS:], 0.99) * 1e3 for side in ("ours", "theirs")]
    return [
        Figure("POST to 201 / bare ASGI with one INSERT, rate", *rates, "req/s", 0.60, "at least"),
        Figure("POST to 201 / bare ASGI with one INSERT, p99", p99[0], p99[1], "ms", 2.5, "at most"),
    ]


async def _rate(port: int, path: str, waits: list[float]) -> float:
    rate, took = await answers(port, _requests(path), CONNECTIONS)
    waits += took
    return rate


def _requests(path: str) -> Sequence[bytes]:
    """Return the requests, each with its own idempotency key, as a careful client sends it."""
    return [
        request(path, form(), f"Authorization: Bearer {API_KEY}\r\nIdempotency-Key: {uuid4()}\r\n")
        for _ in range(REQUESTS)
    ]
