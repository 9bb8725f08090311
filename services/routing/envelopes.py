"""Seals to agencies: JWE (RFC 7516) with ECDH-ES+A256KW and A256GCM, to the public key that an agency has handed in.

Each block takes a fresh pair of keys and one agreement: a third of a millisecond with X25519, half a one with P-256.
"""

from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

AGREEMENT: Final = "ECDH-ES+A256KW"
CIPHER: Final = "A256GCM"
PublicKey = ECKey | OKPKey
CURVES: Final[Mapping[str, type[ECKey] | type[OKPKey]]] = {"P-256": ECKey, "X25519": OKPKey}
Jwk = Mapping[str, Any]
"""A key as RFC 7517 writes it in JSON."""


class EnvelopeError(Exception):
    """A key that nothing can be sealed to; the text says why, and nothing of the key."""


def read_public_key(jwk: Jwk) -> PublicKey:
    """Read a public key; one without a `kid` is named by its thumbprint (RFC 7638).

    Raises:
        EnvelopeError: it is not a public key on P-256 or X25519.
    """
    kind = CURVES.get(str(jwk.get("crv")))
    if kind is None:
        raise EnvelopeError(f"not a key on {' or '.join(CURVES)}")
    if "d" in jwk:
        raise EnvelopeError("a private key: it belongs to the agency alone, and is to be made anew")
    try:
        key: PublicKey = kind.import_key(dict(jwk))
        key.get_op_key("deriveKey")  # a point that is not on the curve is found here
    except (JoseError, ValueError, KeyError, TypeError):
        raise EnvelopeError("not a JWK that can be read") from None
    return key


class Envelopes:
    """The public keys of agencies: the one that counts for each."""

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = {agency: (key, _header(key)) for agency, key in keys.items()}

    @property
    def agencies(self) -> frozenset[str]:
        """Those that have a public key."""
        return frozenset(self._keys)

    def seal(self, agency: str, plain: bytes) -> str:
        """Encrypt to an agency's key, in the compact form.

        Raises:
            LookupError: the agency has no public key.
        """
        if agency not in self._keys:
            raise LookupError(f"agency {agency} has no public key")
        key, header = self._keys[agency]
        return jwe.encrypt_compact(dict(header), plain, key)


def _header(key: PublicKey) -> dict[str, str]:
    named = key.as_dict(private=False).get("kid") or key.thumbprint()
    return {"alg": AGREEMENT, "enc": CIPHER, "kid": str(named)}
