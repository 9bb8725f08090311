"""Keys that callers show, compared in constant time."""

from hashlib import sha256
from hmac import compare_digest

from starlette.requests import Request

BEARER = "bearer "


def bearer_of(request: Request) -> str:
    """Return the bearer key that a request shows; empty when it shows none."""
    header = request.headers.get("authorization", "")
    return header[len(BEARER) :].strip() if header.lower().startswith(BEARER) else ""


def is_key(shown: str, expected: str) -> bool:
    """Compare a key that was shown with the one that counts, in constant time."""
    return compare_digest(shown.encode(), expected.encode())


def key_hash(key: str) -> str:
    """Return the form in which a key is kept: SHA-256 in hexadecimal (keys are random, so no salt is needed)."""
    return sha256(key.encode()).hexdigest()
