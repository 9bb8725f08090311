"""Keys that callers send as `Authorization: Bearer <key>`."""

from hashlib import sha256
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response

from shared.kit.http.replies import Endpoint, refuse, unavailable_as_503

BEARER = "bearer "


def read_bearer_key(request: Request) -> str:
    """Return the bearer key of a request; an empty string without one."""
    header = request.headers.get("authorization", "")
    return header[len(BEARER) :].strip() if header.lower().startswith(BEARER) else ""


def keys_match(shown: str, expected: str) -> bool:
    """Compare two keys in constant time, so that the time of an answer reveals nothing about the key."""
    return compare_digest(shown.encode(), expected.encode())


def hash_key(key: str) -> str:
    """Return the SHA-256 of a key in hexadecimal, as keys are stored (keys are random: no salt is needed)."""
    return sha256(key.encode()).hexdigest()


def require_staff_key(endpoint: Endpoint, key: str) -> Endpoint:
    """Answer 401 to requests without the operators' key, and 503 while the database is unavailable."""

    async def guarded(request: Request) -> Response:
        if not keys_match(read_bearer_key(request), key):
            return refuse(401, "Show the operators' key: Authorization: Bearer <HANDOFF_STAFF_KEY>.")
        return await endpoint(request)

    return unavailable_as_503(guarded)
