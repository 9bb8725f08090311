"""What agencies have handed in: public keys that things are sealed to, and hashes of the keys that let them in."""

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
from shared.kit.http.auth import hash_key

AGREEMENT: Final = "ECDH-ES+A256KW"
CIPHER: Final = "A256GCM"
PublicKey = ECKey | OKPKey
CURVES: Final[Mapping[str, type[ECKey] | type[OKPKey]]] = {"P-256": ECKey, "X25519": OKPKey}
Jwk = Mapping[str, Any]
"""A key as RFC 7517 writes it in JSON."""


class PublicKeyError(Exception):
    """A key that nothing can be sealed to; the text says why, and nothing of the key."""


def read_public_key(jwk: Jwk) -> PublicKey:
    """Read a public key; one without a `kid` is named by its thumbprint (RFC 7638).

    Raises:
        EnvelopeError: it is not a public key on P-256 or X25519.
    """
    kind = CURVES.get(str(jwk.get("crv")))
    if kind is None:
        raise PublicKeyError(f"not a key on {' or '.join(CURVES)}")
    if "d" in jwk:
        raise PublicKeyError("a private key: it belongs to the agency alone, and is to be made anew")
    try:
        key: PublicKey = kind.import_key(dict(jwk))
        key.get_op_key("deriveKey")  # a point that is not on the curve is found here
    except (JoseError, ValueError, KeyError, TypeError):
        raise PublicKeyError("not a JWK that can be read") from None
    return key


class JweEncrypter:
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


Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class AgencyKeysError(Exception):
    """The partners' file cannot be used; the text names it and what is wrong in it, and shows no key."""


class AgencyKeysForm(BaseModel):
    """What one agency has handed in, the newest first: only the newest public key seals, every hash lets in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_jwks: tuple[dict[str, Any], ...] = Field(default=(), max_length=2)
    key_hashes: tuple[Hash, ...] = Field(default=(), max_length=2)


class AgencyKeysFile(RootModel[dict[Slug, AgencyKeysForm]]):
    """The file: agencies by their ids."""


@dataclass(frozen=True, slots=True)
class AgencyKeys:
    """The agencies' keys. Without a file there is none: nothing is sealed, and nobody is let in."""

    envelopes: JweEncrypter = field(default_factory=lambda: JweEncrypter({}))
    hashes: tuple[tuple[str, str], ...] = ()
    """Pairs of an agency and the hash of a key of its own."""

    def recognise(self, shown: str) -> str | None:
        """Return whose key this is; it takes as long whether it is anybody's or not."""
        shown_hash, found = hash_key(shown), None
        for agency, expected in self.hashes:
            if compare_digest(shown_hash, expected):
                found = agency
        return found


def load_agency_keys(path: Path | None, agencies: Iterable[str]) -> AgencyKeys:
    """Read the file, JSON of `{agency: {"public_jwks": [...], "key_hashes": [...]}}`.

    Raises:
        PartnersError: it cannot be read, names an agency that there is not, or holds a key that cannot be one.
    """
    if path is None:
        return AgencyKeys()
    forms = _read(path)
    problems = [*_contradictions(forms, frozenset(agencies))]
    keys: dict[str, PublicKey] = {}
    for agency, form in forms.items():
        for number, jwk in enumerate(form.public_jwks):
            try:
                keys.setdefault(agency, read_public_key(jwk))
            except PublicKeyError as error:
                problems.append(f"{agency}.public_jwks.{number}: {error}")
    if problems:
        raise AgencyKeysError("\n  ".join([f"{path} cannot be used:", *problems]))
    hashes = [(agency, each) for agency, form in forms.items() for each in form.key_hashes]
    return AgencyKeys(JweEncrypter(keys), tuple(hashes))


def _read(path: Path) -> Mapping[str, AgencyKeysForm]:
    try:
        return AgencyKeysFile.model_validate(json.loads(path.read_text(encoding="utf-8"))).root
    except OSError as error:
        raise AgencyKeysError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise AgencyKeysError("\n  ".join([f"{path} cannot be used:", *wrong])) from None
    except ValueError:
        raise AgencyKeysError(f"{path} is not JSON") from None


def _contradictions(forms: Mapping[str, AgencyKeysForm], agencies: frozenset[str]) -> Iterator[str]:
    yield from (f"{agency}: no agency of this city" for agency in forms if agency not in agencies)
    owners: dict[str, str] = {}
    for agency, form in forms.items():
        for each in form.key_hashes:
            if owners.setdefault(each, agency) != agency:
                yield f"{agency}: its key is {owners[each]}'s, too"
