"""The token of a status page: its holder may read and withdraw one report.

A token is the case's id and a secret of 128 bits, in base64url. Only a hash of the secret is stored. The secret is
derived from the master key (keyed BLAKE2b, RFC 7693), so that a repeated request gets the same token.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b, sha256
from uuid import UUID

ID_BYTES = 16
SECRET_BYTES = 16
TOKEN_LENGTH = 43
FINGERPRINT_BYTES = 32


@dataclass(frozen=True, slots=True)
class TokenClaim:
    """What a token claims: a case, and the hash that the case must have."""

    case_id: UUID
    token_hash: bytes


class Tokens:
    """Writes tokens, and hashes of what callers send, under keys derived from the master key."""

    def __init__(self, master_key: bytes) -> None:
        self._key = blake2b(b"handoff status tokens", key=master_key).digest()

    def write(self, case_id: UUID) -> str:
        """Return the token of a case."""
        return urlsafe_b64encode(case_id.bytes + self._secret(case_id)).decode().rstrip("=")

    def hash_of(self, case_id: UUID) -> bytes:
        """Return the hash that is stored of a case's token."""
        return sha256(self._secret(case_id)).digest()

    def fingerprint(self, content: bytes) -> bytes:
        """Return a keyed hash of 32 bytes: without the master key no guess about the content can be checked."""
        return blake2b(content, key=self._key, digest_size=FINGERPRINT_BYTES).digest()

    def _secret(self, case_id: UUID) -> bytes:
        return blake2b(case_id.bytes, key=self._key, digest_size=SECRET_BYTES).digest()


def read_token(token: str) -> TokenClaim | None:
    """Read what a token claims; None for a text that cannot be a token."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "=")
    except ValueError:
        return None
    # base64 has several texts for the same bytes: only the one that `write` gives is a token.
    if len(raw) != ID_BYTES + SECRET_BYTES or urlsafe_b64encode(raw).decode().rstrip("=") != token:
        return None
    return TokenClaim(UUID(bytes=raw[:ID_BYTES]), sha256(raw[ID_BYTES:]).digest())
