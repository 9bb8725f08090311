"""The keys of agencies: public keys to encrypt to, and hashes of their API keys for the partner API."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from shared.events.event import Slug
from shared.events.validation import list_errors
from shared.kit.http.auth import hash_key

KEY_AGREEMENT: Final = "ECDH-ES+A256KW"
CONTENT_ENCRYPTION: Final = "A256GCM"
PublicKey = ECKey | OKPKey
CURVES: Final[Mapping[str, type[ECKey] | type[OKPKey]]] = {"P-256": ECKey, "X25519": OKPKey}
Jwk = Mapping[str, Any]
"""A JSON Web Key (RFC 7517)."""


class PublicKeyError(Exception):
    """A key cannot be used to encrypt to; the text says why, and does not show the key."""


def read_public_key(jwk: Jwk) -> PublicKey:
    """Read a public key. A key without a `kid` gets its thumbprint (RFC 7638) as its id.

    Raises:
        EnvelopeError: it is not a public key on P-256 or X25519.
    """
    kind = CURVES.get(str(jwk.get("crv")))
    if kind is None:
        raise PublicKeyError(f"not a key on {' or '.join(CURVES)}")
    if "d" in jwk:
        raise PublicKeyError("a private key: only the agency may have it; the agency must create a new key pair")
    try:
        key: PublicKey = kind.import_key(dict(jwk))
        key.get_op_key("deriveKey")  # fails for a point that is not on the curve
    except (JoseError, ValueError, KeyError, TypeError):
        raise PublicKeyError("not a JWK that can be read") from None
    return key


class JweEncrypter:
    """Encrypts to agencies as JWE (RFC 7516, compact serialization), each to its newest public key."""

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = {agency: (key, _jwe_header(key)) for agency, key in keys.items()}

    @property
    def agencies(self) -> frozenset[str]:
        """The agencies that have a public key."""
        return frozenset(self._keys)

    def encrypt(self, agency: str, plain: bytes) -> str:
        """Encrypt to an agency's public key.

        Raises:
            LookupError: the agency has no public key.
        """
        if agency not in self._keys:
            raise LookupError(f"agency {agency} has no public key")
        key, header = self._keys[agency]
        return jwe.encrypt_compact(dict(header), plain, key)


def _jwe_header(key: PublicKey) -> dict[str, str]:
    key_id = key.as_dict(private=False).get("kid") or key.thumbprint()
    return {"alg": KEY_AGREEMENT, "enc": CONTENT_ENCRYPTION, "kid": str(key_id)}


_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PartnerKeysError(Exception):
    """The file of the agencies' keys cannot be used; the text names the file and each error in it, and shows no key."""


class PartnerKeysForm(BaseModel):
    """The keys of one agency, the newest first. Only the newest public key encrypts; every API key is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_jwks: tuple[dict[str, Any], ...] = Field(default=(), max_length=2)
    key_hashes: tuple[_Hash, ...] = Field(default=(), max_length=2)


class PartnerKeysFile(RootModel[dict[Slug, PartnerKeysForm]]):
    """The file of the agencies' keys: agencies by their ids."""


@dataclass(frozen=True, slots=True)
class PartnerKeys:
    """The keys of all agencies. Without a file there is none: nothing is encrypted, and the partner API is closed."""

    encrypter: JweEncrypter = field(default_factory=lambda: JweEncrypter({}))
    hashes: tuple[tuple[str, str], ...] = ()
    """Pairs of an agency and the hash of one of its API keys."""

    def find_agency(self, api_key: str) -> str | None:
        """Return the agency that an API key belongs to, in the same time whether it belongs to one or not."""
        shown_hash, found = hash_key(api_key), None
        for agency, expected in self.hashes:
            if compare_digest(shown_hash, expected):
                found = agency
        return found


def load_partner_keys(path: Path | None, agencies: Iterable[str]) -> PartnerKeys:
    """Read the file, JSON of `{agency: {"public_jwks": [...], "key_hashes": [...]}}`.

    Raises:
        PartnerKeysError: the file cannot be read, names an unknown agency, or has an invalid key.
    """
    if path is None:
        return PartnerKeys()
    forms = _read(path)
    problems = [*_find_contradictions(forms, frozenset(agencies))]
    keys: dict[str, PublicKey] = {}
    for agency, form in forms.items():
        for number, jwk in enumerate(form.public_jwks):
            try:
                keys.setdefault(agency, read_public_key(jwk))
            except PublicKeyError as error:
                problems.append(f"{agency}.public_jwks.{number}: {error}")
    if problems:
        raise PartnerKeysError("\n  ".join([f"{path} cannot be used:", *problems]))
    hashes = [(agency, each) for agency, form in forms.items() for each in form.key_hashes]
    return PartnerKeys(JweEncrypter(keys), tuple(hashes))


def _read(path: Path) -> Mapping[str, PartnerKeysForm]:
    try:
        return PartnerKeysFile.model_validate(json.loads(path.read_text(encoding="utf-8"))).root
    except OSError as error:
        raise PartnerKeysError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise PartnerKeysError("\n  ".join([f"{path} cannot be used:", *list_errors(error)])) from None
    except ValueError:
        raise PartnerKeysError(f"{path} is not JSON") from None


def _find_contradictions(forms: Mapping[str, PartnerKeysForm], agencies: frozenset[str]) -> Iterator[str]:
    yield from (f"{agency}: unknown agency" for agency in forms if agency not in agencies)
    owners: dict[str, str] = {}
    for agency, form in forms.items():
        for each in form.key_hashes:
            if owners.setdefault(each, agency) != agency:
                yield f"{agency}: has the same API key as {owners[each]}"
